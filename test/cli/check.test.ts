import { describe, expect, it } from "vitest";
import type { House } from "../../src/cli/house.ts";
import type { Json } from "../../src/core/model.ts";
import { FederationError } from "../../src/errors.ts";
import type { ClusterInspector } from "../../src/ports.ts";
import { readCrds } from "../../src/shipped.ts";
import { federation, manifest, withFiles } from "../support/builders.ts";
import { NOW_MS, runCommand } from "../support/command-line.ts";
import type { FakeCluster } from "../support/fakes/cluster.ts";
import { createFakeRemote } from "../support/fakes/repository.ts";
import { clusterWithAmko, TERMINALS } from "./on-a-cluster.ts";

const CRDS = (await readCrds()) as readonly {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Json } }[];
  };
}[];

function inspector(changes: Partial<ClusterInspector> = {}): Pick<House, "openInspector"> {
  const whole: ClusterInspector = {
    readServer: async () => ({ version: "v1.34.0", clockMs: NOW_MS + 2_000 }),
    readSchema: async (kind) =>
      CRDS.find(({ spec }) => spec.names.kind === kind)?.spec.versions[0]?.schema.openAPIV3Schema ?? null,
    may: async () => true,
    memberContexts: async () => new Map(["cluster1", "cluster2", "cluster3"].map((name) => [name, null])),
    ...changes,
  };
  return { openInspector: async () => whole };
}

function remoteWith(files = federation(), reported = true) {
  const remote = createFakeRemote();
  const content = files.flatMap(({ path, bytes }) => (bytes === null ? [] : [[path, bytes] as const]));
  const head = remote.push("main", Object.fromEntries(content));
  if (reported) remote.setBranch("amko/applied/cluster1", head);
  return remote;
}

/** cluster1 leads, and AMKO's own federator has been taken out. */
function leader(containers = ["amko"]): FakeCluster {
  const cluster = clusterWithAmko("cluster1", { isLeader: true });
  cluster.setWorkload({ containers, revision: "amko-1", rolledOut: true });
  return cluster;
}

function itemsOf(stdout: string): Readonly<Record<string, readonly [string, string | null]>> {
  const { items } = JSON.parse(stdout) as { items: readonly { name: string; result: string; code: string | null }[] };
  return Object.fromEntries(items.map(({ name, result, code }) => [name, [result, code]]));
}

