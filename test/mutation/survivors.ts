/**
 * Mutants that nothing notices, each with the reason why that is no gap: what it changes makes no difference that
 * anybody could see. By name, as `npm run mutate` prints it.
 */
export const HARMLESS: Readonly<Record<string, string>> = {};
