import fc from "fast-check";

/** How an input differs from a valid one. Places are shares of its length, counted round. */
type Mutation =
  | { readonly do: "flip"; readonly at: number; readonly bits: number }
  | { readonly do: "cut" | "double" | "truncate"; readonly at: number; readonly length: number }
  | { readonly do: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly do: "repeat"; readonly at: number; readonly bytes: Uint8Array; readonly times: number };

const MUTATIONS_MAX = 6;
const LENGTH_MAX = 40;
/** So often that an input that costs more than its length shows it. */
const REPEATS_MAX = 5000;

const at = fc.nat({ max: 0xffff });
const length = fc.integer({ min: 1, max: LENGTH_MAX });

/** Valid inputs, broken in a few places: they come further into a parser than bytes that are nothing but chance. */
export function mutated(corpus: readonly Uint8Array[], words: readonly string[]): fc.Arbitrary<Uint8Array> {
  const bytes = fc.oneof(
    fc.constantFrom("__proto__", "constructor", "prototype", "../", "\0", "\r\n", "\u2028", ...words).map(encode),
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
  );
  const mutation: fc.Arbitrary<Mutation> = fc.oneof(
    fc.record({ do: fc.constant("flip" as const), at, bits: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ do: fc.constantFrom("cut", "double", "truncate"), at, length }),
    fc.record({ do: fc.constant("insert" as const), at, bytes }),
    fc.record({ do: fc.constant("repeat" as const), at, bytes, times: fc.integer({ min: 2, max: REPEATS_MAX }) }),
  );
  return fc
    .tuple(fc.constantFrom(...corpus), fc.array(mutation, { minLength: 1, maxLength: MUTATIONS_MAX }))
    .map(([valid, mutations]) => mutations.reduce(mutate, valid));
}

/** Bytes that are nothing but chance. */
export function noise(): fc.Arbitrary<Uint8Array> {
  return fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: "binary", maxLength: 200 }).map(encode));
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function mutate(input: Uint8Array, mutation: Mutation): Uint8Array {
  const place = mutation.at % (input.length + 1);
  const [before, after] = [input.subarray(0, place), input.subarray(place)];
  switch (mutation.do) {
    case "flip":
      return input.map((byte, index) => (index === place ? byte ^ mutation.bits : byte));
    case "cut":
      return Buffer.concat([before, after.subarray(mutation.length)]);
    case "double":
      return Buffer.concat([before, after.subarray(0, mutation.length), after]);
    case "truncate":
      return before;
    case "insert":
      return Buffer.concat([before, mutation.bytes, after]);
    case "repeat":
      return Buffer.concat([before, ...Array<Uint8Array>(mutation.times).fill(mutation.bytes), after]);
    default:
      return mutation satisfies never;
  }
}
