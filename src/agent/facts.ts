import { FEDERATED_KINDS, type FederatedKind, type LiveObject, UUID_ANNOTATION } from "../core/model.ts";
import type { Head, KindFacts } from "../core/plan.ts";
import { contentOf } from "../core/snapshot.ts";
import { isFromGit, readBase } from "./base.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";
import { judgeEquality } from "./equality.ts";
import { type Purpose, resolveHead } from "./head.ts";
import { readSteps, standsInGit } from "./past.ts";

/** What facts are gathered from, and what for. */
export interface Seen {
  readonly branch: Branch;
  readonly local: Local;
  readonly memory: Memory;
  readonly purpose: Purpose;
}

export interface Gathered {
  /** In the order of the kinds. */
  readonly facts: readonly KindFacts[];
  readonly memory: Memory;
}

/** Brings together all that decides about each kind, asking git's past and the API server only where it matters. */
export async function gatherFacts(context: Context, seen: Seen): Promise<Gathered> {
  const facts: KindFacts[] = [];
  let { memory } = seen;
  for (const kind of FEDERATED_KINDS) {
    const gathered = await gatherKind(context, kind, { ...seen, memory });
    facts.push(gathered.facts);
    memory = gathered.memory;
  }
  return { facts, memory };
}

async function gatherKind(
  context: Context,
  kind: FederatedKind,
  { branch, local, memory, purpose }: Seen,
): Promise<{ readonly facts: KindFacts; readonly memory: Memory }> {
  const base = await readBase(context, kind, local, branch);
  const head = await resolveHead(context, kind, { branch, base, live: local.objects[kind], purpose });
  const live = purpose === "lead" ? local.objects[kind].map((object) => keepUuid(head, object)) : local.objects[kind];
  // Where git says that it is deleted, it matters whether the cluster holds what git said before.
  const isDeleted = purpose === "lead" && head.content.kind === "deleted" && base?.content.kind === "present";
  const compared = isDeleted ? { ...head, content: base.content, revision: base.revision } : head;
  const equality = await judgeEquality(context, kind, { head: compared, branch, local, memory });
  const equalsHead = !isDeleted && equality.equal && live.every((object) => agreesOnUuid(head, object, purpose));
  const judged = { equalsHead, equalsBase: isDeleted && equality.equal };
  const known: KindFacts = { kind, live, base, head, ...judged, steps: [], standsInGit: false, fromGit: new Set() };
  const next = { ...memory, equality: { ...memory.equality, [kind]: equality } };
  if (equalsHead) return { facts: known, memory: next };
  const facts = purpose === "lead" ? await lookBack(context, branch, known) : await lookAround(context, branch, known);
  return { facts, memory: next };
}

/** Only a leader asks what happened in between: a follower takes the head, whatever its cluster holds. */
async function lookBack(context: Context, branch: Branch, facts: KindFacts): Promise<KindFacts> {
  const { kind, base, head, live } = facts;
  const steps = base === null ? [] : await readSteps(context, kind, branch.head, base);
  const known = steps === null ? null : base;
  const [object] = live;
  const unknown = known === null && head.content.kind === "deleted" && object !== undefined;
  const stands = unknown && (await standsInGit(context, kind, contentOf(object), branch.head));
  return { ...facts, base: known, steps: steps ?? [], standsInGit: stands };
}

/** A tombstone takes only what came from git. */
async function lookAround(context: Context, branch: Branch, facts: KindFacts): Promise<KindFacts> {
  const { kind, base, head, live } = facts;
  if (head.content.kind !== "deleted") return facts;
  const fromGit = new Set<string>();
  for (const object of live) {
    const stands = isFromGit(base, object) || (await standsInGit(context, kind, contentOf(object), branch.head));
    if (stands) fromGit.add(object.metadata.name);
  }
  return { ...facts, fromGit };
}

/** Taken off the leader's object by whoever replaced it, or created it again: it is AMKO's all the same, and comes back. */
function keepUuid({ content }: Head, object: LiveObject): LiveObject {
  const uuid = content.kind === "never" ? undefined : content.snapshot.annotations[UUID_ANNOTATION];
  const { annotations = {} } = object.metadata;
  if (uuid === undefined || Object.hasOwn(annotations, UUID_ANNOTATION)) return object;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [UUID_ANNOTATION]: uuid } } };
}

/** No apply takes a UUID off, so a server calls a head equal that lacks it: on a leader that is a change to export. */
function agreesOnUuid({ content }: Head, { metadata }: LiveObject, purpose: Purpose): boolean {
  if (content.kind !== "present") return true;
  const [held, wanted] = [metadata.annotations, content.snapshot.annotations].map((one) => one?.[UUID_ANNOTATION]);
  return held === wanted || (purpose === "follow" && wanted === undefined);
}
