import { resolve } from "node:path";
import { parseAuthor } from "../config.ts";
import type { CommitAuthor } from "../ports.ts";
import { type Given, wrongFlag } from "./given.ts";
import type { House } from "./house.ts";
import { OUTPUT_OPTION } from "./output.ts";
import type { Shell } from "./shell.ts";
import { type OptionDescription, option } from "./verb.ts";

/** The flags of every verb that writes a commit. */
export const COMMIT_OPTIONS: readonly OptionDescription[] = [
  option("reason", "text", null, "why, for the commit's message; asked for at a terminal"),
  option("propose", null, null, "push it to a branch to be reviewed, not to the tracked branch"),
  option("yes", null, null, "do not ask before pushing"),
  option("dry-run", null, null, "show what would be committed, and stop"),
  option("author", "name <email>", null, "author of the commit (default: as git is configured here)"),
  OUTPUT_OPTION,
];

/** Who makes the commit, and when. @throws FederationError AG4002 */
export async function readAuthor(given: Given, shell: Shell, house: House): Promise<CommitAuthor> {
  const atSeconds = Math.floor(shell.nowMs() / 1000);
  const text = given.text("author");
  if (text === null) return { ...(await house.readPerson(directoryOf(given, shell))), atSeconds };
  const author = parseAuthor(text);
  if (author === null) throw wrongFlag("author", text, "no author", 'Write "Name <email>".');
  return { ...author, atSeconds };
}

/** A clone may have an author of its own. */
function directoryOf(given: Given, { directory }: Shell): string {
  const location = given.text("repo") ?? ".";
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(location) ? directory : resolve(directory, location);
}
