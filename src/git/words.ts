/** What a server says is shown to people, never understood; this much of it. */
const WORDS_MAX_CHARS = 500;

/** A server's own words, fit for a log line: no control characters, no secrets, not too long. */
export function serverWords(text: string, secrets: readonly string[]): string {
  const hidden = secrets
    .filter((secret) => secret !== "")
    .reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  const plain = hidden
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return [...plain].slice(0, WORDS_MAX_CHARS).join("");
}
