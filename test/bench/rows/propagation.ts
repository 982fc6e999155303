import { type Figure, ratioOf, summarize } from "../figure.ts";
import { prepareFloor } from "../floor.ts";
import type { Row } from "../row.ts";
import { dismissAgents, lastArrivals, leaveToAgents, startStage } from "../stage.ts";

/** AMKO's own federator, on a quiet machine of this kind, by the number of followers. */
const FEDERATOR_MS: ReadonlyMap<number, number> = new Map([
  [1, 33],
  [5, 180],
  [10, 380],
]);
const FLOOR_RATIO_MAX = 1.5;
/** Between every two sites. */
const ROUND_TRIP_MS = 50;
const DISTANT_MAX_MS = 600;

export const propagation: Row = {
  name: "propagation",
  explanation: "an edit on the leader until the last follower's object has it, on one machine",
  on: "any",
  isInDesign: true,
  async run({ followers, samples }, say) {
    const figures: Figure[] = [];
    for (const count of followers) {
      say(`${count} followers`);
      const single = figures[0]?.measured.median ?? Number.NaN;
      figures.push(await compare(count, 0, samples, (figure) => judge(figure, count, single)));
    }
    return figures;
  },
};

export const distance: Row = {
  name: "distance",
  explanation: "the same with 50 ms of round trip between every two sites",
  on: "any",
  isInDesign: true,
  run: async ({ samples }) => [
    await compare(5, ROUND_TRIP_MS / 2, samples, (figure) => ({
      ...figure,
      goal: `at most ${DISTANT_MAX_MS} ms`,
      met: figure.measured.median <= DISTANT_MAX_MS,
    })),
  ],
};

async function compare(
  followers: number,
  siteDelayMs: number,
  samples: number,
  judged: (figure: Figure) => Figure,
): Promise<Figure> {
  const stage = await startStage({ followers, siteDelayMs });
  try {
    const { followers: watched } = stage.world;
    const measured = await lastArrivals(stage, leaveToAgents, watched, samples);
    await dismissAgents(stage.world);
    const floor = await lastArrivals(stage, await prepareFloor(stage), watched, samples);
    const far = siteDelayMs === 0 ? "" : `, ${2 * siteDelayMs} ms apart`;
    const what = `edit to last follower, ${followers === 1 ? "1 follower" : `${followers} followers`}${far}`;
    return judged({ what, unit: "ms", measured: summarize(measured), floor: summarize(floor), goal: "", met: null });
  } finally {
    await stage.stop();
  }
}

function judge(figure: Figure, followers: number, singleMs: number): Figure {
  const ratio = ratioOf(figure) ?? Number.NaN;
  const federatorMs = FEDERATOR_MS.get(followers);
  if (federatorMs === undefined) {
    const goal = `far less than ${followers} x the figure of 1 follower: at most ${followers / 2} x`;
    return { ...figure, goal, met: figure.measured.median <= (singleMs * followers) / 2 };
  }
  if (followers === 1)
    return { ...figure, goal: `at most ${FLOOR_RATIO_MAX} x the floor`, met: ratio <= FLOOR_RATIO_MAX };
  const floorMs = figure.floor?.median ?? 0;
  const goalMs = floorMs > federatorMs ? FLOOR_RATIO_MAX * floorMs : federatorMs;
  const goal = `at most ${federatorMs} ms; ${FLOOR_RATIO_MAX} x a floor that is above that`;
  return { ...figure, goal, met: figure.measured.median <= goalMs };
}
