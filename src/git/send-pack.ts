import type { CommitId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import { decodePackets, encodePacket, endsComplete, FLUSH, lineOf, type Packet } from "./pkt-line.ts";
import { separateChannels } from "./sideband.ts";

/** One ref, from exactly `expected` to `target`; null is "does not exist". */
export interface RefCommand {
  /** In full: `refs/heads/…`. */
  readonly ref: string;
  readonly expected: CommitId | null;
  readonly target: CommitId | null;
}

/** `unsaid`: the server, or the way to it, gave up before it said what became of the ref. */
export type PushReport = { readonly kind: "done" } | { readonly kind: "refused" | "unsaid"; readonly words: string };

const NO_COMMIT = "0".repeat(40);

/**
 * The body of a push. The old value that it names is the lease: the server moves the ref only from there, whatever
 * the commits' ancestry. See gitprotocol-pack(5).
 */
export function formatPush(
  command: RefCommand,
  pack: Uint8Array,
  capabilities: ReadonlyMap<string, string>,
): Uint8Array {
  const wished = ["report-status", "side-band-64k", "delete-refs"].filter((name) => capabilities.has(name));
  const move = `${command.expected ?? NO_COMMIT} ${command.target ?? NO_COMMIT} ${command.ref}`;
  const head = Buffer.from(`${encodePacket(`${move}\0 ${wished.join(" ")}\n`)}${FLUSH}`);
  // A deletion carries no pack, not even an empty one.
  return command.target === null ? head : Buffer.concat([head, pack]);
}

/** @throws FederationError AG2008 when the report is not there or not whole: then nobody knows what happened. */
export function parsePushAnswer(bytes: Uint8Array, ref: string, sideBand: boolean): PushReport {
  const packets = decodePackets(bytes);
  if (!sideBand) return parseReport(packets, ref, "");
  const { data, words, fatal } = separateChannels(packets);
  if (fatal) return { kind: "unsaid", words };
  if (!endsComplete(packets)) throw malformed("the push report was cut off");
  return parseReport(decodePackets(data), ref, words);
}

function parseReport(packets: readonly Packet[], ref: string, words: string): PushReport {
  if (!endsComplete(packets)) throw malformed("the push report was cut off");
  const lines = packets.flatMap((packet) => (packet.kind === "data" ? [lineOf(packet.bytes)] : []));
  const unpack = lines.find((line) => line.startsWith("unpack "));
  if (unpack === undefined) throw malformed("it holds no push report");
  if (lines.includes(`ok ${ref}`) && unpack === "unpack ok") return { kind: "done" };
  const said = lines.find((line) => line.startsWith(`ng ${ref} `))?.slice(`ng ${ref} `.length);
  const reason = said ?? unpack;
  // What could not be unpacked has moved no ref; what was unpacked may have.
  const kind = said === undefined && unpack === "unpack ok" ? "unsaid" : "refused";
  return { kind, words: words.trim() === "" ? reason : `${reason}: ${words}` };
}

function malformed(what: string): FederationError {
  return new FederationError("AG2008", `the git server's answer is incomplete or no git: ${what}`);
}
