import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The project's root, to start programs from. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

const STDERR_MAX_CHARACTERS = 4000;

/** What a program left behind. */
export interface RunResult {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the test's own. It is only ever ended by its own id. */
export interface TestProcess {
  readonly pid: number;
  /** Settles when it has ended and all that it wrote was read. */
  readonly ended: Promise<RunResult>;
  /** The next line that it prints; null when it ended before. */
  line(): Promise<string | null>;
  /** What it has written to standard error so far. */
  stderr(): string;
  /** Presses Ctrl-C, and waits for its end. */
  interrupt(): Promise<RunResult>;
  /** Asks it to stop and waits for that. */
  stop(): Promise<RunResult>;
  /** Ends it as a loss of power would. */
  kill(): Promise<RunResult>;
}

export interface ProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** This Node unless it is given. */
  readonly program?: string;
  /** The project's root unless it is given. */
  readonly folder?: string;
}

/** Starts a program, by default one of the project with this Node. */
export function startProcess(
  args: readonly string[],
  { environment = {}, program = process.execPath, folder = PROJECT }: ProcessOptions = {},
): TestProcess {
  const child = spawn(program, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  const lines: string[] = [];
  const waiting: ((line: string | null) => void)[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    const next = waiting.shift();
    if (next === undefined) lines.push(line);
    else next(line);
  });
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints = (complaints + String(chunk)).slice(-STDERR_MAX_CHARACTERS);
  });
  const ended = collect(child, () => complaints);
  void ended.then(() => {
    for (const next of waiting.splice(0)) next(null);
  });
  const signal = async (name: NodeJS.Signals): Promise<RunResult> => {
    child.kill(name);
    return ended;
  };
  return {
    pid: child.pid ?? 0,
    ended,
    async line() {
      const next = lines.shift();
      if (next !== undefined) return next;
      return child.exitCode !== null || child.signalCode !== null
        ? null
        : new Promise((resolve) => waiting.push(resolve));
    },
    stderr: () => complaints,
    interrupt: () => signal("SIGINT"),
    stop: () => signal("SIGTERM"),
    kill: () => signal("SIGKILL"),
  };
}

/** Runs a program to its end. */
export function runProcess(args: readonly string[], options?: ProcessOptions): Promise<RunResult> {
  return startProcess(args, options).ended;
}

export interface ServerProcess extends TestProcess {
  readonly url: string;
}

/** Starts a server that prints `{"url": …}` once it serves. @throws Error with what it complained about. */
export async function startServer(args: readonly string[]): Promise<ServerProcess> {
  const server = startProcess(args);
  const line = await server.line();
  if (line === null) throw new Error(`${args.join(" ")} did not start: ${(await server.ended).stderr}`);
  return { ...server, url: (JSON.parse(line) as { readonly url: string }).url };
}

async function collect(child: ChildProcess, stderr: () => string): Promise<RunResult> {
  let stdout = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | string>();
  child.once("error", reject);
  child.once("close", (code, signal) => resolve(code ?? signal ?? 0));
  const code = await promise;
  return { code, stdout, stderr: stderr() };
}