describe("check", () => {
  it.each(TERMINALS)("is content with a cluster that is ready (%s)", async (name, terminal) => {
    const options = { cluster: leader(), repository: remoteWith().open(), house: inspector(), terminal };
    const { exitCode, stdout } = await runCommand(["check"], options);
    await expect(stdout).toMatchFileSnapshot(`golden/check-ready-${name}.txt`);
    expect(exitCode).toBe(0);
  });

  it.each(TERMINALS)("says what is wrong, and what to do (%s)", async (name, terminal) => {
    const house = inspector({
      readServer: async () => ({ version: "v1.34.0", clockMs: NOW_MS - 600_000 }),
      readSchema: async (kind) => (kind === "GSLBConfig" ? null : { properties: { spec: { properties: {} } } }),
      may: async ({ verb }) => verb !== "patch",
      memberContexts: async () => new Map([["cluster2", null]]),
    });
    const files = withFiles(federation(), manifest("cluster1", { isLeader: true, version: "1.5.0" }));
    const cluster = leader(["amko", "amko-federator"]);
    const repository = remoteWith(files, false).open();
    const { exitCode, stdout } = await runCommand(["check"], { cluster, repository, house, terminal });
    await expect(stdout).toMatchFileSnapshot(`golden/check-wrong-${name}.txt`);
    expect(exitCode).toBe(1);
  });

  it("prints json", async () => {
    const { stdout } = await runCommand(["check", "--cluster-only", "-o", "json"], {
      cluster: leader(),
      house: inspector(),
    });
    await expect(stdout).toMatchFileSnapshot("golden/check-json.txt");
  });

  it("exits with 3 when the API server is away, and still looks at git", async () => {
    const house = inspector({ readServer: () => Promise.reject(new FederationError("AG3001", "refused")) });
    const options = { cluster: leader(), repository: remoteWith().open(), house };
    const { exitCode, stdout } = await runCommand(["check", "-o", "json"], options);
    expect(exitCode).toBe(3);
    expect(itemsOf(stdout)).toMatchObject({ "api-server": ["failed", "AG3001"], repository: ["ok", null] });
  });

  it("exits with 3 when git is away", async () => {
    const remote = remoteWith();
    remote.fail({ on: "list", code: "AG2001" });
    const options = { cluster: leader(), repository: remote.open(), house: inspector() };
    const { exitCode, stdout } = await runCommand(["check", "-o", "json"], options);
    expect(exitCode).toBe(3);
    expect(itemsOf(stdout)).toMatchObject({ repository: ["failed", "AG2001"], amkocluster: ["ok", null] });
  });

  it("says what it left out where there is no clone", async () => {
    const openRepository = () => Promise.reject(new FederationError("AG4008", "no clone"));
    const options = { cluster: leader(), house: { ...inspector(), openRepository } };
    const { exitCode, stdout } = await runCommand(["check"], options);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("left out: no --repo was given, and there is no clone here");
  });

  it.each<readonly [string, (cluster: FakeCluster) => void, string, readonly [string, string]]>([
    ["no AMKOCluster", (cluster) => cluster.drop("AMKOCluster"), "amkocluster", ["failed", "AG3011"]],
    ["no namespace", (cluster) => cluster.setNamespace(null), "namespace", ["failed", "AG3015"]],
    ["no StatefulSet", (cluster) => cluster.setWorkload(null), "federator", ["warning", "AG3010"]],
    [
      "rights that are missing",
      (cluster) => cluster.fail({ on: "readWorkload", code: "AG3003" }),
      "federator",
      ["failed", "AG3003"],
    ],
    [
      "a list without itself",
      (cluster) =>
        cluster.edit("AMKOCluster", (one) => ({ ...one, spec: { ...(one.spec as object), clusters: ["cluster2"] } })),
      "amkocluster",
      ["failed", "AG1019"],
    ],
  ])("finds %s", async (_, spoil, name, found) => {
    const cluster = leader();
    spoil(cluster);
    const { stdout } = await runCommand(["check", "--cluster-only", "-o", "json"], { cluster, house: inspector() });
    expect(itemsOf(stdout)[name]).toEqual(found);
  });

  it.each([
    ["is not there", ["warning", "AG5022"], async () => null],
    [
      "may not be read",
      ["skipped", null],
      async () => {
        throw new FederationError("AG3003", "secrets is forbidden");
      },
    ],
  ])("does without the members' kubeconfig where it %s", async (_, found, memberContexts) => {
    const house = inspector({ may: async ({ resource }) => resource !== "secrets", memberContexts });
    const { exitCode, stdout } = await runCommand(["check", "--cluster-only", "-o", "json"], {
      cluster: leader(),
      house,
    });
    expect(exitCode).toBe(0);
    expect(itemsOf(stdout)).toMatchObject({
      permissions: ["warning", "AG3003"],
      "member-credentials": found,
    });
  });

  it("asks for no members' kubeconfig where the agent has none, and for the one that it has", async () => {
    const asked: (string | null)[] = [];
    const { openInspector } = inspector();
    const options = {
      cluster: leader(),
      house: {
        openInspector: (...[connection, file]: Parameters<House["openInspector"]>) => {
          asked.push(file);
          return openInspector(connection, file);
        },
      },
    };
    const command = ["check", "--cluster-only", "-o", "json"];
    const none = await runCommand([...command, "--member-credentials", "ignore"], options);
    const own = await runCommand([...command, "--members-kubeconfig", "/members/config"], options);
    expect(itemsOf(none.stdout)["member-credentials"]).toEqual(["skipped", null]);
    expect(itemsOf(own.stdout)["member-credentials"]).toEqual(["ok", null]);
    expect(asked).toEqual([null, "/members/config"]);
  });
});
