import { refsUnder } from "../support/federation.ts";
import { setBranch } from "../support/git.ts";
import { waitUntil } from "../support/world.ts";
import { findWrongs, waitForOutcome } from "./outcome.ts";
import type { Asked, Role, Stage, Trouble } from "./stage.ts";
import { type Step, stepNamed } from "./steps.ts";
import { listenTo, type Voice } from "./voice.ts";

/** What came of a step that was played. */
export interface Played {
  /** What should not be; nothing where all is well. After that the stage cannot be used any more. */
  readonly wrongs: readonly string[];
  /** The codes that each agent said meanwhile, as often as it said them. */
  readonly codes: Readonly<Record<Role, readonly string[]>>;
}

/** Plays a step amid trouble, waits until the federation has come to rest, and looks whether all is well. */
export async function playStep(stage: Stage, step: Step, trouble: Trouble): Promise<Played> {
  const { world } = stage;
  const unset = await setTheScene(stage, step).then(
    () => null,
    (error: unknown) => `the step could not begin: ${describe(error)}`,
  );
  if (unset !== null) return { wrongs: [unset], codes: { leader: [], follower: [] } };
  const since = await world.head();
  const voices = { leader: listenTo(stage.leads()), follower: listenTo(stage.follows()) };
  const end = stage.trouble(trouble);
  const wrongs: string[] = [];
  try {
    const wanted = await step.act(stage);
    const settle = async (): Promise<void> => {
      const outcome = await waitForOutcome(world, wanted, () => trouble.alternatives(wanted));
      if (outcome !== null) wrongs.push(...(await findWrongs(world, outcome, since)));
    };
    await trouble.over();
    await settle();
    await waitForWord(voices, trouble.heard());
    wrongs.push(...(await end()));
    if (await trouble.over()) await settle();
  } catch (error) {
    wrongs.push(...(await end()), describe(error));
  }
  wrongs.push(...stage.lost().map((name) => `the agent of ${name} did not survive`));
  for (const voice of Object.values(voices)) wrongs.push(...(await voice.complaints()));
  return { wrongs, codes: { leader: await voices.leader.codes(), follower: await voices.follower.codes() } };
}

/** A fetch that failed says why in its cause only. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

/** A request that hangs is told of after its time limit, which the federation need not wait for. */
async function waitForWord(voices: Readonly<Record<Role, Voice>>, asked: Asked | null): Promise<void> {
  if (asked === null) return;
  const voice = voices[asked.role];
  const word = asked.side === "members" ? voice.statusCodes : voice.codes;
  await waitUntil("the agent says a code", async () => (await word()).length > 0);
}

/** Nothing is done to it. */
export const NO_TROUBLE: Trouble = {
  began: () => undefined,
  arrived: async () => null,
  answered: async () => undefined,
  over: async () => false,
  heard: () => null,
  alternatives: () => [],
};

/** Brings the federation to where the step begins. @throws Error where it does not get there */
async function setTheScene(stage: Stage, step: Step): Promise<void> {
  const { world } = stage;
  for (const ref of await refsUnder(world, "rescue/")) await setBranch(world.repositoryFolder, ref, null);
  if ((await stage.policy()) !== step.policy) {
    const outcome = await stepNamed(step.policy === "there" ? "create" : "delete").act(stage);
    await waitForOutcome(world, outcome);
  }
  await step.prepare?.(stage);
}
