import type { ClusterName } from "./model.ts";

/** So that an encoded name, and a lock file beside it, fit one path segment on every file system (255 bytes). */
export const ENCODED_NAME_MAX_BYTES = 200;

/**
 * A context name as people write it, or null where it can be no cluster's name: empty, with control characters, no
 * well-formed Unicode (it would not survive UTF-8), or longer than {@link ENCODED_NAME_MAX_BYTES} once encoded.
 */
export function parseClusterName(text: string): ClusterName | null {
  if (text === "" || text.length > ENCODED_NAME_MAX_BYTES || !text.isWellFormed() || /\p{Cc}/u.test(text)) return null;
  return encode(text).length <= ENCODED_NAME_MAX_BYTES ? (text as ClusterName) : null;
}

/** The name as one path segment that is also one segment of a git ref: `kubernetes-admin%40prod`. ASCII only. */
export function encodeClusterName(name: ClusterName): string {
  return encode(name);
}

/** The inverse of {@link encodeClusterName}: null for every other spelling of a name, so that none has two folders. */
export function decodeClusterName(segment: string): ClusterName | null {
  if (segment.length > ENCODED_NAME_MAX_BYTES) return null;
  const text = decodePercent(segment);
  const name = text === null ? null : parseClusterName(text);
  return name !== null && encode(name) === segment ? name : null;
}

/** How the folder of `segment` would have to be spelled, to tell people; null where it names no cluster in any way. */
export function canonicalSegment(segment: string): string | null {
  const name = parseClusterName(decodePercent(segment) ?? segment);
  return name === null ? null : encode(name);
}

function encode(text: string): string {
  return text.replace(UNSAFE, percent).replace(REFUSED_DOT, "%2E");
}

const UNSAFE = /[^A-Za-z0-9._-]/gu;

/** The dots that `git check-ref-format` refuses: the first, the last, two in a row, and that of `.lock` at the end. */
const REFUSED_DOT = /^\.|\.$|(?<=\.)\.|\.(?=\.)|\.(?=lock$)/g;

const utf8 = new TextEncoder();

function percent(character: string): string {
  return Array.from(utf8.encode(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** `a b` for `a%20b`; null where a `%` begins no UTF-8 character. */
export function decodePercent(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    // The only error there is: a `%` that begins no UTF-8 sequence.
    return null;
  }
}
