import { isAllWell } from "./outcome.ts";
import { openStage, type Stage } from "./stage.ts";
import type { Step } from "./steps.ts";

/** Something that is played on a stage. */
export interface Job<Result> {
  readonly step: Step;
  /** True asks for a stage on which nothing has happened yet. */
  readonly fresh: boolean;
  play(stage: Stage): Promise<Result>;
  /** Told what came of it. */
  done(result: Result): Aftermath<Result>;
}

export interface Aftermath<Result> {
  /** Whether the stage can be used for another job. */
  readonly usable: boolean;
  /** What has to be played beside that, or once more. */
  readonly more: readonly Job<Result>[];
}

/** Several stages at once: most of the time an agent waits. */
export interface Crew {
  /** Plays the jobs until none is left, or the signal aborts; then what is under way is played to its end. */
  playAll<Result>(jobs: readonly Job<Result>[], signal: AbortSignal): Promise<void>;
  /** Ends the stages; says what is not well there although nothing went on any more. */
  stop(): Promise<readonly string[]>;
}

/** With every job the branch grows, and with it what a cluster that nobody knows has to read. */
const JOBS_PER_STAGE_MAX = 100;

export function createCrew(size: number): Crew {
  const idle: Stage[] = [];
  const findings: string[] = [];

  async function retire(stage: Stage): Promise<void> {
    const finding = await isAllWell(stage.world, stage.leads());
    if (finding !== null) findings.push(finding);
    await stage.stop();
  }

  async function goOnWith(stage: Stage, usable: boolean, played: number): Promise<Stage | null> {
    if (usable && played % JOBS_PER_STAGE_MAX !== 0) return stage;
    await (usable ? retire(stage) : stage.stop());
    return null;
  }

  async function work<Result>(queue: Job<Result>[], signal: AbortSignal): Promise<void> {
    let stage: Stage | null = idle.pop() ?? null;
    let played = 0;
    try {
      while (queue.length > 0 && !signal.aborted) {
        stage ??= await openStage();
        const job = takeNext(queue, await stage.policy());
        if (job === null) break;
        if (job.fresh) stage = await replace(stage);
        const { usable, more } = job.done(await job.play(stage));
        queue.push(...more);
        played += 1;
        stage = await goOnWith(stage, usable, played);
      }
    } catch (error) {
      // Nothing more can be said about anything: the others need not go on.
      queue.length = 0;
      throw error;
    } finally {
      if (stage !== null) idle.push(stage);
    }
  }

  return {
    async playAll(jobs, signal) {
      const queue = [...jobs];
      const crew = Array.from({ length: Math.min(size, queue.length) }, () => work(queue, signal));
      const failed = (await Promise.allSettled(crew)).find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    },
    async stop() {
      await Promise.all(idle.splice(0).map(retire));
      return findings;
    },
  };
}

async function replace(stage: Stage): Promise<Stage> {
  await stage.stop();
  return openStage();
}

/** The next job, one that begins as the stage is where there is one: nothing has to be made ready for it. */
function takeNext<Result>(queue: Job<Result>[], policy: Step["policy"]): Job<Result> | null {
  const fitting = queue.findIndex(({ step }) => step.policy === policy);
  const [job = null] = queue.splice(Math.max(0, fitting), 1);
  return job;
}
