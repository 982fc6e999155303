import { describe, expect, it } from "vitest";
import { type CommitId, FILE_SIZE_MAX_BYTES } from "../../src/core/model.ts";
import type { Repository } from "../../src/ports.ts";
import { pathsOf, publish, type RepositoryWorld, SEED, seed, signal, textOf } from "./repository-world.ts";

/** What a repository says of the remote. */
export function readingContract(world: () => RepositoryWorld): void {
  describe("list", () => {
    it("gives no head while the repository is empty", async () => {
      expect(await world().open().list("branch", signal)).toEqual({ head: null, refs: null });
      expect(await world().open().list("all", signal)).toEqual({ head: null, refs: new Map() });
    });

    it("gives no head while only other branches exist", async () => {
      await world().setBranch("feature", await world().commit({ files: SEED }));
      expect(await world().open().list("branch", signal)).toEqual({ head: null, refs: null });
    });

    it("takes no branch for the tracked one whose name only starts like it", async () => {
      const other = await world().commit({ files: SEED, message: "another" });
      for (const branch of ["main2", "main-old", "amko2/applied/x", "amkoapplied"])
        await world().setBranch(branch, other);
      expect(await world().open().list("all", signal)).toEqual({ head: null, refs: new Map() });
      const head = await seed(world());
      expect(await world().open().list("all", signal)).toEqual({ head, refs: new Map() });
    });

    it("names the refs below the prefix without it", async () => {
      const head = await seed(world());
      await world().setBranch("amko/applied/cluster1", head);
      await world().setBranch("amko/propose/arn%3Aaws/version", head);
      const { refs } = await world().open().list("all", signal);
      expect(refs).toEqual(
        new Map([
          ["applied/cluster1", head],
          ["propose/arn%3Aaws/version", head],
        ]),
      );
    });

    it("sees what another repository just published", async () => {
      const reader = world().open();
      const head = await seed(world());
      await reader.list("all", signal);
      const next = await publish(world().open(), head, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
      expect((await reader.list("branch", signal)).head).toBe(next);
    });
  });

  describe("read", () => {
    it("gives the files that matter, and the commit's data", async () => {
      const parent = await seed(world());
      const commit = await world().commit({
        files: SEED,
        parents: [parent],
        message: "Say why",
        atSeconds: 1_712_345_678,
      });
      await world().setBranch("main", commit);
      const revision = await world().open().read(commit, signal);
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
      const commit = await world().commit({
        files: {
          ...SEED,
          "other/x/y.yaml": "1",
          "clusters/cluster1/deep/er.yaml": "1",
          "federation/a/b/c.yaml": "1",
        },
      });
      await world().setBranch("main", commit);
      expect(pathsOf(await world().open().read(commit, signal))).toHaveLength(3);
    });

    it("tells symlinks and submodules as what they are and reads neither", async () => {
      const id = "0123456789012345678901234567890123456789";
      const commit = await world().commit({
        files: {
          "clusters/cluster1/amkocluster.yaml": { symlink: "/etc/passwd" },
          "clusters/cluster2": { symlink: "cluster1" },
          "clusters/cluster3": { submodule: id },
          "clusters/stray.yaml": "1",
          "federation/gslbconfig": { submodule: id },
          "federation/globaldeploymentpolicy/run.yaml": { mode: "100755", text: "x" },
        },
      });
      await world().setBranch("main", commit);
      const { files } = await world().open().read(commit, signal);
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
      const commit = await world().commit({ files: { clusters: { symlink: "elsewhere" }, federation: "a file" } });
      await world().setBranch("main", commit);
      const { files } = await world().open().read(commit, signal);
      expect(files.map(({ path, type }) => [path, type])).toEqual([
        ["clusters", "symlink"],
        ["federation", "file"],
      ]);
    });

    it("knows the size of a file that is too large, without its content", async () => {
      const commit = await world().commit({
        files: {
          "federation/gslbconfig/fits.yaml": "x".repeat(FILE_SIZE_MAX_BYTES),
          "federation/gslbconfig/large.yaml": "x".repeat(FILE_SIZE_MAX_BYTES + 1),
        },
      });
      await world().setBranch("main", commit);
      const { files } = await world().open().read(commit, signal);
      expect(files.map(({ size, bytes: content }) => [size, content?.length ?? null])).toEqual([
        [FILE_SIZE_MAX_BYTES, FILE_SIZE_MAX_BYTES],
        [FILE_SIZE_MAX_BYTES + 1, null],
      ]);
    });

    it("hands LFS pointers and bytes that are no text through as they are", async () => {
      const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
      const commit = await world().commit({ files: { "federation/gslbconfig/gc.yaml": pointer } });
      await world().setBranch("main", commit);
      expect(textOf((await world().open().read(commit, signal)).files[0]?.bytes)).toBe(pointer);
    });

    it("reads a folder of the repository as if it were the root", async () => {
      const files = Object.fromEntries(Object.entries(SEED).map(([path, text]) => [`teams/glb/${path}`, text]));
      const commit = await world().commit({ files: { ...files, "clusters/other/x.yaml": "not ours" } });
      await world().setBranch("main", commit);
      expect(pathsOf(await world().open({ path: "teams/glb" }).read(commit, signal))).toEqual([
        "clusters/cluster1/amkocluster.yaml",
        "clusters/cluster2/amkocluster.yaml",
        "federation/gslbconfig/gc.yaml",
      ]);
    });

    it("says with a null tree that the folder is not there", async () => {
      const commit = await world().commit({ files: { ...SEED, "a/file": "1" } });
      await world().setBranch("main", commit);
      for (const path of ["teams/glb", "a/file", "README.md"]) {
        expect(await world().open({ path }).read(commit, signal)).toMatchObject({ tree: null, files: [] });
      }
    });

    it("gives two revisions that differ only outside the folder the same tree", async () => {
      const first = await world().commit({ files: { "glb/clusters/a/b.yaml": "1", other: "1" } });
      const second = await world().commit({ files: { "glb/clusters/a/b.yaml": "1", other: "2" }, parents: [first] });
      await world().setBranch("main", second);
      const repository = world().open({ path: "glb" });
      const trees = await Promise.all([first, second].map(async (id) => (await repository.read(id, signal)).tree));
      expect(trees[0]).toBe(trees[1]);
    });

    it("reads an older revision than the ones before, and several at once", async () => {
      await seed(world());
      const chain = await world().chain("main", { count: 30, from: await world().branchHead("main") });
      const repository = world().open();
      const ids = [chain[29], chain[3], chain[15], chain[0]].filter((id) => id !== undefined);
      const revisions = await Promise.all(ids.map((id) => repository.read(id, signal)));
      expect(revisions.map(({ commit }) => commit)).toEqual(ids);
    });

    it("fails with AG2012 for a commit that the remote does not have", async () => {
      await seed(world());
      const unknown = "00000000000000000000000000000000000000aa" as CommitId;
      await expect(world().open().read(unknown, signal)).rejects.toMatchObject({ code: "AG2012" });
    });
  });

  describe("relation", () => {
    it("tells same, ancestor and unrelated", async () => {
      const first = await seed(world());
      const second = await publish(world().open(), first, { "README.md": "2" });
      const stranger = await world().commit({ files: { x: "y" } });
      await world().setBranch("stranger", stranger);
      const repository = world().open();
      expect(await repository.relation(first, first, signal)).toBe("same");
      expect(await repository.relation(first, second, signal)).toBe("ancestor");
      expect(await repository.relation(second, first, signal)).toBe("unrelated");
      expect(await repository.relation(stranger, second, signal)).toBe("unrelated");
    });

    it("finds an ancestor far below what is here, from a fresh start", async () => {
      const first = await seed(world());
      const chain = await world().chain("main", { count: 400, from: first });
      const head = chain.at(-1) ?? first;
      expect(await world().open().relation(first, head, signal)).toBe("ancestor");
      expect(
        await world()
          .open()
          .relation(chain[200] ?? first, head, signal),
      ).toBe("ancestor");
    });

    it("calls a branch rewritten only when the old commit is not in its past", async () => {
      const first = await seed(world());
      const old = (await world().chain("main", { count: 20, from: first })).at(-1) ?? first;
      const repository = world().open();
      await repository.read(old, signal);
      await world().setBranch("main", first);
      const rewritten = (await world().chain("rewritten", { count: 30, from: first })).at(-1) ?? first;
      await world().setBranch("main", rewritten);
      expect(await repository.relation(old, rewritten, signal)).toBe("unrelated");
      expect(await repository.relation(old, first, signal)).toBe("unrelated");
      expect(await repository.relation(first, rewritten, signal)).toBe("ancestor");
    });

    it("calls a commit unrelated that the remote does not have", async () => {
      const head = await seed(world());
      const gone = "00000000000000000000000000000000000000aa" as CommitId;
      expect(await world().open().relation(gone, head, signal)).toBe("unrelated");
      expect(await world().open().relation(head, gone, signal)).toBe("unrelated");
    });

    it("follows every parent of a merge", async () => {
      const first = await seed(world());
      const left = await world().commit({ files: SEED, parents: [first], message: "left" });
      const right = await world().commit({ files: SEED, parents: [first], message: "right" });
      const merge = await world().commit({ files: SEED, parents: [left, right], message: "merge" });
      await world().setBranch("main", merge);
      const repository = world().open();
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
      const first = await seed(world());
      const chain = await world().chain("main", { count: 10, from: first });
      const [head, middle] = [chain[9] ?? first, chain[4] ?? first];
      expect(await idsOf(world().open(), head, middle)).toEqual(chain.slice(5).reverse());
      expect(await idsOf(world().open(), head, null)).toEqual([...chain].reverse().concat(first));
      expect(await idsOf(world().open(), head, head)).toEqual([]);
    });

    it("stops at the limit", async () => {
      const chain = await world().chain("main", { count: 300 });
      const head = chain[299] as CommitId;
      expect(await idsOf(world().open(), head, null, 3)).toEqual(chain.slice(297).reverse());
      expect(await idsOf(world().open(), head, null, 0)).toEqual([]);
    });

    it("deepens as far as it needs and reads every revision's files", async () => {
      const chain = await world().chain("main", { count: 500 });
      const texts: (string | null)[] = [];
      const repository = world().open();
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
      const root = await world().commit({ files: SEED, atSeconds: 2_000 });
      const left = await world().commit({ files: SEED, parents: [root], message: "left", atSeconds: 1_000 });
      const right = await world().commit({ files: SEED, parents: [root], message: "right", atSeconds: 3_000 });
      const above = await world().commit({ files: SEED, parents: [left], message: "above left", atSeconds: 10 });
      const merge = await world().commit({ files: SEED, parents: [above, right], message: "merge", atSeconds: 5 });
      await world().setBranch("main", merge);
      expect(await idsOf(world().open(), merge, null)).toEqual([merge, right, above, left, root]);
    });

    it("leaves out everything that the end of the range is made of, also beside it", async () => {
      const first = await seed(world());
      const trunk = await world().chain("main", { count: 100, from: first });
      const fork = trunk[40] as CommitId;
      const seen = trunk[99] as CommitId;
      const side = await world().commit({ files: SEED, parents: [fork], message: "side" });
      const merge = await world().commit({ files: SEED, parents: [seen, side], message: "merge" });
      await world().setBranch("main", merge);
      expect(new Set(await idsOf(world().open(), merge, seen))).toEqual(new Set([merge, side]));
      const repository = world().open();
      await repository.read(seen, signal);
      expect((await idsOf(repository, merge, seen))[0]).toBe(merge);
      expect(await idsOf(repository, merge, seen)).toHaveLength(2);
    });

    it("does not take the past of the range's end for news when that end is a merge itself", async () => {
      const first = await seed(world());
      const side = await world().chain("side", { count: 5, from: first });
      const left = await world().commit({ files: SEED, parents: [first], message: "left" });
      const seen = await world().commit({ files: SEED, parents: [left, side[4] as CommitId], message: "merge" });
      const late = await world().commit({ files: SEED, parents: [side[2] as CommitId], message: "late" });
      const head = await world().commit({ files: SEED, parents: [seen, late], message: "again" });
      await world().setBranch("main", head);
      expect(new Set(await idsOf(world().open(), head, seen))).toEqual(new Set([head, late]));
    });

    it("fails with AG2012 when the end of the range is not in its past", async () => {
      const first = await seed(world());
      const other = await world().commit({ files: SEED, message: "other" });
      await world().setBranch("other", other);
      await expect(idsOf(world().open(), first, other)).rejects.toMatchObject({ code: "AG2012" });
      await expect(
        idsOf(world().open(), first, "00000000000000000000000000000000000000aa" as CommitId),
      ).rejects.toMatchObject({ code: "AG2012" });
    });
  });
}
