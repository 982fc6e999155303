import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FederationError } from "../../src/errors.ts";
import { FILE_PARSERS } from "./files.ts";
import { mutated, noise } from "./mutated.ts";
import type { Parser } from "./parser.ts";
import { TEXT_PARSERS } from "./texts.ts";
import { WIRE_PARSERS } from "./wire.ts";

/** `AMKO_GITOPS_TEST_FUZZ` says how many inputs each parser reads, `AMKO_GITOPS_TEST_SEED` which. */
const RUNS = Number(process.env["AMKO_GITOPS_TEST_FUZZ"] ?? 300);
const SEED = Number(process.env["AMKO_GITOPS_TEST_SEED"] ?? 1);
/** Inputs are some 200 KiB at most; what takes so long for one grows with its square. */
const INPUT_MAX_MS = 2000;
const RUN_MAX_MS = 100;

describe.each([
  ["in files", FILE_PARSERS],
  ["as text", TEXT_PARSERS],
  ["over the wire", WIRE_PARSERS],
] as const)("whatever others wrote %s", (_, parsers) => {
  it.each(parsers)(
    "is read as $name, or refused in the way that is documented, in time, and leaves nothing behind",
    ({ corpus, words, codes, read }: Parser) => {
      for (const valid of corpus) read(valid);
      const before = globalsOf();
      fc.assert(
        fc.property(
          fc.oneof({ weight: 4, arbitrary: mutated(corpus, words) }, { weight: 1, arbitrary: noise() }),
          (input) => {
            const startMs = performance.now();
            refusing(() => read(input), codes);
            expect(performance.now() - startMs).toBeLessThan(INPUT_MAX_MS);
            expect(globalsOf()).toEqual(before);
          },
        ),
        { numRuns: RUNS, seed: SEED },
      );
    },
    RUNS * RUN_MAX_MS,
  );
});

function refusing(read: () => void, codes: readonly string[]): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof FederationError) || !codes.includes(error.code)) throw error;
  }
}

/** What nobody may have added to. */
function globalsOf(): readonly PropertyKey[] {
  return [Object.prototype, Array.prototype, Map.prototype, Function.prototype].flatMap((one) => Reflect.ownKeys(one));
}
