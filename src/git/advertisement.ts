import type { CommitId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import { decodePackets, endsComplete, lineOf, type Packet } from "./pkt-line.ts";
import type { GitService } from "./transport.ts";

/**
 * What a server says of itself before anything else. A server, or a proxy that drops the Git-Protocol header, answers
 * with version 0 and all of its refs at once, instead of the bare capabilities of version 2.
 */
export type Advertisement =
  | { readonly version: 2; readonly capabilities: ReadonlyMap<string, string> }
  | {
      readonly version: 0;
      readonly capabilities: ReadonlyMap<string, string>;
      readonly refs: ReadonlyMap<string, CommitId>;
    };

/** A repository that is itself shallow says behind its refs where its history ends; whoever pushes on top need not know. */
const SHALLOW_LINE = /^shallow [0-9a-f]{40}$/;
/** Stands where a repository without refs has no ref to hang the capabilities on. */
const NO_REFS_NAME = "capabilities^{}";

/** @throws FederationError AG2008 */
export function parseAdvertisement(bytes: Uint8Array, service: GitService): Advertisement {
  const packets = decodePackets(bytes);
  if (!endsComplete(packets)) throw malformed("its greeting was cut off");
  const greeting = withoutServiceLine(packets, service);
  const [first, ...rest] = greeting.flatMap((packet) => (packet.kind === "data" ? [lineOf(packet.bytes)] : []));
  // Git before 2.41 says nothing at all of an empty repository, but it says so with a flush of its own.
  if (first === undefined && greeting.length === 0) throw malformed("its greeting was cut off");
  if (first === undefined) return { version: 0, capabilities: new Map(), refs: new Map() };
  const advertisement: Advertisement =
    first === "version 2" ? { version: 2, capabilities: parseCapabilities(rest) } : parseVersion0(first, rest);
  const format = advertisement.capabilities.get("object-format") ?? "sha1";
  if (format !== "sha1") throw malformed(`the repository's objects are named by ${format}, and only sha1 is supported`);
  return advertisement;
}

/** Bitbucket Server leaves the line out in version 2; everybody else starts with it and a flush. */
function withoutServiceLine(packets: readonly Packet[], service: GitService): readonly Packet[] {
  const [first, second] = packets;
  if (first?.kind !== "data") throw malformed("its greeting does not start with a line");
  const line = lineOf(first.bytes);
  if (line === "version 2") return packets;
  if (line !== `# service=${service}` || second?.kind !== "flush") throw malformed("its greeting names no git service");
  return packets.slice(2);
}

function parseVersion0(first: string, rest: readonly string[]): Advertisement {
  const [firstRef = "", capabilities = ""] = first.split("\0");
  const refs = new Map<string, CommitId>();
  for (const line of [firstRef, ...rest]) {
    if (SHALLOW_LINE.test(line)) continue;
    const { name, id } = parseRefLine(line);
    if (name !== NO_REFS_NAME && !name.endsWith("^{}")) refs.set(name, id);
  }
  return { version: 0, capabilities: parseCapabilities(capabilities.split(" ")), refs };
}

/** A ref as both versions write it: `<id> <name>`, in version 2 with attributes behind. */
export function parseRefLine(line: string): { readonly name: string; readonly id: CommitId } {
  const match = /^([0-9a-f]{40}) ([^ ]+)/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) throw malformed("a ref's line cannot be read");
  return { name: match[2], id: match[1] as CommitId };
}

function parseCapabilities(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words
      .filter((word) => word !== "")
      .map((word): [string, string] => {
        const split = word.indexOf("=");
        return split < 0 ? [word, ""] : [word.slice(0, split), word.slice(split + 1)];
      }),
  );
}

function malformed(what: string): FederationError {
  return new FederationError("AG2008", `the git server's answer is incomplete or no git: ${what}`);
}
