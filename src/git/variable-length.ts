import { damagedPack } from "./pack-complaint.ts";

/**
 * A number as packs write it: seven bits in each byte, least first, while the top bit is set. The first byte is given
 * apart from the number that the others make, since an entry keeps its type there.
 */
export function readVariableLength(
  bytes: Uint8Array,
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
  if (first === undefined || end > bytes.length) throw damagedPack("it ends in the middle of an object");
  return { first, rest, end };
}
