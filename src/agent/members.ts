import { judgeMembers, type MemberAnswers, stopsExport } from "../core/members.ts";
import type { ClusterName, Problem } from "../core/model.ts";
import { refsByCluster } from "../core/refs.ts";
import { designate } from "../core/role.ts";
import { evaluate } from "../core/view.ts";
import type { Branch, Context, Memory } from "./context.ts";

/** How old an answer of the members may be that a leader relies on, while nothing is wrong. */
const ANSWERS_AGE_MAX_MS = 30_000;
/** While something stops the export, people wait for it to be over: every poll looks, unless polls follow fast. */
const STOPPED_AGE_MAX_MS = 3_000;
/** Where polls are far between. */
const STOPPED_AGAIN_MS = 30_000;

export interface Checked {
  readonly memory: Memory;
  /** Why this leader must not export; null when it may. */
  readonly stop: Problem | null;
  readonly againAfterMs: number | null;
}

/**
 * What the members' credentials bring to light, for a leader in office. It exports on answers that may be half a minute
 * old: git is the fence, this is a second look, and a member that hangs must delay no edit.
 */
export async function checkMembers(context: Context, { view }: Branch, memory: Memory): Promise<Checked> {
  const clusters = [...view.members.keys()];
  const acknowledged = refsByCluster(memory.refs ?? new Map(), "applied");
  const stopped = stopsExport(memory.findings) !== null;
  const ageMaxMs = stopped ? STOPPED_AGE_MAX_MS : ANSWERS_AGE_MAX_MS;
  const answers = await context.members.consult({ clusters, acknowledged, ageMaxMs }, context.signal);
  const conflicts = await findConflicts(context, clusters, answers);
  const findings = judgeMembers(clusters, answers, conflicts);
  const stop = stopsExport(findings);
  return { memory: { ...memory, findings }, stop, againAfterMs: stop === null ? null : STOPPED_AGAIN_MS };
}

/**
 * Members that lead although they had acknowledged a revision in which they follow, before they were asked. One that
 * has not acknowledged its demotion yet is on its way, and its ref under leading/ tells of it.
 */
async function findConflicts(
  { repository, schemas, viewCache, signal }: Context,
  clusters: readonly ClusterName[],
  { readings }: MemberAnswers,
): Promise<readonly ClusterName[]> {
  const conflicts: ClusterName[] = [];
  for (const self of clusters) {
    const reading = readings.get(self);
    if (reading?.kind !== "answered" || !reading.leads || reading.acknowledged === null) continue;
    const { files } = await repository.read(reading.acknowledged, signal);
    const view = evaluate(files, schemas, viewCache);
    if (designate({ self, view, identity: null }) === "follower") conflicts.push(self);
  }
  return conflicts;
}
