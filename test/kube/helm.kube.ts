import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NAMESPACE } from "../../src/core/model.ts";
import { writeAmkoChart } from "../support/amko-chart.ts";
import { createHelm, type Helm } from "../support/helm.ts";
import { type KubeCluster, kubeconfigOf, startKubeCluster } from "../support/kube-clusters.ts";
import { createKubectl, type Kubectl } from "../support/kubectl.ts";
import { PROJECT } from "../support/process.ts";
import { KUBE_ETCD_URL, told } from "./environment.ts";
import { becomes } from "./wait.ts";

/**
 * What deploy/MIGRATION.md and deploy/UPGRADE.md say that Helm does to AMKO's objects, on a real API server: with the
 * client-side apply of Helm 3, which Helm 4 keeps for releases that Helm 3 made, and with Helm 4's server-side apply.
 * AMKO_GITOPS_TEST_HELM3 names a Helm 3, to be tried as well.
 */

const folder = mkdtempSync(join(tmpdir(), "kube-helm-"));
const kubeconfig = join(folder, "kubeconfig");
const RENDERER = join(PROJECT, "deploy/helm/post-renderer");
const HELM_3 = process.env["AMKO_GITOPS_TEST_HELM3"] ?? "";
let cluster: KubeCluster;
let kubectl: Kubectl;
let chart: string;

beforeAll(async () => {
  cluster = await startKubeCluster("cluster1", join(folder, "kube"), told(KUBE_ETCD_URL));
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf([cluster.context])), { mode: 0o600 });
  kubectl = await createKubectl(kubeconfig);
  chart = await writeAmkoChart(join(folder, "chart"), { version: "2.2.1" });
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true });
});

interface Way {
  readonly name: string;
  readonly program: string | undefined;
  readonly serverSide: boolean;
  readonly mode: readonly string[];
  readonly renderer: string;
}

const AMKO_WITHOUT = "amko-without-federator";
const WAYS: readonly Way[] = [
  {
    name: "Helm 4, client-side",
    program: undefined,
    serverSide: false,
    mode: ["--server-side=false"],
    renderer: AMKO_WITHOUT,
  },
  {
    name: "Helm 4, server-side",
    program: undefined,
    serverSide: true,
    mode: ["--server-side=true"],
    renderer: AMKO_WITHOUT,
  },
  ...(HELM_3 === ""
    ? []
    : [
        {
          name: "Helm 3",
          program: HELM_3,
          serverSide: false,
          mode: [],
          renderer: join(RENDERER, "without-federator.sh"),
        },
      ]),
];

