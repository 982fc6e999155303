import type { Acted, Branch, Context, Local, Memory } from "./context.ts";
import { findFederator } from "./federator.ts";
import { findFormerLeader } from "./former-leader.ts";
import { lead } from "./lead.ts";
import { checkMembers } from "./members.ts";
import { pendingRestart, rememberRestart } from "./restart.ts";

/** When to look at AMKO's StatefulSet again while something waits for it; it is not watched. */
const WORKLOAD_AGAIN_MS = 30_000;

/** One pass of a leader in office: look around first, then export and apply, then remember what AMKO has not read yet. */
export async function serve(context: Context, branch: Branch, local: Local, memory: Memory): Promise<Acted> {
  const federator = findFederator(local);
  const checked = await checkMembers(context, branch, memory);
  const stop = federator ?? checked.stop;
  const acted = await lead(context, branch, local, checked.memory, stop);
  // Something was written or pushed: the pass that follows at once says how it stands.
  if (acted.againAfterMs === 0) return acted;
  const remembered = await rememberRestart(context, acted.local);
  const former = findFormerLeader(remembered, acted.memory);
  const watched = federator !== null || pendingRestart(remembered).length > 0;
  const times = [acted.againAfterMs, checked.againAfterMs, watched ? WORKLOAD_AGAIN_MS : null];
  const known = times.filter((time) => time !== null);
  return {
    ...acted,
    local: remembered,
    problem: acted.problem ?? stop,
    exportProblems: stop === null ? acted.exportProblems : { GSLBConfig: stop, GlobalDeploymentPolicy: stop },
    advice: former === null ? acted.advice : [...acted.advice, former],
    againAfterMs: known.length === 0 ? null : Math.min(...known),
  };
}
