import { problem } from "./catalogue.ts";
import { type ChangeEffect, findEffects } from "./change-effects.ts";
import { judgeHandoverWithout, namedWithout } from "./handover-annotation.ts";
import { lineIn } from "./line-in.ts";
import { parseMessage, TRAILERS, trailerText, trailerValues } from "./message.ts";
import {
  type CommitId,
  FEDERATED_KINDS,
  type FederatedKind,
  type FederationView,
  type KindState,
  type Problem,
  type RevisionFile,
  type UsableKinds,
  UUID_ANNOTATION,
} from "./model.ts";

export interface ChangeFacts {
  /** What the tracked branch says without the change. */
  readonly base: FederationView;
  /** What clusters hold then: not what the base says, where that cannot be used. */
  readonly usable: UsableKinds;
  /** What it would say with it. */
  readonly head: FederationView;
  /** Of which that is the view. */
  readonly files: readonly RevisionFile[];
  /** What the change adds to the history. */
  readonly commits: readonly { readonly commit: CommitId; readonly message: string }[];
}

export interface ChangeVerdict {
  /** What the change does to the federation, for the people who review it. */
  readonly effects: readonly ChangeEffect[];
  /** What is wrong with its result, and with the change itself. */
  readonly problems: readonly Problem[];
}

/** Judges a change by what it starts from and what it leads to. Total: it never throws. */
export function judgeChange({ base, usable, head, files, commits }: ChangeFacts): ChangeVerdict {
  return {
    effects: findEffects(base, head),
    problems: [
      ...resultProblems(base, head),
      ...FEDERATED_KINDS.flatMap((kind) => judgeSnapshot(kind, base.kinds[kind], head.kinds[kind])),
      ...FEDERATED_KINDS.flatMap((kind) => judgeUuid(usable[kind], head.kinds[kind], files)),
      ...judgeAuthors(base, commits, touchedPath(base, head)),
      ...judgeHandoverWithout(head, files),
    ],
  };
}

/**
 * A failover may leave out the cluster that is lost: it cannot follow anyway, whatever its version. That is no error of
 * the commit that takes over without it; of later ones, and of the branch, it is.
 */
function resultProblems(base: FederationView, head: FederationView): readonly Problem[] {
  const { leadership } = head;
  if (leadership.kind !== "leader") return head.problems;
  const { cluster } = leadership;
  const leftOver = namedWithout(base.manifests.get(cluster));
  const lost = [...namedWithout(head.manifests.get(cluster))].filter((one) => !leftOver.has(one));
  const tolerated = new Set(lost.map((one) => head.members.get(one)?.problem));
  return head.problems.map((one) => (tolerated.has(one) ? { ...one, severity: "warning" } : one));
}

function judgeSnapshot(kind: FederatedKind, base: KindState, head: KindState): readonly Problem[] {
  const lost = (base.kind === "present" || base.kind === "deleted") && head.kind === "absent";
  return lost ? [lostFile(kind, base)] : [];
}

/** Sticky: a detour over a file that is missing or unusable does not take it off either. */
function judgeUuid(held: KindState, head: KindState, files: readonly RevisionFile[]): readonly Problem[] {
  if (held.kind !== "present" && held.kind !== "deleted") return [];
  if (head.kind !== "present" && head.kind !== "deleted") return [];
  const former = held.snapshot.annotations[UUID_ANNOTATION];
  const next = head.snapshot.annotations[UUID_ANNOTATION];
  if (former === undefined || former === next) return [];
  const what = next === undefined ? `loses ${UUID_ANNOTATION}` : `changes ${UUID_ANNOTATION} to ${next}`;
  const line = lineIn(files, head.path, ["metadata", "annotations", UUID_ANNOTATION]);
  return [problem("AG1025", `the change ${what}; it was ${former}`, { path: head.path, line })];
}

/** Without a tombstone's file the tombstone still counts, since the history has it. */
function lostFile(kind: FederatedKind, base: KindState & { readonly path: string }): Problem {
  const [what, severity] =
    base.kind === "deleted" ? (["tombstone", "warning"] as const) : (["snapshot", "error"] as const);
  const message = `the ${what} of the ${kind} was removed; a missing file deletes nothing`;
  return problem("AG1024", message, { path: base.path, severity });
}

/** The first snapshot that the change touches, or the folder of them all. */
function touchedPath(base: FederationView, head: FederationView): string {
  const touched = FEDERATED_KINDS.flatMap((kind) => {
    const [before, after] = [base.kinds[kind], head.kinds[kind]];
    const differs = JSON.stringify(before) !== JSON.stringify(after);
    return differs && (after.kind === "present" || after.kind === "deleted") ? [after.path] : [];
  });
  return touched[0] ?? "federation";
}

/** An export counts only as the word of the cluster that leads where it is merged. */
function judgeAuthors(
  { leadership }: FederationView,
  commits: ChangeFacts["commits"],
  path: string,
): readonly Problem[] {
  const leader = leadership.kind === "leader" || leadership.kind === "invalid" ? leadership.cluster : null;
  const standing = leader === null ? "where nobody leads" : `where ${leader} leads`;
  return commits.flatMap(({ commit, message }) => {
    const others = trailerValues(parseMessage(message), TRAILERS.from).filter(
      (from) => leader === null || from !== trailerText(leader),
    );
    return [...new Set(others)].map((from) =>
      problem("AG1026", `commit ${commit.slice(0, 8)} says ${TRAILERS.from}: ${from}, ${standing}`, { path }),
    );
  });
}
