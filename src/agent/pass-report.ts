import { clusterRef } from "../core/refs.ts";
import type { PassReport, Wake } from "../core/telemetry.ts";
import type { AgentSettings, Result } from "./context.ts";

/** What a pass came to, for those who count. */
export function reportPass(
  { memory, state, error, stance }: Result,
  settings: Pick<AgentSettings, "cluster">,
  wakes: ReadonlySet<Wake>,
  durationMs: number,
): PassReport {
  const { branch, refs, corrections } = memory;
  const self = settings.cluster ?? memory.self;
  return {
    wakes,
    durationMs,
    state,
    error: error?.code ?? null,
    stance,
    cluster: self,
    viewProblems: branch?.view.problems ?? [],
    headAtSeconds: branch?.revision.committedAtSeconds ?? null,
    inOffice: self !== null && refs?.has(clusterRef("leading", self)) === true,
    corrections,
  };
}
