import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";

/** Standard output or standard error. */
export interface Stream {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** How many characters fit on a line; what is no terminal has no end. */
  readonly columns: number;
  /** Colours are for terminals, and NO_COLOR switches them off. */
  readonly colour: boolean;
}

/** The world around a verb; tests make another one. */
export interface Shell {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the command was called. */
  readonly directory: string;
  /** Asks at the terminal; null where nobody is there to answer. */
  ask(question: string): Promise<string | null>;
  nowMs(): number;
  sleep(durationMs: number): Promise<void>;
  /** Aborts when the person presses Ctrl-C. */
  readonly signal: AbortSignal;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** The text in a style where the stream shows colours, as it is elsewhere. */
export function paint({ colour }: Stream, style: Style | null, text: string): string {
  return colour && style !== null ? styleText(style, text, { validateStream: false }) : text;
}

/** The shell of this process. */
export function createShell(signal: AbortSignal): Shell {
  const environment = process.env;
  return {
    stdout: streamOf(process.stdout, environment),
    stderr: streamOf(process.stderr, environment),
    environment,
    directory: process.cwd(),
    async ask(question) {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
      const terminal = createInterface({ input: process.stdin, output: process.stderr });
      // While a line is read Ctrl-C is a key as any other. It is to do what it does at every other moment.
      terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
      try {
        return (await terminal.question(question, { signal })).trim();
      } catch (error) {
        // Ctrl-D: whoever was there has left.
        if (!signal.aborted && error instanceof Error && error.name === "AbortError") return null;
        throw error;
      } finally {
        terminal.close();
      }
    },
    nowMs: () => Date.now(),
    sleep: (durationMs) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, durationMs);
        signal.addEventListener("abort", done, { once: true });
      }),
    signal,
  };
}

function streamOf(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Stream {
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.isTTY === true ? stream.columns : Number.POSITIVE_INFINITY;
    },
    colour: stream.isTTY === true && (environment["NO_COLOR"] ?? "") === "" && environment["TERM"] !== "dumb",
  };
}
