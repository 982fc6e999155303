import type { CommitId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import { DELIMITER, decodePackets, encodePacket, endsComplete, FLUSH, lineOf, type Packet } from "./pkt-line.ts";
import { demultiplex } from "./sideband.ts";

export interface FetchRequest {
  /** At least one. */
  readonly wants: readonly CommitId[];
  /** Commits that are here, with everything behind them down to the shallow ones. */
  readonly haves: readonly CommitId[];
  /** Commits that are here without their parents. */
  readonly shallows: readonly CommitId[];
  /** How many commits deep, each of `wants` the first; null is all of them. */
  readonly depth: number | null;
}

export type FetchAnswer =
  | { readonly kind: "pack"; readonly pack: Uint8Array; readonly shallows: readonly CommitId[] }
  /** The server hands one of `wants` out no more, or not at all. */
  | { readonly kind: "refused"; readonly words: string };

/** The body of a fetch in protocol version 2, see gitprotocol-v2(5). Never asks for a thin pack. */
export function formatFetch(request: FetchRequest, agent: boolean): string {
  return [
    encodePacket("command=fetch\n"),
    ...(agent ? [encodePacket("agent=git/amko-gitops\n")] : []),
    DELIMITER,
    encodePacket("ofs-delta\n"),
    encodePacket("no-progress\n"),
    ...request.wants.map((id) => encodePacket(`want ${id}\n`)),
    ...depthLines(request),
    ...request.haves.map((id) => encodePacket(`have ${id}\n`)),
    encodePacket("done\n"),
    FLUSH,
  ].join("");
}

/** `multi_ack` makes no difference where `done` comes at once, but Azure DevOps refuses whoever does not ask for it. */
const WISHED_VERSION_0 = ["multi_ack", "side-band-64k", "ofs-delta", "no-progress"] as const;

/** The same in version 0, see gitprotocol-pack(5). */
export function formatFetchVersion0(request: FetchRequest, capabilities: ReadonlyMap<string, string>): string {
  const wished = WISHED_VERSION_0.filter((name) => capabilities.has(name));
  return [
    // The first wish alone says what the client can do.
    ...request.wants.map((id, index) =>
      encodePacket(index === 0 ? `want ${id} ${wished.join(" ")}\n` : `want ${id}\n`),
    ),
    ...depthLines(request),
    FLUSH,
    ...request.haves.map((id) => encodePacket(`have ${id}\n`)),
    encodePacket("done\n"),
  ].join("");
}

function depthLines({ shallows, depth }: FetchRequest): readonly string[] {
  return [
    ...shallows.map((id) => encodePacket(`shallow ${id}\n`)),
    ...(depth === null ? [] : [encodePacket(`deepen ${depth}\n`)]),
  ];
}

/** @throws FederationError AG2008 unless the answer is complete. */
export function parseFetchAnswer(bytes: Uint8Array): FetchAnswer {
  const packets = decodePackets(bytes);
  const refusal = refusalOf(packets);
  if (refusal !== null) return { kind: "refused", words: refusal };
  if (!endsComplete(packets)) throw malformed("the pack was cut off");
  return { kind: "pack", shallows: shallowsOf(packets), pack: demultiplex(packetsOfPack(packets)).data };
}

function refusalOf(packets: readonly Packet[]): string | null {
  for (const packet of packets) {
    if (packet.kind !== "data") continue;
    // A pack's packets start with a channel number, so no pack can look like this.
    const line = lineOf(packet.bytes.subarray(0, 1000));
    if (line.startsWith("ERR ")) return line.slice(4);
  }
  return null;
}

/** `unshallow` lines are not needed: what is shallow is seen from the parents that are not here. */
function shallowsOf(packets: readonly Packet[]): readonly CommitId[] {
  return packets.flatMap((packet) => {
    if (packet.kind !== "data" || packet.bytes.length > 60) return [];
    const id = /^shallow ([0-9a-f]{40})$/.exec(lineOf(packet.bytes))?.[1];
    return id === undefined ? [] : [id as CommitId];
  });
}

/**
 * Version 2 announces the pack with the line `packfile`, version 0 with an ACK or NAK. Everything behind it is
 * side-band.
 */
function packetsOfPack(packets: readonly Packet[]): readonly Packet[] {
  const start = packets.findLastIndex(
    (packet) =>
      packet.kind === "data" && /^(packfile|NAK|ACK [0-9a-f]{40})$/.test(lineOf(packet.bytes.subarray(0, 60))),
  );
  if (start < 0) throw malformed("it holds no pack");
  return packets.slice(start + 1);
}

function malformed(what: string): FederationError {
  return new FederationError("AG2008", `the git server's answer is incomplete or no git: ${what}`);
}
