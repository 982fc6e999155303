import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommitId, Revision } from "../../src/core/model.ts";
import { FILE_SIZE_MAX_BYTES } from "../../src/core/model.ts";
import type { Repository } from "../../src/ports.ts";
import type { CommitSpec } from "../support/git.ts";

/** A remote that the suite can arrange behind the repository's back, as people and other agents do. */
export interface RepositoryWorld {
  /** A repository that knows nothing yet, tracking `main` with the prefix `amko`. */
  open(options?: { readonly path?: string }): Repository;
  /** Brings a commit to the remote, on no branch. */
  commit(spec: CommitSpec): Promise<CommitId>;
  /** A chain of commits on a branch, oldest first, each changing one file. */
  chain(
    branch: string,
    spec: { readonly count: number; readonly from?: CommitId | null },
  ): Promise<readonly CommitId[]>;
  setBranch(branch: string, commit: CommitId | null): Promise<void>;
  branchHead(branch: string): Promise<CommitId | null>;
  /** Everything at a commit, path to mode and object id. */
  treeOf(commit: CommitId): Promise<Readonly<Record<string, string>>>;
  parentsOf(commit: CommitId): Promise<readonly CommitId[]>;
  /** Fails if anything at the remote is malformed or missing. */
  verify(): Promise<void>;
  stop(): Promise<void>;
}

const author = { name: "amko-gitops", email: "amko-gitops@cluster1", atSeconds: 1_700_000_123 };
const signal = new AbortController().signal;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (content: Uint8Array | null | undefined): string | null =>
  content === null || content === undefined ? null : new TextDecoder().decode(content);
const pathsOf = (revision: Revision): readonly string[] => revision.files.map(({ path }) => path);

const SEED = {
  "README.md": "read me\n",
  "clusters/cluster1/amkocluster.yaml": "isLeader: true\n",
  "clusters/cluster2/amkocluster.yaml": "isLeader: false\n",
  "federation/gslbconfig/gc.yaml": "a: 1\n",
} as const;

