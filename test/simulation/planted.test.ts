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
    const [broken, sound] = [await playOne(copy.path), await playOne(process.cwd())];
    expect(broken?.failure?.violations.join()).toMatch(/^nothing that a person wrote is lost/);
    expect(sound?.failure).toBeNull();
  });
});

/** The history of seed 3, in which somebody's edit is about to be overwritten. */
async function playOne(folder: string): Promise<Verdict | null> {
  let found: Verdict | null = null;
  const told = (verdict: Verdict): boolean => {
    found = verdict;
    return true;
  };
  const { signal } = new AbortController();
  await playShift({ folder, workers: 1, firstSeed: 3, histories: 1, shrinks: false, lie: null, signal, told });
  return found;
}
