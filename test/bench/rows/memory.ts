import { residentMebibytes } from "../../support/process-usage.ts";
import { type Figure, summarize } from "../figure.ts";
import type { Row } from "../row.ts";
import { leaveToAgents, startStage } from "../stage.ts";

const RESIDENT_MAX_MEBIBYTES = 150;
/** Beside what it held after a quarter of the changes. */
const FLAT_MAX = 1.1;
const SAMPLES = 20;

/** How much memory agents hold while changes come one after the other; `npm run soak` goes on for much longer. */
export const memory: Row = {
  name: "memory",
  explanation: "resident memory of a leader and a follower while changes come one after the other",
  on: "any",
  isInDesign: true,
  async run({ changes }, say) {
    const stage = await startStage({ followers: 1, restMs: 0 });
    try {
      const { leader, followers } = stage.world;
      const watched = [leader, ...followers];
      const resident = watched.map((): number[] => []);
      const every = Math.max(1, Math.floor(changes / SAMPLES));
      for (let change = 1; change <= changes; change += 1) {
        await stage.change(leaveToAgents, followers);
        if (change % every !== 0) continue;
        say(`${change} of ${changes} changes`);
        for (const [index, { agent }] of watched.entries()) {
          resident[index]?.push(await residentMebibytes(agent()?.pid ?? 0));
        }
      }
      return watched.map((_, index) => figureOf(index === 0 ? "leader" : "follower", resident[index] ?? [], changes));
    } finally {
      await stage.stop();
    }
  },
};

/** The floor is what it held in the first quarter: what stays flat has a ratio of about one. */
function figureOf(role: string, resident: readonly number[], changes: number): Figure {
  const quarter = Math.ceil(resident.length / 4);
  const measured = summarize(resident.slice(-quarter));
  const floor = summarize(resident.slice(0, quarter));
  return {
    what: `memory of a ${role} after ${changes} changes (beside it, after a quarter of them)`,
    unit: "MiB",
    measured,
    floor,
    goal: `under ${RESIDENT_MAX_MEBIBYTES} MiB, and flat: at most ${FLAT_MAX} x the first quarter`,
    met: measured.median < RESIDENT_MAX_MEBIBYTES && measured.median <= FLAT_MAX * floor.median,
  };
}