/** What every implementation of the port Repository promises. */
export function repositoryContract(name: string, makeWorld: () => Promise<RepositoryWorld>): void {
  describe(`${name} keeps the contract of a repository`, () => {
    let world: RepositoryWorld;
    beforeEach(async () => {
      world = await makeWorld();
    });
    afterEach(async () => {
      await world.verify();
      await world.stop();
    });

    const seed = async (): Promise<CommitId> => {
      const commit = await world.commit({ files: SEED });
      await world.setBranch("main", commit);
      return commit;
    };
    const publish = (repository: Repository, parent: CommitId, files: Readonly<Record<string, string | null>>) =>
      repository.publish(
        {
          parent,
          message: "A change\n",
          author,
          changes: Object.entries(files).map(([path, text]) => ({ path, bytes: text === null ? null : bytes(text) })),
        },
        signal,
      );

    describe("list", () => {
      it("gives no head while the repository is empty", async () => {
        expect(await world.open().list("branch", signal)).toEqual({ head: null, refs: null });
        expect(await world.open().list("all", signal)).toEqual({ head: null, refs: new Map() });
      });

      it("gives no head while only other branches exist", async () => {
        await world.setBranch("feature", await world.commit({ files: SEED }));
        expect(await world.open().list("branch", signal)).toEqual({ head: null, refs: null });
      });

      it("takes no branch for the tracked one whose name only starts like it", async () => {
        const other = await world.commit({ files: SEED, message: "another" });
        for (const branch of ["main2", "main-old", "amko2/applied/x", "amkoapplied"])
          await world.setBranch(branch, other);
        expect(await world.open().list("all", signal)).toEqual({ head: null, refs: new Map() });
        const head = await seed();
        expect(await world.open().list("all", signal)).toEqual({ head, refs: new Map() });
      });

      it("names the refs below the prefix without it", async () => {
        const head = await seed();
        await world.setBranch("amko/applied/cluster1", head);
        await world.setBranch("amko/propose/arn%3Aaws/version", head);
        const { refs } = await world.open().list("all", signal);
        expect(refs).toEqual(
          new Map([
            ["applied/cluster1", head],
            ["propose/arn%3Aaws/version", head],
          ]),
        );
      });

      it("sees what another repository just published", async () => {
        const reader = world.open();
        const head = await seed();
        await reader.list("all", signal);
        const next = await publish(world.open(), head, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
        expect((await reader.list("branch", signal)).head).toBe(next);
      });
    });

    describe("read", () => {
      it("gives the files that matter, and the commit's data", async () => {
        const parent = await seed();
        const commit = await world.commit({
          files: SEED,
          parents: [parent],
          message: "Say why",
          atSeconds: 1_712_345_678,
        });
        await world.setBranch("main", commit);
        const revision = await world.open().read(commit, signal);
        expect(revision).toMatchObject({
          commit,
          parents: [parent],
          committedAtSeconds: 1_712_345_678,
          author: "Somebody <somebody@example.com>",
          message: "Say why\n",
        });
        expect(pathsOf(revision)).toEqual([
          "clusters/cluster1/amkocluster.yaml",
          "clusters/cluster2/amkocluster.yaml",
          "federation/gslbconfig/gc.yaml",
        ]);
        expect(textOf(revision.files[0]?.bytes)).toBe("isLeader: true\n");
        expect(revision.files[0]?.size).toBe(15);
      });

      it("ignores what stands elsewhere or deeper", async () => {
        const commit = await world.commit({
          files: {
            ...SEED,
            "other/x/y.yaml": "1",
            "clusters/cluster1/deep/er.yaml": "1",
            "federation/a/b/c.yaml": "1",
          },
        });
        await world.setBranch("main", commit);
        expect(pathsOf(await world.open().read(commit, signal))).toHaveLength(3);
      });

      it("tells symlinks and submodules as what they are and reads neither", async () => {
        const id = "0123456789012345678901234567890123456789";
        const commit = await world.commit({
          files: {
            "clusters/cluster1/amkocluster.yaml": { symlink: "/etc/passwd" },
            "clusters/cluster2": { symlink: "cluster1" },
            "clusters/cluster3": { submodule: id },
            "clusters/stray.yaml": "1",
            "federation/gslbconfig": { submodule: id },
            "federation/globaldeploymentpolicy/run.yaml": { mode: "100755", text: "x" },
          },
        });
        await world.setBranch("main", commit);
        const { files } = await world.open().read(commit, signal);
        expect(files.map(({ path, type, bytes: content }) => [path, type, textOf(content)])).toEqual([
          ["clusters/cluster1/amkocluster.yaml", "symlink", null],
          ["clusters/cluster2", "symlink", null],
          ["clusters/cluster3", "submodule", null],
          ["clusters/stray.yaml", "file", "1"],
          ["federation/globaldeploymentpolicy/run.yaml", "file", "x"],
          ["federation/gslbconfig", "submodule", null],
        ]);
      });

      it("tells a symlink in place of a top folder", async () => {
        const commit = await world.commit({ files: { clusters: { symlink: "elsewhere" }, federation: "a file" } });
        await world.setBranch("main", commit);
        const { files } = await world.open().read(commit, signal);
        expect(files.map(({ path, type }) => [path, type])).toEqual([
          ["clusters", "symlink"],
          ["federation", "file"],
        ]);
      });

      it("knows the size of a file that is too large, without its content", async () => {
        const commit = await world.commit({
          files: {
            "federation/gslbconfig/fits.yaml": "x".repeat(FILE_SIZE_MAX_BYTES),
            "federation/gslbconfig/large.yaml": "x".repeat(FILE_SIZE_MAX_BYTES + 1),
          },
        });
        await world.setBranch("main", commit);
        const { files } = await world.open().read(commit, signal);
        expect(files.map(({ size, bytes: content }) => [size, content?.length ?? null])).toEqual([
          [FILE_SIZE_MAX_BYTES, FILE_SIZE_MAX_BYTES],
          [FILE_SIZE_MAX_BYTES + 1, null],
        ]);
      });

      it("hands LFS pointers and bytes that are no text through as they are", async () => {
        const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        const commit = await world.commit({ files: { "federation/gslbconfig/gc.yaml": pointer } });
        await world.setBranch("main", commit);
        expect(textOf((await world.open().read(commit, signal)).files[0]?.bytes)).toBe(pointer);
      });

      it("reads a folder of the repository as if it were the root", async () => {
        const files = Object.fromEntries(Object.entries(SEED).map(([path, text]) => [`teams/glb/${path}`, text]));
        const commit = await world.commit({ files: { ...files, "clusters/other/x.yaml": "not ours" } });
        await world.setBranch("main", commit);
        expect(pathsOf(await world.open({ path: "teams/glb" }).read(commit, signal))).toEqual([
          "clusters/cluster1/amkocluster.yaml",
          "clusters/cluster2/amkocluster.yaml",
          "federation/gslbconfig/gc.yaml",
        ]);
      });

      it("says with a null tree that the folder is not there", async () => {
        const commit = await world.commit({ files: { ...SEED, "a/file": "1" } });
        await world.setBranch("main", commit);
        for (const path of ["teams/glb", "a/file", "README.md"]) {
          expect(await world.open({ path }).read(commit, signal)).toMatchObject({ tree: null, files: [] });
        }
      });

      it("gives two revisions that differ only outside the folder the same tree", async () => {
        const first = await world.commit({ files: { "glb/clusters/a/b.yaml": "1", other: "1" } });
        const second = await world.commit({ files: { "glb/clusters/a/b.yaml": "1", other: "2" }, parents: [first] });
        await world.setBranch("main", second);
        const repository = world.open({ path: "glb" });
        const trees = await Promise.all([first, second].map(async (id) => (await repository.read(id, signal)).tree));
        expect(trees[0]).toBe(trees[1]);
      });

      it("reads an older revision than the ones before, and several at once", async () => {
        await seed();
        const chain = await world.chain("main", { count: 30, from: await world.branchHead("main") });
        const repository = world.open();
        const ids = [chain[29], chain[3], chain[15], chain[0]].filter((id) => id !== undefined);
        const revisions = await Promise.all(ids.map((id) => repository.read(id, signal)));
        expect(revisions.map(({ commit }) => commit)).toEqual(ids);
      });

      it("fails with AG2012 for a commit that the remote does not have", async () => {
        await seed();
        const unknown = "00000000000000000000000000000000000000aa" as CommitId;
        await expect(world.open().read(unknown, signal)).rejects.toMatchObject({ code: "AG2012" });
      });
    });

    describe("publish", () => {
      it("puts one commit on top of the branch and leaves every other file alone", async () => {
        const files = {
          ...SEED,
          "bin/tool.sh": { mode: "100755", text: "#!/bin/sh\n" },
          link: { symlink: "README.md" },
          "größe/ü.txt": "umlauts",
        } as const;
        const parent = await world.commit({ files });
        await world.setBranch("main", parent);
        const commit = await publish(world.open(), parent, {
          "federation/gslbconfig/gc.yaml": "a: 2\n",
          "federation/globaldeploymentpolicy/gdp.yaml": "b: 1\n",
        });
        expect(await world.branchHead("main")).toBe(commit);
        expect(await world.parentsOf(commit)).toEqual([parent]);
        const [before, after] = [await world.treeOf(parent), await world.treeOf(commit)];
        expect(Object.keys(after).length).toBe(Object.keys(before).length + 1);
        const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
        expect(changed.sort()).toEqual(["federation/globaldeploymentpolicy/gdp.yaml", "federation/gslbconfig/gc.yaml"]);
      });

      it("keeps an executable file executable", async () => {
        const parent = await world.commit({ files: { "clusters/a/x.yaml": { mode: "100755", text: "1" } } });
        await world.setBranch("main", parent);
        const commit = await publish(world.open(), parent, { "clusters/a/x.yaml": "2" });
        expect((await world.treeOf(commit))["clusters/a/x.yaml"]).toMatch(/^100755 /);
      });

      it("removes a file, and the folder that became empty with it", async () => {
        const parent = await seed();
        const commit = await publish(world.open(), parent, {
          "federation/gslbconfig/gc.yaml": null,
          "clusters/nobody/x.yaml": null,
        });
        expect(Object.keys(await world.treeOf(commit)).sort()).toEqual([
          "README.md",
          "clusters/cluster1/amkocluster.yaml",
          "clusters/cluster2/amkocluster.yaml",
        ]);
      });

      it("can remove the last file of the repository", async () => {
        const parent = await world.commit({ files: { "clusters/a/x.yaml": "1" } });
        await world.setBranch("main", parent);
        const commit = await publish(world.open(), parent, { "clusters/a/x.yaml": null });
        expect(await world.treeOf(commit)).toEqual({});
        expect((await world.open().read(commit, signal)).files).toEqual([]);
      });

      it("writes below the federation's folder only", async () => {
        const parent = await seed();
        const commit = await publish(world.open({ path: "teams/glb" }), parent, {
          "federation/gslbconfig/x.yaml": "1",
        });
        const [before, after] = [await world.treeOf(parent), await world.treeOf(commit)];
        const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
        expect(changed).toEqual(["teams/glb/federation/gslbconfig/x.yaml"]);
      });

      it("refuses to replace a folder by a file or to write through a symlink", async () => {
        const parent = await world.commit({ files: { ...SEED, "clusters/link": { symlink: "cluster1" } } });
        await world.setBranch("main", parent);
        const repository = world.open();
        for (const path of ["clusters/cluster1", "clusters/link/x.yaml", "README.md/x.yaml"]) {
          await expect(publish(repository, parent, { [path]: "1" })).rejects.toMatchObject({ code: "AG1001" });
        }
        expect(await world.branchHead("main")).toBe(parent);
      });

      it("refuses paths that leave the folder or name git's own", async () => {
        const parent = await seed();
        const repository = world.open({ path: "glb" });
        for (const path of ["../x", "/x", "a//b", "a/./b", ".git/config", "a/.GIT/b", "", "a\0b", "a\\b"]) {
          await expect(publish(repository, parent, { [path]: "1" })).rejects.toMatchObject({ code: "AG9001" });
        }
      });

      it("reads back its own commit", async () => {
        const parent = await seed();
        const repository = world.open();
        const commit = await publish(repository, parent, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
        const revision = await repository.read(commit, signal);
        expect(textOf(revision.files.find(({ path }) => path.startsWith("federation/"))?.bytes)).toBe("a: 2\n");
        expect(revision).toMatchObject({ author: "amko-gitops <amko-gitops@cluster1>", message: "A change\n" });
        expect(revision.committedAtSeconds).toBe(author.atSeconds);
      });

      it("lets exactly one of two win who start from the same revision", async () => {
        const parent = await seed();
        const results = await Promise.allSettled(
          ["one", "two"].map((text) => publish(world.open(), parent, { "federation/gslbconfig/gc.yaml": text })),
        );
        const winners = results.filter((result) => result.status === "fulfilled");
        const losers = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
        expect(winners).toHaveLength(1);
        expect(losers).toMatchObject([{ code: "AG2003" }]);
        expect(await world.branchHead("main")).toBe(winners[0]?.value);
      });

      it("fails with AG2003 when the branch moved on, and changes nothing", async () => {
        const parent = await seed();
        const slow = world.open();
        await slow.read(parent, signal);
        const winner = await publish(world.open(), parent, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
        await expect(publish(slow, parent, { "README.md": "mine" })).rejects.toMatchObject({ code: "AG2003" });
        expect(await world.branchHead("main")).toBe(winner);
        const after = await publish(slow, winner, { "README.md": "mine" });
        expect(Object.keys(await world.treeOf(after))).toHaveLength(4);
        expect((await world.treeOf(after))["federation/gslbconfig/gc.yaml"]).toBe(
          (await world.treeOf(winner))["federation/gslbconfig/gc.yaml"],
        );
      });

      it("does not bring back a commit that a rewind dropped", async () => {
        const first = await seed();
        const repository = world.open();
        const dropped = await publish(repository, first, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
        await world.setBranch("main", first);
        await expect(publish(repository, dropped, { "README.md": "on top" })).rejects.toMatchObject({ code: "AG2003" });
        expect(await world.branchHead("main")).toBe(first);
      });

      it("does not bring back a branch that was deleted", async () => {
        const parent = await seed();
        const repository = world.open();
        await repository.read(parent, signal);
        await world.setBranch("main", null);
        await expect(publish(repository, parent, { "README.md": "x" })).rejects.toMatchObject({ code: "AG2003" });
        expect(await world.branchHead("main")).toBeNull();
      });

      it("writes an author whose name would break a commit", async () => {
        const parent = await seed();
        const request = {
          parent,
          changes: [],
          message: "no newline\0",
          author: { ...author, name: "<\n>", email: "a>b\n" },
        };
        const commit = await world.open().publish(request, signal);
        expect((await world.open().read(commit, signal)).author).toBe("unknown <ab>");
      });
    });

    describe("start", () => {
      const start = (repository: Repository, text: string) =>
        repository.start(
          { changes: [{ path: "clusters/a/x.yaml", bytes: bytes(text) }], message: "Begin\n", author },
          signal,
        );

      it("makes the tracked branch with a commit that has no parents", async () => {
        const commit = await start(world.open(), "1");
        expect(await world.branchHead("main")).toBe(commit);
        expect(await world.parentsOf(commit)).toEqual([]);
        expect(Object.keys(await world.treeOf(commit))).toEqual(["clusters/a/x.yaml"]);
        expect((await world.open().list("branch", signal)).head).toBe(commit);
      });

      it("puts the files below the path, and leaves other branches alone", async () => {
        const other = await world.commit({ files: SEED });
        await world.setBranch("feature", other);
        const commit = await start(world.open({ path: "teams/glb" }), "1");
        expect(Object.keys(await world.treeOf(commit))).toEqual(["teams/glb/clusters/a/x.yaml"]);
        expect(await world.branchHead("feature")).toBe(other);
      });

      it("touches nothing where the branch exists", async () => {
        const head = await seed();
        await expect(start(world.open(), "1")).rejects.toMatchObject({ code: "AG2003" });
        expect(await world.branchHead("main")).toBe(head);
      });

      it("lets one of two that start at once win", async () => {
        const results = await Promise.allSettled(["1", "2"].map((text) => start(world.open(), text)));
        expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      });
    });

    describe("propose", () => {
      it("puts one commit on top of the branch onto a ref of its own, and replaces only what was expected", async () => {
        const parent = await seed();
        const repository = world.open();
        const propose = (text: string, expected: CommitId | null) =>
          repository.propose(
            {
              ref: "propose/cluster1/config",
              expected,
              parent,
              changes: [{ path: "federation/gslbconfig/gc.yaml", bytes: bytes(text) }],
              message: "Please\n",
              author,
            },
            signal,
          );
        const first = await propose("a: 2\n", null);
        expect(await world.branchHead("amko/propose/cluster1/config")).toBe(first);
        expect(await world.parentsOf(first)).toEqual([parent]);
        expect(Object.keys(await world.treeOf(first))).toEqual(Object.keys(await world.treeOf(parent)));
        await expect(propose("a: 3\n", null)).rejects.toMatchObject({ code: "AG2011" });
        const second = await propose("a: 3\n", first);
        expect(await world.branchHead("amko/propose/cluster1/config")).toBe(second);
        expect(await world.branchHead("main")).toBe(parent);
      });
    });

    describe("moveRef", () => {
      it("creates, moves and deletes a ref, from exactly where it was", async () => {
        const first = await seed();
        const second = await publish(world.open(), first, { "README.md": "2" });
        const repository = world.open();
        await repository.moveRef({ ref: "applied/cluster1", expected: null, target: first }, signal);
        expect(await world.branchHead("amko/applied/cluster1")).toBe(first);
        await repository.moveRef({ ref: "applied/cluster1", expected: first, target: second }, signal);
        expect(await world.branchHead("amko/applied/cluster1")).toBe(second);
        await repository.moveRef({ ref: "applied/cluster1", expected: second, target: first }, signal);
        expect(await world.branchHead("amko/applied/cluster1")).toBe(first);
        await repository.moveRef({ ref: "applied/cluster1", expected: first, target: null }, signal);
        expect(await world.branchHead("amko/applied/cluster1")).toBeNull();
        expect(await world.branchHead("main")).toBe(second);
      });

      it("changes nothing and says AG2011 when the ref is elsewhere", async () => {
        const first = await seed();
        const second = await publish(world.open(), first, { "README.md": "2" });
        await world.setBranch("amko/leading/a", first);
        const repository = world.open();
        for (const move of [
          { expected: null, target: second },
          { expected: second, target: null },
          { expected: null, target: null },
          { expected: second, target: second },
        ]) {
          const moving = repository.moveRef({ ref: "leading/a", ...move }, signal);
          await expect(moving).rejects.toMatchObject({ code: "AG2011" });
          expect(await world.branchHead("amko/leading/a")).toBe(first);
        }
        const created = repository.moveRef({ ref: "leading/b", expected: first, target: second }, signal);
        await expect(created).rejects.toMatchObject({ code: "AG2011" });
        expect(await world.branchHead("amko/leading/b")).toBeNull();
      });

      it("succeeds when the ref already is at its target", async () => {
        const first = await seed();
        const second = await publish(world.open(), first, { "README.md": "2" });
        await world.setBranch("amko/applied/a", second);
        const repository = world.open();
        await repository.moveRef({ ref: "applied/a", expected: second, target: second }, signal);
        await repository.moveRef({ ref: "applied/a", expected: first, target: second }, signal);
        await repository.moveRef({ ref: "applied/gone", expected: null, target: null }, signal);
        await repository.moveRef({ ref: "applied/gone", expected: first, target: null }, signal);
        expect(await world.branchHead("amko/applied/a")).toBe(second);
      });
    });

    describe("writeOrphan", () => {
      it("points a ref to a commit without parents that holds the files", async () => {
        await seed();
        const repository = world.open();
        const files = [
          { path: "status.yaml", bytes: bytes("reason: x\n") },
          { path: "federation/gslbconfig/gc.yaml", bytes: bytes("a: 1\n") },
        ];
        const orphan = { ref: "failed/cluster1", expected: null, files, message: "Why\n", author };
        const commit = await repository.writeOrphan(orphan, signal);
        expect(await world.branchHead("amko/failed/cluster1")).toBe(commit);
        expect(await world.parentsOf(commit)).toEqual([]);
        const read = await world.open().readFiles(commit, signal);
        expect(read.map(({ path, bytes: content }) => [path, textOf(content)])).toEqual([
          ["federation/gslbconfig/gc.yaml", "a: 1\n"],
          ["status.yaml", "reason: x\n"],
        ]);
      });

      it("replaces only what was expected", async () => {
        await seed();
        const repository = world.open();
        const orphan = (text: string, expected: CommitId | null) =>
          repository.writeOrphan(
            { ref: "leading/a", expected, files: [{ path: "claim", bytes: bytes(text) }], message: text, author },
            signal,
          );
        const first = await orphan("one", null);
        await expect(orphan("two", null)).rejects.toMatchObject({ code: "AG2011" });
        expect(await world.branchHead("amko/leading/a")).toBe(first);
        const second = await orphan("two", first);
        expect(await world.branchHead("amko/leading/a")).toBe(second);
      });

      it("works in a repository without any commit", async () => {
        const orphan = { ref: "identity/a", expected: null, files: [], message: "I\n", author };
        const commit = await world.open().writeOrphan(orphan, signal);
        expect(await world.branchHead("amko/identity/a")).toBe(commit);
      });
    });

    describe("relation", () => {
      it("tells same, ancestor and unrelated", async () => {
        const first = await seed();
        const second = await publish(world.open(), first, { "README.md": "2" });
        const stranger = await world.commit({ files: { x: "y" } });
        await world.setBranch("stranger", stranger);
        const repository = world.open();
        expect(await repository.relation(first, first, signal)).toBe("same");
        expect(await repository.relation(first, second, signal)).toBe("ancestor");
        expect(await repository.relation(second, first, signal)).toBe("unrelated");
        expect(await repository.relation(stranger, second, signal)).toBe("unrelated");
      });

      it("finds an ancestor far below what is here, from a fresh start", async () => {
        const first = await seed();
        const chain = await world.chain("main", { count: 400, from: first });
        const head = chain.at(-1) ?? first;
        expect(await world.open().relation(first, head, signal)).toBe("ancestor");
        expect(await world.open().relation(chain[200] ?? first, head, signal)).toBe("ancestor");
      });

      it("calls a branch rewritten only when the old commit is not in its past", async () => {
        const first = await seed();
        const old = (await world.chain("main", { count: 20, from: first })).at(-1) ?? first;
        const repository = world.open();
        await repository.read(old, signal);
        await world.setBranch("main", first);
        const rewritten = (await world.chain("rewritten", { count: 30, from: first })).at(-1) ?? first;
        await world.setBranch("main", rewritten);
        expect(await repository.relation(old, rewritten, signal)).toBe("unrelated");
        expect(await repository.relation(old, first, signal)).toBe("unrelated");
        expect(await repository.relation(first, rewritten, signal)).toBe("ancestor");
      });

      it("calls a commit unrelated that the remote does not have", async () => {
        const head = await seed();
        const gone = "00000000000000000000000000000000000000aa" as CommitId;
        expect(await world.open().relation(gone, head, signal)).toBe("unrelated");
        expect(await world.open().relation(head, gone, signal)).toBe("unrelated");
      });

      it("follows every parent of a merge", async () => {
        const first = await seed();
        const left = await world.commit({ files: SEED, parents: [first], message: "left" });
        const right = await world.commit({ files: SEED, parents: [first], message: "right" });
        const merge = await world.commit({ files: SEED, parents: [left, right], message: "merge" });
        await world.setBranch("main", merge);
        const repository = world.open();
        expect(await repository.relation(right, merge, signal)).toBe("ancestor");
        expect(await repository.relation(left, right, signal)).toBe("unrelated");
      });
    });

    describe("history", () => {
      const idsOf = async (repository: Repository, from: CommitId, until: CommitId | null, limit = 1000) => {
        const ids: CommitId[] = [];
        for await (const { commit } of repository.history({ from, until }, limit, signal)) ids.push(commit);
        return ids;
      };

      it("reads newest first down to, and without, the end of the range", async () => {
        const first = await seed();
        const chain = await world.chain("main", { count: 10, from: first });
        const [head, middle] = [chain[9] ?? first, chain[4] ?? first];
        expect(await idsOf(world.open(), head, middle)).toEqual(chain.slice(5).reverse());
        expect(await idsOf(world.open(), head, null)).toEqual([...chain].reverse().concat(first));
        expect(await idsOf(world.open(), head, head)).toEqual([]);
      });

      it("stops at the limit", async () => {
        const chain = await world.chain("main", { count: 300 });
        const head = chain[299] as CommitId;
        expect(await idsOf(world.open(), head, null, 3)).toEqual(chain.slice(297).reverse());
        expect(await idsOf(world.open(), head, null, 0)).toEqual([]);
      });

      it("deepens as far as it needs and reads every revision's files", async () => {
        const chain = await world.chain("main", { count: 500 });
        const texts: (string | null)[] = [];
        const repository = world.open();
        for await (const { files } of repository.history(
          { from: chain[499] as CommitId, until: chain[0] as CommitId },
          1000,
          signal,
        )) {
          texts.push(textOf(files[0]?.bytes));
        }
        expect(texts).toHaveLength(499);
        expect(texts[0]).toBe("value: main-499\n");
        expect(texts[498]).toBe("value: main-1\n");
      });

      it("puts each commit before its parents, whatever the dates say", async () => {
        const root = await world.commit({ files: SEED, atSeconds: 2_000 });
        const left = await world.commit({ files: SEED, parents: [root], message: "left", atSeconds: 1_000 });
        const right = await world.commit({ files: SEED, parents: [root], message: "right", atSeconds: 3_000 });
        const above = await world.commit({ files: SEED, parents: [left], message: "above left", atSeconds: 10 });
        const merge = await world.commit({ files: SEED, parents: [above, right], message: "merge", atSeconds: 5 });
        await world.setBranch("main", merge);
        expect(await idsOf(world.open(), merge, null)).toEqual([merge, right, above, left, root]);
      });

      it("leaves out everything that the end of the range is made of, also beside it", async () => {
        const first = await seed();
        const trunk = await world.chain("main", { count: 100, from: first });
        const fork = trunk[40] as CommitId;
        const seen = trunk[99] as CommitId;
        const side = await world.commit({ files: SEED, parents: [fork], message: "side" });
        const merge = await world.commit({ files: SEED, parents: [seen, side], message: "merge" });
        await world.setBranch("main", merge);
        expect(new Set(await idsOf(world.open(), merge, seen))).toEqual(new Set([merge, side]));
        const repository = world.open();
        await repository.read(seen, signal);
        expect((await idsOf(repository, merge, seen))[0]).toBe(merge);
        expect(await idsOf(repository, merge, seen)).toHaveLength(2);
      });

      it("does not take the past of the range's end for news when that end is a merge itself", async () => {
        const first = await seed();
        const side = await world.chain("side", { count: 5, from: first });
        const left = await world.commit({ files: SEED, parents: [first], message: "left" });
        const seen = await world.commit({ files: SEED, parents: [left, side[4] as CommitId], message: "merge" });
        const late = await world.commit({ files: SEED, parents: [side[2] as CommitId], message: "late" });
        const head = await world.commit({ files: SEED, parents: [seen, late], message: "again" });
        await world.setBranch("main", head);
        expect(new Set(await idsOf(world.open(), head, seen))).toEqual(new Set([head, late]));
      });

      it("fails with AG2012 when the end of the range is not in its past", async () => {
        const first = await seed();
        const other = await world.commit({ files: SEED, message: "other" });
        await world.setBranch("other", other);
        await expect(idsOf(world.open(), first, other)).rejects.toMatchObject({ code: "AG2012" });
        await expect(
          idsOf(world.open(), first, "00000000000000000000000000000000000000aa" as CommitId),
        ).rejects.toMatchObject({ code: "AG2012" });
      });
    });
  });
}
