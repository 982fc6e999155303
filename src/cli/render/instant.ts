/** RFC 3339 to the second, in UTC: the same text for whoever reads it, wherever. */
export function formatInstant(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d{3}Z$/, "Z");
}

const UNITS = [
  { letter: "d", ms: 86_400_000 },
  { letter: "h", ms: 3_600_000 },
  { letter: "m", ms: 60_000 },
  { letter: "s", ms: 1_000 },
] as const;

/** `2h`, `1d 4h`, `45s`: the two largest units that it fills, as people say it. */
export function formatDuration(durationMs: number): string {
  const parts: string[] = [];
  let restMs = Math.max(0, durationMs);
  for (const { letter, ms } of UNITS) {
    const count = Math.floor(restMs / ms);
    restMs -= count * ms;
    if (count > 0) parts.push(`${count}${letter}`);
  }
  return parts.length === 0 ? "0s" : parts.slice(0, 2).join(" ");
}
