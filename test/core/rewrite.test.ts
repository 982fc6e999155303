import { describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { type HistoryFacts, judgeHistory } from "../../src/core/rewrite.ts";

const [A, B, C, D] = ["a", "b", "c", "d"].map((digit) => digit.repeat(40)) as [CommitId, CommitId, CommitId, CommitId];
/** B was built on A, and D on C. */
const PARENTS: Readonly<Record<string, CommitId>> = { [B]: A, [D]: C };

async function relation(ancestor: CommitId, descendant: CommitId) {
  if (ancestor === descendant) return "same" as const;
  return PARENTS[descendant] === ancestor ? ("ancestor" as const) : ("unrelated" as const);
}

describe("the history of the tracked branch", () => {
  it.each<readonly [string, HistoryFacts, object]>([
    ["goes on where nothing was judged", { before: null, head: A, accepted: null }, { kind: "goes-on" }],
    ["goes on at the same head", { before: A, head: A, accepted: null }, { kind: "goes-on" }],
    ["goes on at a descendant", { before: A, head: B, accepted: null }, { kind: "goes-on" }],
    [
      "halts at an older revision",
      { before: B, head: A, accepted: null },
      { kind: "halted", how: "put-back", before: B },
    ],
    ["halts elsewhere", { before: B, head: C, accepted: null }, { kind: "halted", how: "rewritten", before: B }],
    ["is accepted at the head", { before: B, head: C, accepted: C }, { kind: "accepted" }],
    ["is accepted with what was built on it since", { before: B, head: D, accepted: C }, { kind: "accepted" }],
    [
      "halts after another consent",
      { before: B, head: C, accepted: D },
      { kind: "halted", how: "rewritten", before: B },
    ],
  ])("%s", async (_, facts, verdict) => {
    expect(await judgeHistory(facts, relation)).toEqual(verdict);
  });
});
