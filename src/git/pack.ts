import { createHash } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";
import { FederationError } from "../errors.ts";

export type ObjectType = "blob" | "tree" | "commit";

export interface GitObject {
  readonly type: ObjectType;
  readonly bytes: Uint8Array;
}

const TYPE_NUMBERS = { commit: 1, tree: 2, blob: 3 } as const satisfies Record<ObjectType, number>;
const OFFSET_DELTA = 6;
const REF_DELTA = 7;
const HEADER_BYTES = 12;
const TRAILER_BYTES = 20;
const ID_BYTES = 20;
const VERSION = 2;

/** The id that git gives to an object: the hash of its type, size and bytes. */
export function objectIdOf({ type, bytes }: GitObject): string {
  return createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
}

/** A pack of whole objects, see gitformat-pack(5). Without objects it is what a push of a known commit carries. */
export function formatPack(objects: readonly GitObject[]): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("PACK", "latin1");
  header.writeUInt32BE(VERSION, 4);
  header.writeUInt32BE(objects.length, 8);
  const content = Buffer.concat([
    header,
    ...objects.flatMap((object) => [entryHeader(object), deflateSync(object.bytes)]),
  ]);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}

/** Type and size of an entry: four bits of size in the first byte, seven in each that follows. */
function entryHeader({ type, bytes }: GitObject): Uint8Array {
  const header = [(TYPE_NUMBERS[type] << 4) | (bytes.length & 0b1111)];
  for (let rest = bytes.length >>> 4; rest > 0; rest >>>= 7) {
    header[header.length - 1] = (header.at(-1) ?? 0) | 0b1000_0000;
    header.push(rest & 0b0111_1111);
  }
  return Uint8Array.from(header);
}

/** No object of a federation comes near; one that is larger would fill the agent's memory. */
const OBJECT_MAX_BYTES = 64 * 1024 * 1024;
/** A few kilobytes of pack can unfold to gigabytes; this much, one object after the other, they may. */
const UNFOLDED_MAX_BYTES = 512 * 1024 * 1024;
const INFLATE_CHUNK_BYTES = 64 * 1024;
const INFLATE_CHUNK_MIN_BYTES = 64;

/**
 * How many objects a received pack holds, and its checksum. Everything about it is checked before isomorphic-git sees
 * it, which inflates whatever it is given, and looks at the checksum only when an object is first read.
 * @throws FederationError AG2008 when it is damaged, AG2009 when it would unfold to too much.
 */
export function inspectPack(pack: Uint8Array): { readonly objects: number; readonly checksum: string } {
  const buffer = Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength);
  if (buffer.length < HEADER_BYTES + TRAILER_BYTES || buffer.toString("latin1", 0, 4) !== "PACK") {
    throw damaged("it is none");
  }
  const content = buffer.subarray(0, -TRAILER_BYTES);
  const checksum = buffer.toString("hex", content.length);
  if (createHash("sha1").update(content).digest("hex") !== checksum) throw damaged("its checksum is wrong");
  const objects = content.readUInt32BE(8);
  let unfoldedBytes = 0;
  let offset = HEADER_BYTES;
  for (let count = 0; count < objects; count += 1) {
    const entry = inspectEntry(content, offset);
    unfoldedBytes += entry.sizeBytes;
    if (unfoldedBytes > UNFOLDED_MAX_BYTES) throw tooLarge(UNFOLDED_MAX_BYTES);
    offset = entry.end;
  }
  if (offset !== content.length) throw damaged("something follows its last object");
  return { objects, checksum };
}

/** Reads over one entry of a pack, unfolding no more of it than it says of itself. */
function inspectEntry(content: Buffer, start: number): { readonly sizeBytes: number; readonly end: number } {
  const head = readVariableLength(content, start);
  const type = (head.first >> 4) & 0b111;
  const sizeBytes = (head.first & 0b1111) + head.rest * 16;
  if (sizeBytes > OBJECT_MAX_BYTES) throw tooLarge(OBJECT_MAX_BYTES);
  let offset = head.end;
  if (type === REF_DELTA) offset += ID_BYTES;
  if (type === OFFSET_DELTA) offset = readVariableLength(content, offset).end;
  const { data, consumed } = inflate(content.subarray(offset), sizeBytes);
  if (data.length !== sizeBytes) throw damaged("an object's size is wrong");
  if (type === REF_DELTA || type === OFFSET_DELTA) checkDelta(data);
  return { sizeBytes, end: offset + consumed };
}

/** A delta starts with the sizes of what it is made from and of what it makes. */
function checkDelta(delta: Buffer): void {
  const base = readVariableLength(delta, 0);
  const result = readVariableLength(delta, base.end);
  if ((result.first & 0b0111_1111) + result.rest * 128 > OBJECT_MAX_BYTES) throw tooLarge(OBJECT_MAX_BYTES);
}

/** The first byte, and the number that those behind it make, seven bits each, least first, while the top bit is set. */
function readVariableLength(
  bytes: Buffer,
  start: number,
): { readonly first: number; readonly rest: number; readonly end: number } {
  const first = bytes[start];
  let rest = 0;
  let end = start + 1;
  for (let byte = first, factor = 1; byte !== undefined && byte >= 0b1000_0000; factor *= 128) {
    byte = bytes[end];
    rest += ((byte ?? 0) & 0b0111_1111) * factor;
    end += 1;
  }
  if (first === undefined || end > bytes.length) throw damaged("it ends in the middle of an object");
  return { first, rest, end };
}

function inflate(bytes: Buffer, sizeBytes: number): { readonly data: Buffer; readonly consumed: number } {
  const chunkSize = Math.min(Math.max(sizeBytes, INFLATE_CHUNK_MIN_BYTES), INFLATE_CHUNK_BYTES);
  try {
    // With `info` the result also tells how much of the input it took, which @types/node does not know.
    const { buffer, engine } = inflateSync(bytes, {
      info: true,
      chunkSize,
      maxOutputLength: Math.max(sizeBytes, 1),
    }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    return { data: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    throw damaged("an object cannot be unfolded", error);
  }
}

function damaged(what: string, cause?: unknown): FederationError {
  return new FederationError("AG2008", `the pack that the git server sent is damaged: ${what}`, { cause });
}

function tooLarge(maxBytes: number): FederationError {
  return new FederationError("AG2009", `the git server's answer unfolds to more than ${maxBytes} bytes`);
}
