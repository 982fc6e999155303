import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { readDeltaSizes } from "./delta.ts";
import type { ObjectType } from "./pack.ts";
import { damagedPack, packTooLarge } from "./pack-complaint.ts";
import { readVariableLength } from "./variable-length.ts";

/** Annotated tags come along where a server sends more than it was asked for. Nobody reads them. */
export type PackedType = ObjectType | "tag";

/** One object as it stands in a pack: whole, or as its difference to another one. */
export interface PackEntry {
  /** What deltas name their base by. */
  readonly offset: number;
  readonly form: { readonly type: PackedType } | { readonly base: DeltaBase };
  readonly folded: FoldedData;
  /** The object, or the delta. */
  readonly data: Uint8Array;
}

/** The offset of an earlier entry of the pack, or an object's id. */
export type DeltaBase = number | string;

/** Where an entry's deflated data stand, and how many bytes they make. */
export interface FoldedData {
  readonly content: Buffer;
  readonly start: number;
  readonly sizeBytes: number;
}

const TYPES: Readonly<Record<number, PackedType>> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const OFFSET_DELTA = 6;
const REF_DELTA = 7;
const HEADER_BYTES = 12;
const TRAILER_BYTES = 20;
const ID_BYTES = 20;

/** No object of a federation comes near; one that is larger would fill the agent's memory. */
const OBJECT_MAX_BYTES = 64 * 1024 * 1024;
/** A few kilobytes of pack can unfold to gigabytes; this much, one object after the other, they may. */
const UNFOLDED_MAX_BYTES = 512 * 1024 * 1024;
const INFLATE_CHUNK_BYTES = 64 * 1024;
const INFLATE_CHUNK_MIN_BYTES = 64;

/**
 * The entries of a received pack, in order. The checksum comes first, what follows the last entry last, so nothing of a
 * pack is to be trusted before all of it was read.
 * @throws FederationError AG2008 when it is damaged, AG2009 when it would unfold to too much.
 */
export function* readPackEntries(pack: Uint8Array): Generator<PackEntry> {
  const content = contentOf(pack);
  const objects = content.readUInt32BE(8);
  let unfoldedBytes = 0;
  let offset = HEADER_BYTES;
  for (let count = 0; count < objects; count += 1) {
    const { entry, end } = readEntry(content, offset);
    unfoldedBytes += entry.folded.sizeBytes;
    if (unfoldedBytes > UNFOLDED_MAX_BYTES) throw packTooLarge(UNFOLDED_MAX_BYTES);
    yield entry;
    offset = end;
  }
  if (offset !== content.length) throw damagedPack("something follows its last object");
}

/** The data of an entry that was read before. */
export function unfold({ content, start, sizeBytes }: FoldedData): Uint8Array {
  return inflate(content.subarray(start), sizeBytes).data;
}

/** The pack without its checksum, which is right. */
function contentOf(pack: Uint8Array): Buffer {
  const buffer = Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength);
  if (buffer.length < HEADER_BYTES + TRAILER_BYTES || buffer.toString("latin1", 0, 4) !== "PACK") {
    throw damagedPack("it is none");
  }
  const content = buffer.subarray(0, -TRAILER_BYTES);
  const checksum = createHash("sha1").update(content).digest();
  if (!checksum.equals(buffer.subarray(content.length))) throw damagedPack("its checksum is wrong");
  return content;
}

/** Reads one entry, unfolding no more of it than it says of itself. */
function readEntry(content: Buffer, offset: number): { readonly entry: PackEntry; readonly end: number } {
  const head = readVariableLength(content, offset);
  const sizeBytes = (head.first & 0b1111) + head.rest * 16;
  if (sizeBytes > OBJECT_MAX_BYTES) throw packTooLarge(OBJECT_MAX_BYTES);
  const { form, end: start } = readForm(content, (head.first >> 4) & 0b111, { offset, end: head.end });
  const { data, consumed } = inflate(content.subarray(start), sizeBytes);
  if (data.length !== sizeBytes) throw damagedPack("an object's size is wrong");
  if ("base" in form && readDeltaSizes(data).madeBytes > OBJECT_MAX_BYTES) throw packTooLarge(OBJECT_MAX_BYTES);
  return { entry: { offset, form, folded: { content, start, sizeBytes }, data }, end: start + consumed };
}

/** What an entry's type says, and where its data start. */
function readForm(
  content: Buffer,
  typeNumber: number,
  { offset, end }: { readonly offset: number; readonly end: number },
): { readonly form: PackEntry["form"]; readonly end: number } {
  const type = TYPES[typeNumber];
  if (type !== undefined) return { form: { type }, end };
  if (typeNumber === REF_DELTA) {
    return { form: { base: content.toString("hex", end, end + ID_BYTES) }, end: end + ID_BYTES };
  }
  if (typeNumber !== OFFSET_DELTA) throw damagedPack("it holds an object of an unknown type");
  const { back, end: start } = readOffset(content, end);
  if (back === 0 || offset - back < HEADER_BYTES) throw damagedPack("a delta's base stands outside of it");
  return { form: { base: offset - back }, end: start };
}

/** How far back a delta's base stands: most significant byte first, each continuation standing for one more. */
function readOffset(content: Buffer, start: number): { readonly back: number; readonly end: number } {
  const { end } = readVariableLength(content, start);
  let back = (content[start] ?? 0) & 0b0111_1111;
  for (let at = start + 1; at < end; at += 1) back = (back + 1) * 128 + ((content[at] ?? 0) & 0b0111_1111);
  return { back, end };
}

function inflate(bytes: Buffer, sizeBytes: number): { readonly data: Buffer; readonly consumed: number } {
  // One byte more than is needed: a chunk that is filled exactly makes zlib ask for another one.
  const chunkSize = Math.min(Math.max(sizeBytes + 1, INFLATE_CHUNK_MIN_BYTES), INFLATE_CHUNK_BYTES);
  try {
    // With `info` the result also tells how much of the input it took, which @types/node does not know.
    const { buffer, engine } = inflateSync(bytes, {
      info: true,
      chunkSize,
      maxOutputLength: Math.max(sizeBytes, 1),
    }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    return { data: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    throw damagedPack("an object cannot be unfolded", error);
  }
}