describe.each(WAYS)("$name", ({ program, serverSide, mode, renderer }) => {
  let helm: Helm;

  beforeAll(async () => {
    helm = await createHelm(mkdtempSync(join(folder, "home-")), program);
    if (program === undefined) await helm(["plugin", "install", RENDERER]);
  });

  const call = (...args: readonly string[]) => helm([...args, "--kubeconfig", kubeconfig, "--namespace", NAMESPACE]);
  const upgrade = (...args: readonly string[]) => call("upgrade", "--install", "amko", chart, ...mode, ...args);
  const succeed = async (result: ReturnType<Helm>): Promise<void> => {
    const { code, stderr } = await result;
    expect({ code, stderr }).toMatchObject({ code: 0 });
  };

  beforeEach(() => succeed(upgrade()));
  afterEach(async () => {
    await call("uninstall", "amko");
    await kubectl(["-n", NAMESPACE, "delete", "gslbconfig,gdp,amkocluster", "--all"]);
  });

  const read = async (what: string, path: string): Promise<string> => {
    const { stdout } = await kubectl(["-n", NAMESPACE, "get", ...what.split(" "), "-o", `jsonpath=${path}`]);
    return stdout;
  };
  const containers = (): Promise<string> => read("statefulset amko", "{.spec.template.spec.containers[*].name}");
  const leader = (): Promise<string> => read("amkocluster amkocluster-federation", "{.spec.isLeader}");
  const ttl = (): Promise<string> => read("gdp global-gdp", "{.spec.ttl}");
  /** As an agent writes it. */
  const agentWrites = async (kind: string, name: string, field: string, value: unknown): Promise<void> => {
    const patch = JSON.stringify([{ op: "add", path: `/spec/${field}`, value }]);
    const args = ["patch", kind, name, "--type=json", "-p", patch, "--field-manager=amko-gitops"];
    expect(await kubectl(["-n", NAMESPACE, ...args])).toMatchObject({ code: 0 });
  };

  it("takes the federator out with the post-renderer, and puts it back without", async () => {
    expect(await containers()).toBe("amko amko-federator amko-service-discovery");
    await succeed(upgrade("--post-renderer", renderer));
    expect(await containers()).toBe("amko amko-service-discovery");
    await succeed(upgrade());
    expect(await containers()).toBe("amko amko-federator amko-service-discovery");
  });

  it("puts the federator back with a rollback to a release from before", async () => {
    await succeed(upgrade("--post-renderer", renderer));
    await succeed(call("rollback", "amko", "1"));
    expect(await containers()).toContain("amko-federator");
  });

  it("keeps what the agent wrote where the values are the same as before, or refuses to touch it", async () => {
    await agentWrites("amkocluster", "amkocluster-federation", "isLeader", true);
    await agentWrites("gdp", "global-gdp", "ttl", 20);
    const { code, stderr } = await upgrade("--set", "configs.refreshInterval=600");
    expect({ code, stderr }).toMatchObject(
      serverSide ? { code: 1, stderr: expect.stringContaining('conflict with "amko-gitops"') } : { code: 0 },
    );
    expect([await leader(), await ttl()]).toEqual(["true", "20"]);
  });

  if (program === undefined) {
    it("goes on as the release was made where it is not told how", async () => {
      await agentWrites("gdp", "global-gdp", "ttl", 20);
      const { code } = await call("upgrade", "amko", chart, "--set", "configs.refreshInterval=600");
      expect({ code, ttl: await ttl() }).toEqual({ code: serverSide ? 1 : 0, ttl: "20" });
    });
  } else {
    it("hands its releases over to Helm 4, which goes on as they were made", async () => {
      await agentWrites("gdp", "global-gdp", "ttl", 20);
      const helm4 = await createHelm(mkdtempSync(join(folder, "home-")));
      const where = ["--kubeconfig", kubeconfig, "--namespace", NAMESPACE];
      await succeed(helm4(["upgrade", "amko", chart, ...where, "--set", "configs.refreshInterval=600"]));
      expect(await ttl()).toBe("20");
    });
  }

  it("goes through where the values say what the agent wrote", async () => {
    await agentWrites("amkocluster", "amkocluster-federation", "isLeader", true);
    await agentWrites("gdp", "global-gdp", "ttl", 20);
    const values = ["federation.currentClusterIsLeader=true", "globalDeploymentPolicy.ttl=20"];
    await succeed(upgrade(...values.flatMap((value) => ["--set", value])));
    expect([await leader(), await ttl()]).toEqual(["true", "20"]);
  });

  it("writes over what the agent wrote where it is told to, or where a value changed", async () => {
    await agentWrites("gdp", "global-gdp", "ttl", 20);
    await succeed(upgrade("--set", "globalDeploymentPolicy.ttl=30", ...(serverSide ? ["--force-conflicts"] : [])));
    expect(await ttl()).toBe("30");
  });

  it("deletes the objects that the chart does not have any more", async () => {
    await succeed(upgrade("--set", "objects=false"));
    expect([await ttl(), await read("gslbconfig", "{.items[*].metadata.name}")]).toEqual(["", ""]);
  });

  it("leaves them where they were to be kept, also with an uninstall", async () => {
    await succeed(upgrade("--set", "keep=yes"));
    await succeed(upgrade("--set", "objects=false"));
    expect(await ttl()).toBe("10");
    await call("uninstall", "amko");
    expect(await ttl()).toBe("10");
  });

  const annotate = () => kubectl(["-n", NAMESPACE, "annotate", "gdp", "global-gdp", "helm.sh/resource-policy=keep"]);

  it("sees that also from the object in the cluster, in an upgrade", async () => {
    await annotate();
    await succeed(upgrade("--set", "objects=false"));
    expect(await ttl()).toBe("10");
  });

  it("looks for that in its own release alone, in an uninstall", async () => {
    await annotate();
    await succeed(call("uninstall", "amko"));
    expect(await ttl()).toBe("");
  });

  it("deletes the AMKOCluster with an uninstall", async () => {
    await succeed(call("uninstall", "amko"));
    expect(await leader()).toBe("");
  });

  it("does not upgrade definitions", async () => {
    const crds = Object.fromEntries(
      await Promise.all(
        (await readdir(join(PROJECT, "deploy/crds"))).map(async (name) => {
          const text = await readFile(join(PROJECT, "deploy/crds", name), "utf8");
          return [name, text.replace("ttl:\n", "newer:\n                  type: string\n                ttl:\n")];
        }),
      ),
    );
    expect(Object.values(crds).join()).toContain("newer:");
    const newer = await writeAmkoChart(join(folder, "newer"), { version: "2.3.0", crds });
    await succeed(call("upgrade", "amko", newer, ...mode));
    expect(await read("amkocluster amkocluster-federation", "{.spec.version}")).toBe("2.3.0");
    const explained = async (): Promise<boolean> => (await kubectl(["explain", "gdp.spec"])).stdout.includes("newer");
    expect(await explained()).toBe(false);
    // That takes kubectl, which has to be told where somebody else installed them.
    const apply = (definitions: string) =>
      kubectl(["apply", "--server-side", "--force-conflicts", "-f", definitions, "--field-manager=anna"]);
    expect(await apply(join(newer, "crds"))).toMatchObject({ code: 0 });
    expect(await becomes(explained)).toBe(true);
    await apply(join(PROJECT, "deploy/crds"));
    expect(await becomes(async () => !(await explained()))).toBe(true);
  });
});
