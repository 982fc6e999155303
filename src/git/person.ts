import { execFile } from "node:child_process";
import { hostname, userInfo } from "node:os";
import { promisify } from "node:util";
import type { CommitAuthor } from "../ports.ts";

/** Whom git would name as the author of a commit made in the folder; without git's word the user of this machine. */
export async function readPerson(directory: string): Promise<Pick<CommitAuthor, "name" | "email">> {
  const [name, email] = await Promise.all(["user.name", "user.email"].map((key) => gitSetting(directory, key)));
  const user = userName();
  return { name: name ?? user, email: email ?? `${user}@${hostname()}` };
}

/** Null where git is not here, the folder is none, or nobody set it. */
async function gitSetting(directory: string, key: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)("git", ["-C", directory, "config", "--get", key]);
    return stdout.trim() === "" ? null : stdout.trim();
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
