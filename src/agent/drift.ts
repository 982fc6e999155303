import { problem } from "../core/catalogue.ts";
import { diffFields, formatFieldPath } from "../core/diff.ts";
import { correctionWaitMs, countCorrection } from "../core/fight.ts";
import type { FederatedKind, Problem } from "../core/model.ts";
import type { FollowerDecision, GitContent, KindFacts } from "../core/plan.ts";
import { contentOf, equalContent } from "../core/snapshot.ts";
import { lastWriter } from "../core/writers.ts";
import type { Context, Local, Memory } from "./context.ts";

export interface Drift {
  readonly kind: FederatedKind;
  readonly problem: Problem;
}

/** What differs although this cluster held the head already: somebody edited it here. */
export function findDrift(
  { self }: Local,
  { kind, live, base, head }: KindFacts,
  decision: FollowerDecision,
): readonly Drift[] {
  if (decision.kind !== "apply" || base === null) return [];
  // The same revision says the same, also where a UUID that people put there is not followed.
  if (base.revision !== head.revision && !sameContent(base.content, head.content)) return [];
  const { snapshot } = decision;
  const object = live.find(({ metadata }) => metadata.name === snapshot.name);
  const filled = head.content.kind === "present" ? head.content.filled : null;
  const others = decision.doomed.map(({ metadata }) => `${metadata.name} is there`);
  const fields =
    object === undefined || filled === null
      ? ["the object itself"]
      : diffFields({ ...filled }, { ...contentOf(object) }).map(({ path }) => formatFieldPath(path));
  const writer = object === undefined ? null : lastWriter(object);
  const who = writer === null ? "" : ` by ${writer}`;
  const what = shorten([...fields, ...others]).join(", ");
  const text = `${kind} ${snapshot.name} was changed in cluster ${self}${who}: ${what}`;
  return [{ kind, problem: problem("AG5013", text) }];
}

const FIELDS_MAX = 20;

function shorten(fields: readonly string[]): readonly string[] {
  const rest = fields.length - FIELDS_MAX;
  return rest > 0 ? [...fields.slice(0, FIELDS_MAX), `and ${rest} more`] : fields;
}

/** The cluster held this content already, whatever revisions came since. */
function sameContent(base: GitContent, head: GitContent): boolean {
  if (base.kind === "never" || head.kind === "never") return false;
  return base.kind === head.kind && base.snapshot.name === head.snapshot.name && equalContent(base.filled, head.filled);
}

export interface DriftVerdict {
  /** Why a kind is left as it is for now; the others are put back. */
  readonly left: ReadonlyMap<FederatedKind, Problem>;
  readonly againAfterMs: number | null;
}

/** Puts it back at once, unless the agent only reports, or somebody keeps fighting: then less and less often. */
export function judgeDrift({ settings, clock }: Context, memory: Memory, drifts: readonly Drift[]): DriftVerdict {
  const elapsedMs = clock.elapsedMs();
  const left = new Map<FederatedKind, Problem>();
  const rests: number[] = [];
  for (const { kind, problem: cause } of drifts) {
    const waitMs = correctionWaitMs(memory.corrections[kind], elapsedMs);
    if (settings.drift === "report") left.set(kind, cause);
    else if (waitMs > 0) {
      const { count = 0 } = memory.corrections[kind] ?? {};
      const text = `${cause.message}; it was put back ${count} times already and waits now`;
      left.set(kind, problem("AG5019", text));
      rests.push(waitMs);
    }
  }
  return { left, againAfterMs: rests.length === 0 ? null : Math.min(...rests) };
}

/** Counts and tells what has been put back. */
export function noteCorrections(
  { clock, log, note, telemetry }: Context,
  { self }: Local,
  memory: Memory,
  drifts: readonly Drift[],
): Memory {
  if (drifts.length === 0) return memory;
  const corrections = { ...memory.corrections };
  for (const { kind, problem: cause } of drifts) {
    corrections[kind] = countCorrection(corrections[kind], clock.elapsedMs());
    telemetry.happened({ fact: "corrected", kind });
    log("warn", "drift was corrected", { cluster: self, cause: cause.message });
    note({ type: "Warning", reason: "DriftCorrected", message: `${cause.message}. It was put back. ${cause.remedy}` });
  }
  return { ...memory, corrections };
}
