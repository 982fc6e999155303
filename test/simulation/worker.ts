import { LIES } from "./lies.ts";
import { playSeed } from "./one-seed.ts";

/** What a process is to play: every `step`th seed from the first one on. */
export interface Task {
  readonly first: number;
  readonly step: number;
  /** Null for as long as it is let. */
  readonly count: number | null;
  /** Whether a failing history is made as short as it goes. */
  readonly shrinks: boolean;
  /** What the agents are told that is not so; null for nothing. */
  readonly lie: string | null;
}

const { first, step, count, shrinks, lie } = JSON.parse(process.argv[2] ?? "") as Task;
const tampering = LIES.find(({ name }) => name === lie)?.tampering ?? {};

for (let played = 0; count === null || played < count; played += 1) {
  const verdict = await playSeed(first + played * step, tampering, shrinks);
  await new Promise((resolve) => process.send?.(verdict, resolve));
}
