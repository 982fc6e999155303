import { damagedPack } from "./pack-complaint.ts";
import { readVariableLength } from "./variable-length.ts";

/** How large a delta says that its base is, and what it makes; its instructions start at `start`. */
export interface DeltaSizes {
  readonly baseBytes: number;
  readonly madeBytes: number;
  readonly start: number;
}

export function readDeltaSizes(delta: Uint8Array): DeltaSizes {
  const base = readVariableLength(delta, 0);
  const made = readVariableLength(delta, base.end);
  return { baseBytes: sizeOf(base), madeBytes: sizeOf(made), start: made.end };
}

function sizeOf({ first, rest }: { readonly first: number; readonly rest: number }): number {
  return (first & 0b0111_1111) + rest * 128;
}

/** Copies this many bytes where an instruction names no size: the one that its three bytes cannot say. */
const COPY_DEFAULT_BYTES = 0x10000;

/**
 * Makes an object of another one, see "Deltified representation" in gitformat-pack(5): copy this stretch of the base,
 * insert these bytes, and so on. Makes exactly as many bytes as the delta announces.
 * @throws FederationError AG2008 when it is malformed or belongs to another base
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array {
  const { baseBytes, madeBytes, start } = readDeltaSizes(delta);
  if (baseBytes !== base.length) throw damagedPack("a delta belongs to another object");
  const made = Buffer.allocUnsafe(madeBytes);
  let filled = 0;
  for (let at = start; at < delta.length; ) {
    const { from, offset, length, next } = readInstruction(base, delta, at);
    if (offset + length > from.length || filled + length > madeBytes) throw damagedPack("a delta reaches too far");
    made.set(from.subarray(offset, offset + length), filled);
    filled += length;
    at = next;
  }
  if (filled !== madeBytes) throw damagedPack("a delta makes too little");
  return made;
}

interface Instruction {
  /** What to take bytes from: the base, or the delta itself. */
  readonly from: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly next: number;
}

function readInstruction(base: Uint8Array, delta: Uint8Array, at: number): Instruction {
  const code = delta[at] ?? 0;
  if (code === 0) throw damagedPack("a delta holds an unknown instruction");
  if (code < 0b1000_0000) return { from: delta, offset: at + 1, length: code, next: at + 1 + code };
  let next = at + 1;
  /** The bytes whose bits are set in the code follow it; the others are zero. */
  const readBytes = (firstBit: number, count: number): number => {
    let value = 0;
    for (let index = 0, factor = 1; index < count; index += 1, factor *= 256) {
      if ((code & (1 << (firstBit + index))) === 0) continue;
      if (next >= delta.length) throw damagedPack("a delta ends in the middle of an instruction");
      value += (delta[next] ?? 0) * factor;
      next += 1;
    }
    return value;
  };
  const offset = readBytes(0, 4);
  const length = readBytes(4, 3);
  return { from: base, offset, length: length === 0 ? COPY_DEFAULT_BYTES : length, next };
}
