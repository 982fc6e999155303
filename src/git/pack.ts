import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";

export type ObjectType = "blob" | "tree" | "commit";

export interface GitObject {
  readonly type: ObjectType;
  readonly bytes: Uint8Array;
}

const TYPE_NUMBERS = { commit: 1, tree: 2, blob: 3 } as const satisfies Record<ObjectType, number>;
const HEADER_BYTES = 12;
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
