import { execFileSync } from "node:child_process";
import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { formatPack } from "../../src/git/pack.ts";
import { manifest } from "../support/builders.ts";
import { git } from "../support/git.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { federationFiles } from "../support/world.ts";

/** What somebody tries who knows how the gate works; a follower's agent or a leader's mostly. */

/** Each push starts a program; a small machine may share its cores between many suites. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const MAIN = "refs/heads/main";
const EMPTY_PACK = formatPack([]);

let server: GuardedServer;
let start: string;

beforeAll(async () => {
  server = await startGuardedServer(["leader", "follower", "follow", "jo"], {
    leader: "cluster1",
    follower: "cluster2",
    jo: "people",
    "": "people",
  });
  // A server that looks at nothing itself, as git is when nobody has set it up.
  await git(server.bare, ["config", "receive.fsckObjects", "false"]);
  await git(server.bare, ["config", "receive.advertisePushOptions", "true"]);
  await server.commit(federationFiles());
  expect(await server.push("jo", `HEAD:${MAIN}`)).toBe("taken");
  start = await git(server.bare, ["rev-parse", "main"]);
});

afterAll(() => server.stop());

/** Nothing of all this ever moves the branch. */
afterEach(async () => {
  expect(await git(server.bare, ["rev-parse", "main"])).toBe(start);
  await git(server.work, ["reset", "--quiet", "--hard", start]);
  await git(server.work, ["clean", "--quiet", "-d", "--force"]);
});

/** Both manifests, cluster2 leading. */
function usurped(): Readonly<Record<string, string>> {
  const files = ["cluster1", "cluster2"].map((name) => manifest(name, { isLeader: name === "cluster2" }));
  return Object.fromEntries(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes ?? undefined)]));
}

/** A tree of single entries, whatever git thinks of their names. */
function treeOf(...entries: readonly (readonly [mode: string, name: string, id: string])[]): string {
  const bytes = Buffer.concat(
    entries.flatMap(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]),
  );
  const args = ["-C", server.work, "hash-object", "-w", "-t", "tree", "--literally", "--stdin"];
  return execFileSync("git", args, { input: bytes, encoding: "utf8" }).trim();
}

async function packOf(...revisions: readonly string[]): Promise<Uint8Array> {
  return execFileSync("git", ["-C", server.work, "pack-objects", "--stdout", "--revs", "--quiet"], {
    input: `${revisions.join("\n")}\n`,
  });
}

describe("paths", () => {
  it.each([
    ["the snapshot", GDP, "../../clusters/cluster1/amkocluster.yaml"],
    ["its folder", "federation/globaldeploymentpolicy", "../clusters/cluster1"],
  ])("that are links in place of %s are a snapshot's loss", async (_, path, target) => {
    await rm(join(server.work, path), { recursive: true });
    await symlink(target, join(server.work, path));
    expect(await server.attempt("leader", {})).toBe("AG1024");
  });

  it.each(["Federation/gslbconfig/gc-1.yaml", "FEDERATION/x.yaml", "federation.yaml", "clusters/cluster1/x.yaml"])(
    "beside the folder are no snapshots: %s",
    async (path) => {
      expect(await server.attempt("leader", { [path]: "a: 1\n" })).toBe("AG5035");
    },
  );

  it("that lead out of the folder again are refused, and so is what git calls its own", async () => {
    const { work } = server;
    const [, , blob = ""] = (await git(work, ["ls-tree", "HEAD", GDP])).split(/\s/);
    for (const name of ["..", ".git"]) {
      const inner = treeOf(["100644", "x.yaml", blob]);
      const federation = treeOf(["40000", name, inner], ...(await entriesOf("HEAD:federation")));
      const others = (await entriesOf("HEAD")).filter(([, entry]) => entry !== "federation");
      const root = treeOf(...others, ["40000", "federation", federation]);
      const commit = await git(work, ["commit-tree", root, "-p", "HEAD", "-m", "Lead out"]);
      const pack = await packOf(commit, `^${start}`);
      const answer = await server.rawPush("leader", [{ ref: MAIN, before: start, after: commit }], pack);
      expect(answer).toContain("AG5035");
    }
  });
});

async function entriesOf(tree: string): Promise<readonly (readonly [string, string, string])[]> {
  const listing = await git(server.work, ["ls-tree", tree]);
  return listing.split("\n").map((line) => {
    const [mode = "", , id = "", name = ""] = line.split(/\s/);
    return [mode.replace(/^0/, ""), name, id];
  });
}

