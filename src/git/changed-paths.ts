import type { CommitId } from "../core/model.ts";
import type { GitProgram } from "./git-program.ts";

/** What git calls a tree without files. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** Every path that differs between two commits, whatever stands there; a rename counts as both of its names. */
export async function readChangedPaths(
  git: GitProgram,
  { from, to }: { readonly from: CommitId | null; readonly to: CommitId },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const trees = [from ?? EMPTY_TREE, to];
  const listed = await git.ask(["diff-tree", "-r", "--name-only", "--no-renames", "-z", ...trees], { signal });
  return listed.split("\0").filter((path) => path !== "");
}
