import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { REQUESTED_REVISION_ANNOTATION } from "../../src/core/model.ts";
import { type MembersSettings, openMembers } from "../../src/kubernetes/members.ts";
import type { Members } from "../../src/ports.ts";
import { cluster } from "../support/builders.ts";
import { answerJson, list, never, type Script, type ScriptedServer, startScriptedServer, status } from "./support.ts";

const WEST = cluster("west");
const SECRET = "a-token-that-nobody-may-see";

interface Entry {
  readonly name: string;
  readonly server?: string;
  readonly user?: string;
}

function kubeconfig(...entries: readonly Entry[]): string {
  const lines = entries.map(({ name, server = "http://127.0.0.1:9", user = `token: ${SECRET}` }) => [
    `{ name: ${name}, context: { cluster: ${name}, user: ${name} } }`,
    `{ name: ${name}, cluster: { server: "${server}" } }`,
    `{ name: ${name}, user: { ${user} } }`,
  ]);
  const column = (index: number): string => lines.map((line) => line[index]).join(", ");
  return `contexts: [${column(0)}]\nclusters: [${column(1)}]\nusers: [${column(2)}]\n`;
}

function open(changes: Partial<MembersSettings>): Members {
  const nothing = { readMembersKubeconfig: async () => null };
  return openMembers({ file: null, inline: null, cluster: nothing, nowMs: () => Date.now(), ...changes });
}

function amkoCluster(spec: object = {}, name = "amkocluster-federation"): object {
  const metadata = { name, uid: `uid-of-${name}`, resourceVersion: "7" };
  return { metadata, spec: { clusterContext: "west", isLeader: true, ...spec } };
}

/** A member whose AMKOClusters are these, and whose patches are answered as they come. */
async function startMember(objects: readonly object[], script?: Script): Promise<ScriptedServer> {
  return startScriptedServer((request, response) => {
    if (script !== undefined && request.method === "PATCH") script(request, response);
    else answerJson(response, 200, request.method === "GET" ? list(objects) : objects[0]);
  });
}

describe("the members' kubeconfig", () => {
  it("is a file that is read again each time, before the environment, before the Secret", async () => {
    const folder = mkdtempSync(join(tmpdir(), "members-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "kubeconfig");
    const secret = { readMembersKubeconfig: async () => kubeconfig({ name: "from-the-secret" }) };
    writeFileSync(file, kubeconfig({ name: "from-the-file" }));
    const inline = kubeconfig({ name: "from-the-environment" });
    const namesOf = async (members: Members): Promise<readonly string[]> => [
      ...((await members.contexts(never)) ?? new Map()).keys(),
    ];
    const members = open({ file, inline, cluster: secret });
    expect(await namesOf(members)).toEqual(["from-the-file"]);
    writeFileSync(file, kubeconfig({ name: "another" }, { name: "west" }));
    expect(await namesOf(members)).toEqual(["another", "west"]);
    expect(await namesOf(open({ inline, cluster: secret }))).toEqual(["from-the-environment"]);
    expect(await namesOf(open({ cluster: secret }))).toEqual(["from-the-secret"]);
  });

  it("may be missing, which is no error; a file that was named may not", async () => {
    expect(await open({}).contexts(never)).toBeNull();
    await expect(open({ file: "/nowhere/kubeconfig" }).contexts(never)).rejects.toMatchObject({ code: "AG4007" });
  });

  it.each<[string, string]>([
    ["exec", `exec: { command: "/bin/touch", args: ["${SECRET}"] }`],
    ["auth-provider", `auth-provider: { name: oidc, config: { id-token: ${SECRET} } }`],
  ])("refuses a user with %s, says what to do, and lets the others be", async (what, user) => {
    const members = open({ inline: kubeconfig({ name: "west", user }, { name: "north" }) });
    const contexts = await members.contexts(never);
    expect(contexts?.get("north")).toBeNull();
    expect(contexts?.get("west")).toMatchObject({ code: "AG4007", message: expect.stringContaining(what) });
    expect(contexts?.get("west")?.remedy).toContain("gslb-config-secret");
    await expect(members.readAmkoClusters(WEST, never)).rejects.toMatchObject({ code: "AG4007" });
    expect(JSON.stringify([...(contexts ?? [])])).not.toContain(SECRET);
  });

  it("lets the others be where one can only be reached through a proxy that is none", async () => {
    const inline = kubeconfig({ name: "west", server: "https://api.west.example" }, { name: "north" });
    const contexts = await open({ inline, env: { HTTPS_PROXY: "socks5://proxy:1080" } }).contexts(never);
    expect(contexts?.get("north")).toBeNull();
    expect(contexts?.get("west")).toMatchObject({ code: "AG4007", message: expect.stringContaining("HTTPS_PROXY") });
  });

  it.each<[string, string]>([
    ["no YAML", `contexts: [${SECRET}`],
    ["no kubeconfig", SECRET],
    ["a list that is none", `contexts: ${SECRET}`],
  ])("that is %s is refused without being quoted", async (_what, inline) => {
    const error = await open({ inline })
      .contexts(never)
      .catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: "AG4007" });
    expect(String(error)).not.toContain(SECRET);
  });
});

