import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { FederationError } from "../errors.ts";
import { serverWords } from "./words.ts";

export interface GitProgramSettings {
  /** Must exist: a missing one looks like a missing git. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interactive: boolean;
  readonly timeoutMs: number;
}

export interface GitRun {
  readonly code: number;
  readonly stdout: Buffer;
  /** What git says to people, in English. */
  readonly stderr: string;
}

export interface GitRunOptions {
  readonly input?: Uint8Array;
  /** Beside the program's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Told each piece of what it writes to standard error, as it comes. */
  readonly onStderr?: (text: string) => void;
  /** Instead of the program's own limit; null for a person who is being asked. */
  readonly timeoutMs?: number | null;
  readonly signal: AbortSignal;
}

/** Runs the `git` that stands on the PATH. */
export interface GitProgram {
  /**
   * Runs it to its end; what its exit code means is the caller's to say.
   * @throws FederationError AG4006, AG2008, AG2009, AG2010; the signal's reason when the caller aborted.
   */
  run(args: readonly string[], options: GitRunOptions): Promise<GitRun>;
  /** As {@link run}, for what cannot fail in a repository that is well. @throws FederationError AG4008 beside. */
  ask(args: readonly string[], options: GitRunOptions): Promise<string>;
  /** Starts one that stays. */
  start(args: readonly string[]): ChildProcessWithoutNullStreams;
  /** Ends what still runs, and waits for that. */
  close(): Promise<void>;
}

const STDOUT_MAX_BYTES = 64 * 1024 * 1024;
const STDERR_MAX_CHARS = 8_000;
/** Exit code for options that this git does not know. */
const USAGE_CODE = 129;
/** How long a process that was asked to end may take, before it is made to. */
const END_MAX_MS = 2_000;

export function createGitProgram(settings: GitProgramSettings): GitProgram {
  const children = new Set<ChildProcess>();

  function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const child = spawn("git", [...args], {
      cwd: settings.directory,
      env: { ...quietEnvironment(settings), ...environment },
      stdio: ["pipe", "pipe", "pipe"],
      // A session of its own has no terminal, so that neither git nor ssh can ask there; and it can be ended as a whole.
      detached: !settings.interactive,
    });
    children.add(child);
    child.once("close", () => children.delete(child));
    child.once("error", () => children.delete(child));
    // A process may end without reading all of its input; its exit code says why.
    child.stdin.on("error", () => undefined);
    return child;
  }

  async function run(
    args: readonly string[],
    { input, environment, onStderr, timeoutMs = settings.timeoutMs, signal }: GitRunOptions,
  ): Promise<GitRun> {
    signal.throwIfAborted();
    const child = start(args, environment);
    const verb = args.find((arg) => !arg.startsWith("-")) ?? "";
    child.stdin.end(input);
    if (onStderr !== undefined) child.stderr.on("data", (chunk: Buffer) => onStderr(chunk.toString("utf8")));
    const ended = collect(child, verb);
    const stopped = Promise.withResolvers<never>();
    const deadline =
      timeoutMs === null ? undefined : setTimeout(() => stopped.reject(tooSlow(verb, timeoutMs)), timeoutMs);
    const aborted = (): void => stopped.reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    try {
      const result = await Promise.race([ended, stopped.promise]);
      if (result.code !== USAGE_CODE) return result;
      throw new FederationError("AG4006", `git is too old for git ${verb}: ${serverWords(result.stderr, [])}`);
    } catch (error) {
      // What it still says when it is made to end is of no interest.
      ended.catch(() => undefined);
      end(child, settings);
      throw error;
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener("abort", aborted);
    }
  }

  return {
    run,
    start,
    async ask(args, options) {
      const { code, stdout, stderr } = await run(args, options);
      if (code === 0) return stdout.toString("utf8").trimEnd();
      throw new FederationError("AG4008", `git cannot use ${settings.directory}: ${serverWords(stderr, [])}`);
    },
    async close() {
      await Promise.all(
        [...children].map(async (child) => {
          const closed = new Promise((resolve) => child.once("close", resolve));
          end(child, settings);
          await closed;
        }),
      );
    },
  };
}

/** Git as the person has set it up, but it speaks English, takes no optional locks, and shows what is really there. */
function quietEnvironment({ environment, interactive }: GitProgramSettings): Record<string, string | undefined> {
  return {
    ...environment,
    LC_ALL: "C",
    LANGUAGE: "",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    ...(interactive ? {} : { GIT_TERMINAL_PROMPT: "0", GCM_INTERACTIVE: "never" }),
  };
}

function collect(child: ChildProcessWithoutNullStreams, verb: string): Promise<GitRun> {
  const { promise, resolve, reject } = Promise.withResolvers<GitRun>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > STDOUT_MAX_BYTES) {
      return reject(new FederationError("AG2009", `git ${verb} printed more than ${STDOUT_MAX_BYTES} bytes`));
    }
    chunks.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_MAX_CHARS);
  });
  child.once("error", (error) => reject(notStarted(error)));
  child.once("close", (code, signalName) => {
    if (code !== null) return resolve({ code, stdout: Buffer.concat(chunks), stderr });
    reject(new FederationError("AG2008", `git ${verb} was ended by ${signalName}`));
  });
  return promise;
}

/** With everything that it started: git leaves its helpers behind where only it is ended. */
function end(child: ChildProcess, { interactive }: GitProgramSettings): void {
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    if (interactive) child.kill(name);
    else endGroup(child.pid, name);
  };
  signal("SIGTERM");
  const force = setTimeout(() => signal("SIGKILL"), END_MAX_MS);
  child.once("exit", () => {
    clearTimeout(force);
    if (!interactive && child.pid !== undefined) endGroup(child.pid, "SIGKILL");
  });
  // A helper that outlives git must not keep the pipes, and so this program, open.
  for (const stream of child.stdio) stream?.destroy();
}

function endGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended in this very moment.
  }
}

function notStarted(error: NodeJS.ErrnoException): FederationError {
  const what = error.code === "ENOENT" ? "is not installed" : `cannot be started (${error.code ?? "no cause given"})`;
  return new FederationError("AG4006", `git ${what}`, { cause: error });
}

function tooSlow(verb: string, timeoutMs: number): FederationError {
  return new FederationError("AG2010", `git ${verb} did not end within ${timeoutMs} ms`);
}
