/** A revision that is counted from another one, along first parents. */
export interface CountedRevision {
  readonly base: string;
  readonly steps: number;
}

/** As git counts: `main~2`, `main~1~1`, `main~~` and `main^^` are two steps before `main`. Null for all that says more. */
export function parseCountedRevision(name: string): CountedRevision | null {
  const [, base, back = ""] = /^([^~^]+)((?:~\d*|\^)*)$/.exec(name) ?? [];
  if (base === undefined) return null;
  const counts = [...back.matchAll(/~(\d*)|\^/g)].map(([, count = ""]) => (count === "" ? 1 : Number(count)));
  return { base, steps: counts.reduce((sum, count) => sum + count, 0) };
}
