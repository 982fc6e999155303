import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { git, temporaryFolder, writeFiles } from "../support/git.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  root = folder.path;
});
afterEach(() => folder[Symbol.asyncDispose]());

describe("a bare repository", () => {
  it("starts with one commit of the plain folder", async () => {
    const seedFrom = join(root, "seed");
    await writeFiles(seedFrom, { "README.md": "read me\n", "clusters/a/b.yaml": "a: 1\n", ".github/x": "" });
    const repository = await createBareRepository(root, "federation.git", { seedFrom, message: "Begin" });
    expect(await git(repository, ["log", "--format=%an <%ae> %s", "main"])).toBe(
      "amko-gitops <amko-gitops@localhost> Begin",
    );
    expect(await git(repository, ["ls-tree", "-r", "--name-only", "main"])).toBe(
      ".github/x\nREADME.md\nclusters/a/b.yaml",
    );
    expect(await git(repository, ["symbolic-ref", "HEAD"])).toBe("refs/heads/main");
    await git(repository, ["fsck", "--strict"]);
  });

  it("can be empty, with a branch of another name", async () => {
    const repository = await createBareRepository(root, "empty.git", { branch: "trunk" });
    expect(await git(repository, ["for-each-ref"])).toBe("");
    expect(await git(repository, ["symbolic-ref", "HEAD"])).toBe("refs/heads/trunk");
  });
});
