import { describe, expect, it } from "vitest";
import { makePatchedCopy } from "../support/patched-copy.ts";
import { playShift } from "./crew.ts";
import type { Verdict } from "./one-seed.ts";
import { PLANTED_BUGS } from "./planted.ts";

describe("planted bugs", () => {
  it("all stand in the code as it is", async () => {
    await using copy = await makePatchedCopy();
    for (const { patches } of PLANTED_BUGS) {
      for (const patch of patches) await copy.apply(patch);
      await copy.restore();
    }
  });

  it("are noticed in a copy of the code, while the project stays as it is", async () => {
    await using copy = await makePatchedCopy();
    for (const patch of PLANTED_BUGS.find(({ name }) => name === "nothing-rescued")?.patches ?? [])
      await copy.apply(patch);
    expect(await findViolation(copy.path)).toMatch(/^nothing that a person wrote is lost/);
    expect(await findViolation(process.cwd())).toBeUndefined();
  });
});

/** The first that is seen in so many histories that somebody's edit is about to be overwritten in some. */
async function findViolation(folder: string): Promise<string | undefined> {
  let found: string | undefined;
  const told = ({ failure }: Verdict): boolean => {
    found = failure?.violations[0];
    return found === undefined;
  };
  const { signal } = new AbortController();
  await playShift({ folder, workers: 1, firstSeed: 1, histories: 40, shrinks: false, lie: null, signal, told });
  return found;
}