describe("a member", () => {
  it("is asked on the connection of before, also after a change that does not concern it", async () => {
    const west = await startMember([amkoCluster()]);
    let text = kubeconfig({ name: "west", server: west.url });
    const members = open({ cluster: { readMembersKubeconfig: async () => text } });
    expect(await members.readAmkoClusters(WEST, never)).toMatchObject([{ spec: { isLeader: true } }]);
    expect(west.received[0]?.headers.authorization).toBe(`Bearer ${SECRET}`);
    text = kubeconfig({ name: "west", server: west.url }, { name: "north" });
    await members.contexts(never);
    await members.readAmkoClusters(WEST, never);
    expect(west.connections()).toBe(1);
    text = kubeconfig({ name: "west", server: west.url, user: "token: rotated" });
    await members.contexts(never);
    await members.readAmkoClusters(WEST, never);
    expect(west.received.at(-1)?.headers.authorization).toBe("Bearer rotated");
  });

  it("is told to fetch with one request where the name of its AMKOCluster is known", async () => {
    const west = await startMember([amkoCluster()]);
    const members = open({ inline: kubeconfig({ name: "west", server: west.url }) });
    expect(await members.requestRevision(WEST, "main@sha1:1", never)).toMatchObject({ kind: "AMKOCluster" });
    await members.requestRevision(WEST, "main@sha1:2", never);
    expect(west.received.map(({ method }) => method)).toEqual(["GET", "PATCH", "PATCH"]);
    const [, , patch] = west.received;
    expect(patch?.headers["content-type"]).toBe("application/merge-patch+json");
    expect(patch?.body).toEqual({ metadata: { annotations: { [REQUESTED_REVISION_ANNOTATION]: "main@sha1:2" } } });
  });

  it("whose AMKOCluster was replaced under another name is asked for the new one", async () => {
    let gone = false;
    const west = await startScriptedServer((request, response) => {
      const renamed = request.path.endsWith("/amkocluster-federation") && gone;
      if (renamed) answerJson(response, 404, status(404, "NotFound", { details: { name: "x", kind: "amkoclusters" } }));
      else if (request.method === "GET") answerJson(response, 200, list([amkoCluster({}, gone ? "new" : undefined)]));
      else answerJson(response, 200, amkoCluster());
    });
    const members = open({ inline: kubeconfig({ name: "west", server: west.url }) });
    await members.requestRevision(WEST, "main@sha1:1", never);
    gone = true;
    await members.requestRevision(WEST, "main@sha1:2", never);
    expect(west.received.at(-1)?.path).toMatch(/\/amkoclusters\/new$/);
  });

  it.each<[string, readonly object[]]>([
    ["none", []],
    ["two", [amkoCluster(), amkoCluster({}, "second")]],
  ])("with %s AMKOCluster is not told anything", async (_what, objects) => {
    const west = await startMember(objects);
    const members = open({ inline: kubeconfig({ name: "west", server: west.url }) });
    expect(await members.requestRevision(WEST, "main@sha1:1", never)).toBeNull();
  });

  it("is stood down in the version that was read, and only under its own name", async () => {
    const west = await startMember([amkoCluster()]);
    const other = await startMember([amkoCluster({ clusterContext: "elsewhere" })]);
    for (const { url } of [west, other]) {
      await open({ inline: kubeconfig({ name: "west", server: url }) }).standDown(WEST, never);
    }
    expect(west.received.at(-1)?.body).toEqual([
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
      { op: "add", path: "/spec/isLeader", value: false },
    ]);
    expect(other.received.map(({ method }) => method)).toEqual(["GET"]);
  });

  it("that hangs is given up soon, without a word of its credentials", async () => {
    const west = await startScriptedServer(() => undefined);
    const members = open({ inline: kubeconfig({ name: "west", server: west.url }), timeoutMs: 50 });
    const error = await members.readAmkoClusters(WEST, never).catch((late: unknown) => late);
    expect(error).toMatchObject({ code: "AG3006" });
    expect(String(error)).not.toContain(SECRET);
  });
});
