import { fork } from "node:child_process";
import { join } from "node:path";
import type { Verdict } from "./one-seed.ts";
import type { Task } from "./worker.ts";

/** What is to be played, and by how many processes at once. */
export interface Shift {
  /** The project, or a copy of it that was broken on purpose. */
  readonly folder: string;
  readonly workers: number;
  readonly firstSeed: number;
  /** How many seeds from the first one on; null for as long as the signal lets it. */
  readonly histories: number | null;
  readonly shrinks: boolean;
  readonly lie: string | null;
  readonly signal: AbortSignal;
  /** Told of each history; says whether to go on. */
  told(verdict: Verdict): boolean;
}

/** Longer than the longest shrinking: a process that says nothing for so long goes round in a circle. */
const SILENCE_MAX_MS = 180_000;

/**
 * Plays seeds that follow one another, shared out among processes, until all are played or there is reason to end.
 * @throws Error when a process died or hung, with the seed that it was playing
 */
export async function playShift(shift: Shift): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([shift.signal, over.signal]);
  const shares = Array.from({ length: shift.workers }, (_, index) =>
    playShare(shift, index, signal, () => over.abort()),
  );
  try {
    await Promise.all(shares);
  } finally {
    over.abort();
    await Promise.allSettled(shares);
  }
}

async function playShare(shift: Shift, index: number, signal: AbortSignal, end: () => void): Promise<void> {
  const { folder, workers, firstSeed, histories, shrinks, lie, told } = shift;
  const count = histories === null ? null : Math.ceil((histories - index) / workers);
  if (count !== null && count <= 0) return;
  const task: Task = { first: firstSeed + index, step: workers, count, shrinks, lie };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = fork(join(folder, "test/simulation/worker.ts"), [JSON.stringify(task)], { cwd: folder });
  const kill = (): void => void child.kill("SIGKILL");
  const silence = setTimeout(kill, SILENCE_MAX_MS);
  let seed = task.first;
  signal.addEventListener("abort", kill, { once: true });
  child.on("message", (verdict: Verdict) => {
    if (signal.aborted) return;
    seed += workers;
    silence.refresh();
    if (!told(verdict)) end();
  });
  child.on("exit", (code, killedBy) => {
    clearTimeout(silence);
    if (code === 0 || signal.aborted) resolve();
    else reject(new Error(`the process that played seed ${seed} ended with ${code ?? killedBy}`));
  });
  return promise;
}