describe("refs", () => {
  it.each([
    ["a tag", "refs/tags/v1"],
    ["the prefix itself", "refs/heads/amko"],
    ["the branch in capitals", "refs/heads/Main"],
    ["its own purpose in capitals", "refs/heads/amko/Applied/cluster2"],
    ["its own name in capitals", "refs/heads/amko/applied/CLUSTER2"],
    ["a replacement of an object", "refs/replace/0123456789012345678901234567890123456789"],
    ["a note", "refs/notes/commits"],
  ])("are an agent's own ones alone: not %s", async (_, ref) => {
    expect(await server.push("follower", `HEAD:${ref}`)).toBe("AG5033");
  });

  it.each([
    ["the prefix itself, in whose place no agent could write", "refs/heads/amko"],
    ["the branch in capitals", "refs/heads/MAIN"],
    ["an agent's word in capitals", "refs/heads/AMKO/applied/cluster1"],
    ["an agent's word where it needs a folder", "refs/heads/amko/applied"],
  ])("are not people's where they are %s", async (_, ref) => {
    expect(await server.push("jo", `HEAD:${ref}`)).toBe("AG5033");
  });

  it("may be tags of people's", async () => {
    expect(await server.push("jo", "HEAD:refs/tags/v1")).toBe("taken");
  });

  it("that are an agent's own may point to whatever it likes", async () => {
    const elsewhere = await git(server.work, ["commit-tree", "HEAD^{tree}", "-m", "Another beginning"]);
    expect(await server.push("follower", `${elsewhere}:refs/heads/amko/propose/cluster2/leader`)).toBe("taken");
    expect(await server.push("follower", ":refs/heads/amko/propose/cluster2/leader")).toBe("taken");
  });

  it("that go together are taken together, or not at all", async () => {
    await server.commit(usurped());
    const own = "HEAD~1:refs/heads/amko/applied/cluster2";
    expect(await server.push("follower", "--atomic", own, `HEAD:${MAIN}`)).toBe("AG5034");
    expect(await server.push("follower", own, `HEAD:${MAIN}`)).toBe("AG5034");
    expect(await git(server.bare, ["for-each-ref", "refs/heads/amko/applied"])).toBe("");
  });
});

describe("who pushes", () => {
  it("is nobody where the server says an empty name, or none", async () => {
    for (const environment of [{ REMOTE_USER: "" }, {}]) {
      const pushing = git(server.work, ["push", "--quiet", server.bare, "HEAD:refs/heads/x"], { env: environment });
      await expect(pushing).rejects.toMatchObject({ stderr: expect.stringContaining("AG5032") });
    }
  });

  it("is nobody who is called like the beginning of somebody else", async () => {
    expect(await server.push("follow", "HEAD:refs/heads/amko/applied/cluster2")).toBe("AG5032");
  });

  it("is not what a push option says", async () => {
    await server.commit(usurped());
    for (const option of ["REMOTE_USER=jo", "AMKO_GITOPS_PUSHER_VARIABLE=GIT_PUSH_OPTION_0"]) {
      expect(await server.push("follower", `--push-option=${option}`, `HEAD:${MAIN}`)).toBe("AG5034");
    }
  });
});

describe("a push that no git would send", () => {
  it("deletes the branch and makes it anew", async () => {
    const usurper = await server.commit(usurped());
    const moves = [
      { ref: MAIN, before: start, after: null },
      { ref: MAIN, before: null, after: usurper },
    ];
    const answer = await server.rawPush("jo", moves, await packOf(usurper, `^${start}`));
    expect(answer).toMatch(/^.*ng refs\/heads\/main /m);
  });

  it("lies about where the branch was", async () => {
    const usurper = await server.commit(usurped());
    const exported = await server.commit({ [GDP]: (federationFiles()[GDP] ?? "").replace("ttl: 10", "ttl: 20") });
    // The gate believes it, since by that head cluster2 leads; but then git finds the branch elsewhere.
    const move = { ref: MAIN, before: usurper, after: exported };
    const answer = await server.rawPush("follower", [move], await packOf(exported, `^${start}`));
    expect(answer).toMatch(/ng refs\/heads\/main /);
    expect(answer).not.toContain("AG50");
  });

  it("leaves out what the commit is made of", async () => {
    const usurper = await server.commit(usurped());
    const move = { ref: "refs/heads/amko/applied/cluster2", before: null, after: usurper };
    expect(await server.rawPush("follower", [move], EMPTY_PACK)).toMatch(/ng refs\/heads\/amko\/applied\/cluster2 /);
    expect(await git(server.bare, ["for-each-ref", "refs/heads/amko/applied"])).toBe("");
  });

  it("has put another commit in the place of the head", async () => {
    const { work, bare } = server;
    const usurper = await git(work, [
      "commit-tree",
      `${await server.commit(usurped())}^{tree}`,
      "-m",
      "It was so always",
    ]);
    expect(await server.push("jo", `${usurper}:refs/replace/${start}`)).toBe("taken");
    await git(work, ["reset", "--quiet", "--hard", start]);
    const edited = { [GDP]: (federationFiles()[GDP] ?? "").replace("ttl: 10", "ttl: 20") };
    expect(await server.attempt("follower", edited)).toBe("AG5034");
    await git(bare, ["update-ref", "-d", `refs/replace/${start}`]);
  });
});
