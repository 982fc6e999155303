const LOOK_EVERY_MS = 50;

/** Looks until something is so. @throws Error that says what was awaited, and what was seen last. */
export async function waitUntil(what: string, isSo: () => Promise<boolean | string>, limitMs = 30_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  let seen: boolean | string = false;
  while (performance.now() < endMs) {
    seen = await isSo();
    if (seen === true) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`gave up waiting until ${what}${typeof seen === "string" ? ` (${seen})` : ""}`);
}
