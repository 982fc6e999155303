import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { fileURLToPath } from "node:url";

/** The launcher, from the sources and from the compiled package alike. */
const LAUNCHER = fileURLToPath(new URL("../../src/launch.js", import.meta.url));
const STOP_GRACE_MS = 10_000;

export interface AgentProcessOptions {
  /** Flags without their dashes, with their values: `{ repo: "http://…" }`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Where its log goes; appended to. */
  readonly logFile: string;
  /** A command that runs the command that follows it: `["env", "TMPDIR=/none"]`. */
  readonly runBy?: readonly string[];
  /** The program's launcher; this program's own by default. */
  readonly launcher?: string;
}

/** A real agent in a process of its own. */
export interface AgentProcess {
  readonly pid: number;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Asks it to stop, and ends it where it does not. */
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

export function startAgentProcess({
  flags,
  logFile,
  runBy = [],
  launcher = LAUNCHER,
}: AgentProcessOptions): AgentProcess {
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const log = createWriteStream(logFile, { flags: "a" });
  const [program = "", ...rest] = [...runBy, process.execPath, launcher, "agent", ...args];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = watchExit(child, log);
  return {
    pid: child.pid ?? 0,
    exited,
    async stop() {
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
      child.kill("SIGTERM");
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function watchExit(child: ChildProcess, log: WriteStream): Promise<number | string> {
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      log.end();
      resolve(code ?? signal ?? 0);
    });
  });
}
