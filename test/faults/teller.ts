/** Tells people how far a long run is: one line that is rewritten on a terminal, a line from time to time elsewhere. */
export interface Teller {
  /** A line that stays. */
  say(line: string): void;
  /** How far it is. */
  progress(done: number, all: number, wrong: number): void;
  /** How long it has taken: `01:42:07`. */
  duration(): string;
}

const TERMINAL_EVERY_MS = 500;
const PLAIN_EVERY_MS = 30_000;

export function createTeller(output: NodeJS.WriteStream, nowMs: () => number): Teller {
  const startMs = nowMs();
  const everyMs = output.isTTY ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS;
  const wipe = output.isTTY ? "\r\u001b[K" : "";
  let toldMs = startMs;
  return {
    say: (line) => void output.write(`${wipe}${line}\n`),
    progress(done, all, wrong) {
      if (nowMs() - toldMs < everyMs) return;
      toldMs = nowMs();
      const line = `${done} of ${all}, ${wrong} failed, after ${formatDuration(nowMs() - startMs)}`;
      output.write(output.isTTY ? `${wipe}${line}` : `${line}\n`);
    },
    duration: () => formatDuration(nowMs() - startMs),
  };
}

function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
