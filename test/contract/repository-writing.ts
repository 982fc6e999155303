import { describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import type { Repository } from "../../src/ports.ts";
import { author, bytes, publish, type RepositoryWorld, SEED, seed, signal, textOf } from "./repository-world.ts";

/** What a repository does to the remote. */
export function writingContract(world: () => RepositoryWorld): void {
  describe("publish", () => {
    it("puts one commit on top of the branch and leaves every other file alone", async () => {
      const files = {
        ...SEED,
        "bin/tool.sh": { mode: "100755", text: "#!/bin/sh\n" },
        link: { symlink: "README.md" },
        "größe/ü.txt": "umlauts",
      } as const;
      const parent = await world().commit({ files });
      await world().setBranch("main", parent);
      const commit = await publish(world().open(), parent, {
        "federation/gslbconfig/gc.yaml": "a: 2\n",
        "federation/globaldeploymentpolicy/gdp.yaml": "b: 1\n",
      });
      expect(await world().branchHead("main")).toBe(commit);
      expect(await world().parentsOf(commit)).toEqual([parent]);
      const [before, after] = [await world().treeOf(parent), await world().treeOf(commit)];
      expect(Object.keys(after).length).toBe(Object.keys(before).length + 1);
      const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
      expect(changed.sort()).toEqual(["federation/globaldeploymentpolicy/gdp.yaml", "federation/gslbconfig/gc.yaml"]);
    });

    it("keeps an executable file executable", async () => {
      const parent = await world().commit({ files: { "clusters/a/x.yaml": { mode: "100755", text: "1" } } });
      await world().setBranch("main", parent);
      const commit = await publish(world().open(), parent, { "clusters/a/x.yaml": "2" });
      expect((await world().treeOf(commit))["clusters/a/x.yaml"]).toMatch(/^100755 /);
    });

    it("removes a file, and the folder that became empty with it", async () => {
      const parent = await seed(world());
      const commit = await publish(world().open(), parent, {
        "federation/gslbconfig/gc.yaml": null,
        "clusters/nobody/x.yaml": null,
      });
      expect(Object.keys(await world().treeOf(commit)).sort()).toEqual([
        "README.md",
        "clusters/cluster1/amkocluster.yaml",
        "clusters/cluster2/amkocluster.yaml",
      ]);
    });

    it("can remove the last file of the repository", async () => {
      const parent = await world().commit({ files: { "clusters/a/x.yaml": "1" } });
      await world().setBranch("main", parent);
      const commit = await publish(world().open(), parent, { "clusters/a/x.yaml": null });
      expect(await world().treeOf(commit)).toEqual({});
      expect((await world().open().read(commit, signal)).files).toEqual([]);
    });

    it("writes below the federation's folder only", async () => {
      const parent = await seed(world());
      const commit = await publish(world().open({ path: "teams/glb" }), parent, {
        "federation/gslbconfig/x.yaml": "1",
      });
      const [before, after] = [await world().treeOf(parent), await world().treeOf(commit)];
      const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
      expect(changed).toEqual(["teams/glb/federation/gslbconfig/x.yaml"]);
    });

    it("refuses to replace a folder by a file or to write through a symlink", async () => {
      const parent = await world().commit({ files: { ...SEED, "clusters/link": { symlink: "cluster1" } } });
      await world().setBranch("main", parent);
      const repository = world().open();
      for (const path of ["clusters/cluster1", "clusters/link/x.yaml", "README.md/x.yaml"]) {
        await expect(publish(repository, parent, { [path]: "1" })).rejects.toMatchObject({ code: "AG1001" });
      }
      expect(await world().branchHead("main")).toBe(parent);
    });

    it("refuses paths that leave the folder or name git's own", async () => {
      const parent = await seed(world());
      const repository = world().open({ path: "glb" });
      for (const path of ["../x", "/x", "a//b", "a/./b", ".git/config", "a/.GIT/b", "", "a\0b", "a\\b"]) {
        await expect(publish(repository, parent, { [path]: "1" })).rejects.toMatchObject({ code: "AG9001" });
      }
    });

    it("reads back its own commit", async () => {
      const parent = await seed(world());
      const repository = world().open();
      const commit = await publish(repository, parent, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
      const revision = await repository.read(commit, signal);
      expect(textOf(revision.files.find(({ path }) => path.startsWith("federation/"))?.bytes)).toBe("a: 2\n");
      expect(revision).toMatchObject({ author: "amko-gitops <amko-gitops@cluster1>", message: "A change\n" });
      expect(revision.committedAtSeconds).toBe(author.atSeconds);
    });

    it("lets exactly one of two win who start from the same revision", async () => {
      const parent = await seed(world());
      const results = await Promise.allSettled(
        ["one", "two"].map((text) => publish(world().open(), parent, { "federation/gslbconfig/gc.yaml": text })),
      );
      const winners = results.filter((result) => result.status === "fulfilled");
      const losers = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      expect(winners).toHaveLength(1);
      expect(losers).toMatchObject([{ code: "AG2003" }]);
      expect(await world().branchHead("main")).toBe(winners[0]?.value);
    });

    it("fails with AG2003 when the branch moved on, and changes nothing", async () => {
      const parent = await seed(world());
      const slow = world().open();
      await slow.read(parent, signal);
      const winner = await publish(world().open(), parent, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
      await expect(publish(slow, parent, { "README.md": "mine" })).rejects.toMatchObject({ code: "AG2003" });
      expect(await world().branchHead("main")).toBe(winner);
      const after = await publish(slow, winner, { "README.md": "mine" });
      expect(Object.keys(await world().treeOf(after))).toHaveLength(4);
      expect((await world().treeOf(after))["federation/gslbconfig/gc.yaml"]).toBe(
        (await world().treeOf(winner))["federation/gslbconfig/gc.yaml"],
      );
    });

    it("does not bring back a commit that a rewind dropped", async () => {
      const first = await seed(world());
      const repository = world().open();
      const dropped = await publish(repository, first, { "federation/gslbconfig/gc.yaml": "a: 2\n" });
      await world().setBranch("main", first);
      await expect(publish(repository, dropped, { "README.md": "on top" })).rejects.toMatchObject({ code: "AG2003" });
      expect(await world().branchHead("main")).toBe(first);
    });

    it("does not bring back a branch that was deleted", async () => {
      const parent = await seed(world());
      const repository = world().open();
      await repository.read(parent, signal);
      await world().setBranch("main", null);
      await expect(publish(repository, parent, { "README.md": "x" })).rejects.toMatchObject({ code: "AG2003" });
      expect(await world().branchHead("main")).toBeNull();
    });

    it("writes an author whose name would break a commit", async () => {
      const parent = await seed(world());
      const request = {
        parent,
        changes: [],
        message: "no newline\0",
        author: { ...author, name: "<\n>", email: "a>b\n" },
      };
      const commit = await world().open().publish(request, signal);
      expect((await world().open().read(commit, signal)).author).toBe("unknown <ab>");
    });
  });

  describe("start", () => {
    const start = (repository: Repository, text: string) =>
      repository.start(
        { changes: [{ path: "clusters/a/x.yaml", bytes: bytes(text) }], message: "Begin\n", author },
        signal,
      );

    it("makes the tracked branch with a commit that has no parents", async () => {
      const commit = await start(world().open(), "1");
      expect(await world().branchHead("main")).toBe(commit);
      expect(await world().parentsOf(commit)).toEqual([]);
      expect(Object.keys(await world().treeOf(commit))).toEqual(["clusters/a/x.yaml"]);
      expect((await world().open().list("branch", signal)).head).toBe(commit);
    });

    it("puts the files below the path, and leaves other branches alone", async () => {
      const other = await world().commit({ files: SEED });
      await world().setBranch("feature", other);
      const commit = await start(world().open({ path: "teams/glb" }), "1");
      expect(Object.keys(await world().treeOf(commit))).toEqual(["teams/glb/clusters/a/x.yaml"]);
      expect(await world().branchHead("feature")).toBe(other);
    });

    it("touches nothing where the branch exists", async () => {
      const head = await seed(world());
      await expect(start(world().open(), "1")).rejects.toMatchObject({ code: "AG2003" });
      expect(await world().branchHead("main")).toBe(head);
    });

    it("lets one of two that start at once win", async () => {
      const results = await Promise.allSettled(["1", "2"].map((text) => start(world().open(), text)));
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    });
  });

  describe("propose", () => {
    it("puts one commit on top of the branch onto a ref of its own, and replaces only what was expected", async () => {
      const parent = await seed(world());
      const repository = world().open();
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
      expect(await world().branchHead("amko/propose/cluster1/config")).toBe(first);
      expect(await world().parentsOf(first)).toEqual([parent]);
      expect(Object.keys(await world().treeOf(first))).toEqual(Object.keys(await world().treeOf(parent)));
      await expect(propose("a: 3\n", null)).rejects.toMatchObject({ code: "AG2011" });
      const second = await propose("a: 3\n", first);
      expect(await world().branchHead("amko/propose/cluster1/config")).toBe(second);
      expect(await world().branchHead("main")).toBe(parent);
    });
  });

  describe("moveRef", () => {
    it("creates, moves and deletes a ref, from exactly where it was", async () => {
      const first = await seed(world());
      const second = await publish(world().open(), first, { "README.md": "2" });
      const repository = world().open();
      await repository.moveRef({ ref: "applied/cluster1", expected: null, target: first }, signal);
      expect(await world().branchHead("amko/applied/cluster1")).toBe(first);
      await repository.moveRef({ ref: "applied/cluster1", expected: first, target: second }, signal);
      expect(await world().branchHead("amko/applied/cluster1")).toBe(second);
      await repository.moveRef({ ref: "applied/cluster1", expected: second, target: first }, signal);
      expect(await world().branchHead("amko/applied/cluster1")).toBe(first);
      await repository.moveRef({ ref: "applied/cluster1", expected: first, target: null }, signal);
      expect(await world().branchHead("amko/applied/cluster1")).toBeNull();
      expect(await world().branchHead("main")).toBe(second);
    });

    it("changes nothing and says AG2011 when the ref is elsewhere", async () => {
      const first = await seed(world());
      const second = await publish(world().open(), first, { "README.md": "2" });
      await world().setBranch("amko/leading/a", first);
      const repository = world().open();
      for (const move of [
        { expected: null, target: second },
        { expected: second, target: null },
        { expected: null, target: null },
        { expected: second, target: second },
      ]) {
        const moving = repository.moveRef({ ref: "leading/a", ...move }, signal);
        await expect(moving).rejects.toMatchObject({ code: "AG2011" });
        expect(await world().branchHead("amko/leading/a")).toBe(first);
      }
      const created = repository.moveRef({ ref: "leading/b", expected: first, target: second }, signal);
      await expect(created).rejects.toMatchObject({ code: "AG2011" });
      expect(await world().branchHead("amko/leading/b")).toBeNull();
    });

    it("succeeds when the ref already is at its target", async () => {
      const first = await seed(world());
      const second = await publish(world().open(), first, { "README.md": "2" });
      await world().setBranch("amko/applied/a", second);
      const repository = world().open();
      await repository.moveRef({ ref: "applied/a", expected: second, target: second }, signal);
      await repository.moveRef({ ref: "applied/a", expected: first, target: second }, signal);
      await repository.moveRef({ ref: "applied/gone", expected: null, target: null }, signal);
      await repository.moveRef({ ref: "applied/gone", expected: first, target: null }, signal);
      expect(await world().branchHead("amko/applied/a")).toBe(second);
    });
  });

  describe("writeOrphan", () => {
    it("points a ref to a commit without parents that holds the files", async () => {
      await seed(world());
      const repository = world().open();
      const files = [
        { path: "status.yaml", bytes: bytes("reason: x\n") },
        { path: "federation/gslbconfig/gc.yaml", bytes: bytes("a: 1\n") },
      ];
      const orphan = { ref: "failed/cluster1", expected: null, files, message: "Why\n", author };
      const commit = await repository.writeOrphan(orphan, signal);
      expect(await world().branchHead("amko/failed/cluster1")).toBe(commit);
      expect(await world().parentsOf(commit)).toEqual([]);
      const read = await world().open().readFiles(commit, signal);
      expect(read.map(({ path, bytes: content }) => [path, textOf(content)])).toEqual([
        ["federation/gslbconfig/gc.yaml", "a: 1\n"],
        ["status.yaml", "reason: x\n"],
      ]);
    });

    it("replaces only what was expected", async () => {
      await seed(world());
      const repository = world().open();
      const orphan = (text: string, expected: CommitId | null) =>
        repository.writeOrphan(
          { ref: "leading/a", expected, files: [{ path: "claim", bytes: bytes(text) }], message: text, author },
          signal,
        );
      const first = await orphan("one", null);
      await expect(orphan("two", null)).rejects.toMatchObject({ code: "AG2011" });
      expect(await world().branchHead("amko/leading/a")).toBe(first);
      const second = await orphan("two", first);
      expect(await world().branchHead("amko/leading/a")).toBe(second);
    });

    it("works in a repository without any commit", async () => {
      const orphan = { ref: "identity/a", expected: null, files: [], message: "I\n", author };
      const commit = await world().open().writeOrphan(orphan, signal);
      expect(await world().branchHead("amko/identity/a")).toBe(commit);
    });
  });
}
