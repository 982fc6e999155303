import type { CommitId, ObjectId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import type { CommitAuthor } from "../ports.ts";

export interface Commit {
  readonly tree: ObjectId;
  readonly parents: readonly CommitId[];
  /** `Name <email>`. */
  readonly author: string;
  readonly committedAtSeconds: number;
  readonly message: string;
}

/** @throws FederationError AG2008 */
export function parseCommit(bytes: Uint8Array): Commit {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const end = text.indexOf("\n\n");
  // A line that starts with a space continues the one before: signatures, which nobody here reads.
  const headers = (end < 0 ? text : text.slice(0, end)).split("\n").filter((line) => !line.startsWith(" "));
  const valuesOf = (name: string): readonly string[] =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const tree = valuesOf("tree")[0];
  const parents = valuesOf("parent");
  if (tree === undefined || ![tree, ...parents].every((id) => /^[0-9a-f]{40}$/.test(id))) {
    throw new FederationError("AG2008", "the repository holds a malformed commit");
  }
  return {
    tree: tree as ObjectId,
    parents: parents as readonly CommitId[],
    author: parsePerson(valuesOf("author")[0] ?? "").person,
    committedAtSeconds: parsePerson(valuesOf("committer")[0] ?? "").atSeconds,
    message: end < 0 ? "" : text.slice(end + 2),
  };
}

export function formatCommit(commit: {
  readonly tree: ObjectId;
  readonly parents: readonly CommitId[];
  readonly author: CommitAuthor;
  readonly message: string;
}): Uint8Array {
  const person = formatPerson(commit.author);
  const lines = [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${person}`,
    `committer ${person}`,
  ];
  // A NUL ends the message for half of git's programs; a missing line feed at the end looks like a cut one.
  const message = commit.message.replaceAll("\0", "").replace(/\n*$/, "\n");
  return Buffer.from(`${lines.join("\n")}\n\n${message}`, "utf8");
}

function parsePerson(text: string): { readonly person: string; readonly atSeconds: number } {
  const match = /^(.*>)? ?(-?\d{1,15}) [+-]\d{4}$/.exec(text);
  return match === null
    ? { person: text, atSeconds: 0 }
    : { person: match[1] ?? "", atSeconds: Number.parseInt(match[2] ?? "0", 10) };
}

/** Always in UTC: where an agent runs is nobody's business. */
function formatPerson({ name, email, atSeconds }: CommitAuthor): string {
  return `${cleanIdentity(name) || "unknown"} <${cleanIdentity(email)}> ${Math.max(0, Math.floor(atSeconds))} +0000`;
}

/** What git itself takes out of a name: brackets, control characters, and punctuation at both ends. */
function cleanIdentity(text: string): string {
  return text.replace(/[<>\p{Cc}]/gu, "").replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, "");
}
