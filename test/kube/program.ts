import { spawn } from "node:child_process";
import { appendFileSync, closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { KUBE_RUN_FOLDER } from "./environment.ts";

/** A server's process. It is only ever ended by its own id. */
export interface Program {
  readonly pid: number;
  /** False from the moment at which its end is known. */
  running(): boolean;
  /** Ends it as a loss of power would, and waits for that. */
  kill(): Promise<void>;
}

const LOG_TAIL_CHARACTERS = 4_000;

/**
 * Starts a program, its output appended to a file. While it runs its id stands in the run's folder, so that
 * {@link endLeftovers} finds it also when whoever started it is gone.
 */
export function startProgram(path: string, args: readonly string[], logFile: string): Program {
  const log = openSync(logFile, "a");
  const child = spawn(path, args, { stdio: ["ignore", log, log] });
  closeSync(log);
  const folder = process.env[KUBE_RUN_FOLDER] ?? "";
  const note = join(folder, `${child.pid ?? 0}.pid`);
  writeFileSync(note, path);
  appendFileSync(join(folder, STARTS_FILE), `${path}\n`);
  let running = true;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      running = false;
      rmSync(note, { force: true });
      resolve();
    };
    child.once("error", end);
    child.once("exit", end);
  });
  return {
    pid: child.pid ?? 0,
    running: () => running,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

const NOTE = /^(?<pid>\d+)\.pid$/;
/** One line for every start in a run. */
const STARTS_FILE = "starts";

/** How often a run started the program. */
export async function countStarts(folder: string, path: string): Promise<number> {
  const text = await readFile(join(folder, STARTS_FILE), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line === path).length;
}

/** The end of what a program wrote. */
export async function tailOf(logFile: string): Promise<string> {
  return (await readFile(logFile, "utf8").catch(() => "")).slice(-LOG_TAIL_CHARACTERS);
}

/** Ends what a run left behind because its own process was ended. Says how many there were. */
export async function endLeftovers(folder: string): Promise<number> {
  let ended = 0;
  for (const name of await readdir(folder)) {
    const pid = NOTE.exec(name)?.groups?.["pid"];
    if (pid === undefined) continue;
    const path = await readFile(join(folder, name), "utf8").catch(() => "");
    // The id may have been given to another process meanwhile.
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (path === "" || basename(command.split("\0")[0] ?? "") !== basename(path)) continue;
    process.kill(Number(pid), "SIGKILL");
    ended += 1;
  }
  return ended;
}
