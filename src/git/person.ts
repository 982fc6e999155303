import { execFile } from "node:child_process";
import { hostname, userInfo } from "node:os";
import { promisify } from "node:util";
import type { CommitAuthor } from "../ports.ts";

/** Whom git would name as the author of a commit made in the folder; without git's word the user of this machine. */
export async function readPerson(directory: string): Promise<Pick<CommitAuthor, "name" | "email">> {
  const user = userName();
  return (await identity(directory)) ?? { name: user, email: `${user}@${hostname()}` };
}

/** By git's own rules: its environment, then its configuration. Null where git is not here, or does not know. */
async function identity(directory: string): Promise<Pick<CommitAuthor, "name" | "email"> | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["-C", directory, "var", "GIT_AUTHOR_IDENT"]);
    const [, name = "", email = ""] = /^(.*) <(.*)> \d+ [+-]\d+\s*$/.exec(stdout) ?? [];
    return name === "" || email === "" ? null : { name, email };
  } catch {
    // Whatever the cause: the name of the user will do.
    return null;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that no password file knows.
    return "unknown";
  }
}
