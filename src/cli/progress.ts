import type { Shell } from "./shell.ts";

/** What a long command does just now, on one line of a terminal that goes away again. */
export interface Progress {
  tell(text: string): void;
  end(): void;
}

const TELL_EVERY_MS = 200;

/** Tells nothing where standard error is no terminal. */
export function createProgress({ stderr, nowMs }: Shell): Progress {
  if (!stderr.isTerminal) return { tell: () => undefined, end: () => undefined };
  let toldAtMs = nowMs();
  let shown = false;
  return {
    tell(text) {
      const at = nowMs();
      if (at - toldAtMs < TELL_EVERY_MS) return;
      toldAtMs = at;
      shown = true;
      stderr.write(`\r\u001b[K${text}…`);
    },
    end() {
      if (shown) stderr.write("\r\u001b[K");
      shown = false;
    },
  };
}
