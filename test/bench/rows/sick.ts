import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, ratioOf, summarize } from "../figure.ts";
import type { Row } from "../row.ts";
import { lastArrivals, leaveToAgents, type Stage, startStage } from "../stage.ts";

const HEALTHY = 5;
const SICK = 2;
const RATIO_MAX = 1.1;
const POLL_MS = 5_000;
const AWAY_MS = 12_000;

/** Some followers hang or are down: the others must not notice, and those must come back by themselves. */
export const sick: Row = {
  name: "sick",
  explanation: "the same with one follower that hangs and one that is down, and how a follower recovers",
  on: "any",
  isInDesign: true,
  async run({ samples }, say) {
    say("all healthy");
    const healthy = await arriveWithoutOthers(samples);
    const stage = await startStage({ followers: HEALTHY + SICK, doomed: SICK });
    try {
      const watched = stage.world.followers.slice(0, HEALTHY);
      await fall(stage);
      say("one hangs, one is down");
      const measured = summarize(await lastArrivals(stage, leaveToAgents, watched, samples));
      const figure: Figure = {
        what: `edit to the last of ${HEALTHY} healthy followers, one more hangs, one is down`,
        unit: "ms",
        measured,
        floor: summarize(healthy),
        goal: `at most ${RATIO_MAX} x the healthy figure (in place of the floor)`,
        met: null,
      };
      say("a follower that git could not be reached from");
      const recovered = await recover(Math.ceil(samples / 5));
      return [{ ...figure, met: (ratioOf(figure) ?? Number.NaN) <= RATIO_MAX }, recovered];
    } finally {
      await stage.stop();
    }
  },
};

/** As many clusters as are healthy later, and no others that would take processor time from them. */
async function arriveWithoutOthers(samples: number): Promise<readonly number[]> {
  const stage = await startStage({ followers: HEALTHY });
  try {
    return await lastArrivals(stage, leaveToAgents, stage.world.followers, samples);
  } finally {
    await stage.stop();
  }
}

/** The last but one takes requests and never answers; the last is gone, with its agent. */
async function fall({ world, memberProxies }: Stage): Promise<void> {
  const [hanging, dead] = world.followers.slice(HEALTHY);
  if (hanging === undefined || dead === undefined) throw new TypeError("nobody is left to fall");
  await Promise.all([hanging.agent()?.stop(), dead.agent()?.kill()]);
  memberProxies.get(hanging.name)?.setRules([{ match: {}, fault: { kind: "hang" } }]);
  await dead.crash();
}

/** A follower whose git was away while a change was made, from git's return on. */
async function recover(samples: number): Promise<Figure> {
  const poll = `*/${POLL_MS / 1000} * * * * *`;
  // Behind a proxy, so that git can go away for one of them alone; the delay is none to speak of.
  const stage = await startStage({ followers: 1, siteDelayMs: 0.5, agentFlags: { poll } });
  try {
    const [follower] = stage.world.followers;
    if (follower === undefined) throw new TypeError("there is no follower");
    const tookMs: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      follower.gitProxy.setRules([{ match: {}, fault: { kind: "refuse" } }]);
      let backMs = Number.NaN;
      const { lastMs } = await stage.change(async () => {
        await sleep(AWAY_MS);
        follower.gitProxy.clear();
        backMs = performance.now();
      }, [follower]);
      tookMs.push(lastMs - backMs);
    }
    const measured = summarize(tookMs);
    const goal = `within one poll, here every ${POLL_MS} ms, and a second`;
    const what = "a follower that git was away from, up to date again";
    return { what, unit: "ms", measured, floor: null, goal, met: measured.p95 <= POLL_MS + 1_000 };
  } finally {
    await stage.stop();
  }
}
