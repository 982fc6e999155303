/**
 * Mutants that nothing notices, each with the reason why that is no gap: what it changes makes no difference that
 * anybody could see. By name, as `npm run mutate` prints it.
 */
export const HARMLESS: Readonly<Record<string, string>> = {
  "src/core/merge.ts: if (value === undefined) return null;: never so":
    "The line is for the types: what follows says null of undefined too.",
  "src/core/merge.ts: if (value === undefined) return new Map();: never so":
    "The line is for the types: what follows makes an empty map of undefined too.",
  'src/core/view.ts: return compareText(a.path ?? "", b.path ?? "") || (a.line ?? 0) - (b.line ?? 0) || compareText(a.code, b.code);: 0 to 1':
    "A problem of a whole file then stands beside those of the first line, in the order of their codes.",
  'src/core/view.ts: return compareText(a.path ?? "", b.path ?? "") || (a.line ?? 0) - (b.line ?? 0) || compareText(a.code, b.code);: 0 to 1 (2)':
    "A problem of a whole file then stands beside those of the first line, in the order of their codes.",
  "src/core/view.ts: return a < b ? -1 : 1;: < to <=": "Equal texts never come here.",
  "src/core/view.ts: return a < b ? -1 : 1;: 1 to 2": "Only the sign of a comparison counts.",
  "src/core/view.ts: return a < b ? -1 : 1;: 1 to 2 (2)": "Only the sign of a comparison counts.",
  "src/core/role.ts: if (manifest === undefined) return hold(notAMember(self, leadership.cluster));: never so":
    "The line is for the types: a cluster without a manifest has a reason to hold already.",
  "src/core/role.ts: if (self === leader) return manifest?.problem ?? null;: ?? to &&":
    "Whoever leads has a valid manifest: there is no problem to tell of.",
};
