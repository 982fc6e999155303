const LOOK_EVERY_MIN_MS = 50;
const LOOK_EVERY_MAX_MS = 250;

/**
 * Looks until something is so, less often the longer it takes: nobody minds a tenth, and on a busy machine looking is
 * what keeps it busy.
 * @throws Error that says what was awaited, and what was seen last.
 */
export async function waitUntil(what: string, isSo: () => Promise<boolean | string>, limitMs = 30_000): Promise<void> {
  const startMs = performance.now();
  let seen: boolean | string = false;
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs = performance.now() - startMs) {
    seen = await isSo();
    if (seen === true) return;
    const pauseMs = Math.min(Math.max(LOOK_EVERY_MIN_MS, waitedMs / 10), LOOK_EVERY_MAX_MS);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`gave up waiting until ${what}${typeof seen === "string" ? ` (${seen})` : ""}`);
}
