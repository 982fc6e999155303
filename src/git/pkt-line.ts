import { FederationError } from "../errors.ts";

/**
 * Git's packet format: four hexadecimal digits of length, themselves included, then the data. Lengths 0 to 2 are
 * marks. See gitprotocol-common(5) and gitprotocol-v2(5).
 */
export type Packet =
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "flush" }
  | { readonly kind: "delimiter" }
  | { readonly kind: "end" };

const HEADER_BYTES = 4;
/** What git itself refuses to exceed. */
const PACKET_MAX_BYTES = 65_520;

export const FLUSH = "0000";
export const DELIMITER = "0001";

export function encodePacket(text: string): string {
  const length = Buffer.byteLength(text) + HEADER_BYTES;
  if (length > PACKET_MAX_BYTES) throw new FederationError("AG9001", "a line to the git server is too long");
  return length.toString(16).padStart(HEADER_BYTES, "0") + text;
}

/**
 * Takes a whole answer apart. Strict: every byte must belong to a packet, so that an answer which was cut anywhere
 * but between two packets is recognised here; {@link endsComplete} recognises the rest.
 * @throws FederationError AG2008
 */
export function decodePackets(bytes: Uint8Array): readonly Packet[] {
  const packets: Packet[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const length = packetLength(bytes, offset);
    packets.push(packetAt(bytes, offset, length));
    offset += Math.max(length, HEADER_BYTES);
  }
  return packets;
}

/** Every answer of a git server over HTTP ends with a flush; one that does not was cut off. */
export function endsComplete(packets: readonly Packet[]): boolean {
  return packets.at(-1)?.kind === "flush";
}

/** The data of a packet as a line of text, without its line feed. */
export function lineOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function packetLength(bytes: Uint8Array, offset: number): number {
  const header = Buffer.from(bytes.subarray(offset, offset + HEADER_BYTES)).toString("latin1");
  if (!/^[0-9a-fA-F]{4}$/.test(header)) throw incomplete("a packet's length is missing");
  return Number.parseInt(header, 16);
}

function packetAt(bytes: Uint8Array, offset: number, length: number): Packet {
  if (length === 0) return { kind: "flush" };
  if (length === 1) return { kind: "delimiter" };
  if (length === 2) return { kind: "end" };
  if (length < HEADER_BYTES || length > PACKET_MAX_BYTES) throw incomplete("a packet's length is impossible");
  if (offset + length > bytes.length) throw incomplete("a packet is cut short");
  return { kind: "data", bytes: bytes.subarray(offset + HEADER_BYTES, offset + length) };
}

function incomplete(what: string): FederationError {
  return new FederationError("AG2008", `the git server's answer is incomplete or no git: ${what}`);
}
