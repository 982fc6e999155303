import { problem } from "../core/catalogue.ts";
import {
  BASE_ANNOTATION,
  type CommitId,
  type Content,
  type FederatedKind,
  type LiveObject,
  type Problem,
  type Snapshot,
  UUID_ANNOTATION,
} from "../core/model.ts";
import { objectOf, snapshotPatch } from "../core/patch.ts";
import type { Base } from "../core/plan.ts";
import { formatRevision } from "../core/records.ts";
import { contentOf, equalContent, snapshotOf } from "../core/snapshot.ts";
import { hasCode } from "../errors.ts";
import type { Branch, Context, Local } from "./context.ts";
import { droppedFields, returnsLive } from "./equality.ts";
import { withObject, withoutObject } from "./observe.ts";
import { standsInGit } from "./past.ts";
import { rescue } from "./rescue.ts";

/** One kind's way from what is live to what git says. */
export interface Application {
  readonly kind: FederatedKind;
  readonly snapshot: Snapshot;
  /** Where the snapshot stands in git: what becomes the base. */
  readonly revision: CommitId;
  /** Objects to remove: all that a tombstone means, or those under other names, last. */
  readonly doomed: readonly LiveObject[];
  readonly base: Base | null;
}

/** Why one kind could not be applied. */
export interface ApplyFailure {
  readonly kind: FederatedKind;
  readonly problem: Problem;
}

export interface Applied {
  readonly local: Local;
  /** Empty when the cluster holds it all. */
  readonly failures: readonly ApplyFailure[];
}

/**
 * Applies a revision: everything is sent as a dry run first, and only if all of it passes is it written, GSLBConfig
 * before GDP, each object in one request with its base. What is overwritten and stands nowhere in git is rescued
 * before. A failure between two writes leaves a state from which the next pass goes on.
 */
export async function applyRevision(
  context: Context,
  branch: Branch,
  local: Local,
  applications: readonly Application[],
): Promise<Applied> {
  const refused: ApplyFailure[] = [];
  for (const application of applications) {
    const cause = await rehearse(context, local, application);
    if (cause !== null) refused.push({ kind: application.kind, problem: cause });
  }
  if (refused.length > 0) return { local, failures: refused };
  let current = local;
  for (const application of applications) {
    current = await rescueOverwritten(context, branch, current, application);
  }
  for (const application of applications) current = await write(context, current, application);
  return { local: current, failures: applications.flatMap(lingering) };
}

/** The dry run of one kind; the problem that keeps the whole revision from being applied, or null. */
async function rehearse(context: Context, local: Local, application: Application): Promise<Problem | null> {
  const { kind, snapshot, doomed } = application;
  const live = local.objects[kind].find(({ metadata }) => metadata.name === snapshot.name);
  if (snapshot.deleted === null && live?.metadata.deletionTimestamp !== undefined) return beingDeleted(kind, live);
  try {
    for (const object of doomed) await removeObject(context, kind, object, true);
    if (snapshot.deleted !== null) return null;
    const returned = await writeSnapshot(context, local, application, true);
    const dropped = droppedFields(snapshot, returned);
    return dropped.length === 0 ? null : droppedProblem(local, kind, snapshot.name, dropped);
  } catch (error) {
    if (!hasCode(error, "AG3007")) throw error;
    return problem("AG3007", `${kind} ${snapshot.name} was refused in cluster ${local.self}: ${error.message}`);
  }
}

export function droppedProblem({ self }: Local, kind: FederatedKind, name: string, fields: readonly string[]): Problem {
  return problem("AG3008", `the CRD of ${kind} in cluster ${self} drops ${fields.join(", ")} of ${name}`);
}

/** Objects that were deleted and are still there, because somebody's finalizer keeps them. */
function lingering({ kind, doomed }: Application): readonly ApplyFailure[] {
  return doomed
    .filter(({ metadata }) => (metadata.finalizers ?? []).length > 0)
    .map((object) => ({ kind, problem: beingDeleted(kind, object) }));
}

function beingDeleted(kind: FederatedKind, { metadata }: LiveObject): Problem {
  const finalizers = metadata.finalizers?.join(", ") ?? "none";
  return problem("AG3017", `${kind} ${metadata.name} is being deleted; its finalizers: ${finalizers}`);
}

async function rescueOverwritten(
  context: Context,
  branch: Branch,
  local: Local,
  { kind, snapshot, base, doomed }: Application,
): Promise<Local> {
  let current = local;
  const overwritten = local.objects[kind].filter(({ metadata }) => metadata.name === snapshot.name);
  for (const object of new Set([...overwritten, ...doomed])) {
    const content = contentOf(object);
    // What was proposed, and merged in another form, is the base and stands in git no more.
    const past = base?.content.kind === "present" && base.step === undefined ? base.content : null;
    const known: readonly Content[] = [snapshot, ...(past === null ? [] : [past.filled])];
    if (known.some((one) => equalContent(one, content))) continue;
    if (await standsInGit(context, kind, content, branch.head)) continue;
    // What the base became here, by defaults that its CRD alone knows, or by an admission that fills in.
    const isPast = past?.snapshot.name === object.metadata.name;
    if (isPast && (await returnsLive(context, object, past.snapshot, branch.head))) continue;
    current = await rescue(context, current, snapshotOf(kind, object));
  }
  return current;
}

async function write(context: Context, local: Local, application: Application): Promise<Local> {
  const { kind, snapshot, revision, doomed } = application;
  let current = local;
  if (snapshot.deleted === null) {
    current = withObject(current, kind, await writeSnapshot(context, current, application, false));
    tell(context, local, "Applied", { kind, name: snapshot.name, revision });
  }
  // One that is being deleted already waits for its finalizers, not for another request.
  for (const object of doomed.filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
    await removeObject(context, kind, object, false);
    current = withoutObject(current, kind, object.metadata.name);
    tell(context, local, "Deleted", { kind, name: object.metadata.name, revision });
  }
  return current;
}

function tell(
  { log, note, telemetry }: Context,
  { self }: Local,
  reason: "Applied" | "Deleted",
  { kind, name, revision }: { readonly kind: FederatedKind; readonly name: string; readonly revision: CommitId },
): void {
  telemetry.happened({ fact: "applied", kind, action: reason === "Applied" ? "write" : "delete" });
  log("info", reason.toLowerCase(), { kind, object: name, revision, cluster: self });
  const what = reason === "Applied" ? "is" : "was deleted,";
  note({ type: "Normal", reason, message: `${kind} ${name} ${what} as ${revision.slice(0, 8)} says.` });
}

async function writeSnapshot(
  { cluster, settings, signal }: Context,
  { objects }: Local,
  { snapshot, revision }: Application,
  dryRun: boolean,
): Promise<LiveObject> {
  const base = formatRevision(settings.branch, revision);
  const { kind, name } = snapshot;
  const live = objects[kind].find(({ metadata }) => metadata.name === name);
  if (live === undefined) return cluster.create(objectOf(snapshot, base), { dryRun }, signal);
  const target = { kind, name, resourceVersion: live.metadata.resourceVersion };
  return cluster.patch(target, snapshotPatch(live, snapshot, base), { dryRun }, signal);
}

async function removeObject(
  { cluster, signal }: Context,
  kind: FederatedKind,
  { metadata }: LiveObject,
  dryRun: boolean,
): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  await cluster.remove({ kind, name, uid, resourceVersion }, { dryRun }, signal);
}

/** What the head says of a kind, and the object that bears its name here; null where there is not both. */
function findHeld(
  kind: FederatedKind,
  { objects }: Local,
  { view }: Branch,
): { readonly snapshot: Snapshot; readonly object: LiveObject } | null {
  const state = view.kinds[kind];
  if (state.kind !== "present") return null;
  const object = objects[kind].find(({ metadata }) => metadata.name === state.snapshot.name);
  return object === undefined ? null : { snapshot: state.snapshot, object };
}

/** The UUID that stands in git, where somebody took it off the object here. */
export function lostUuid(kind: FederatedKind, local: Local, branch: Branch): string | null {
  const held = findHeld(kind, local, branch);
  if (held === null || Object.hasOwn(held.object.metadata.annotations ?? {}, UUID_ANNOTATION)) return null;
  return held.snapshot.annotations[UUID_ANNOTATION] ?? null;
}

/** Says that an object holds the head: its annotation, where it does not say so already, and AMKO's UUID if it was lost. */
export async function settleBase(
  { cluster, settings, signal }: Context,
  kind: FederatedKind,
  local: Local,
  branch: Branch,
): Promise<Local> {
  const base = formatRevision(settings.branch, branch.head);
  const held = findHeld(kind, local, branch);
  if (held === null) return local;
  const { object } = held;
  const { annotations = {}, name, resourceVersion } = object.metadata;
  const uuid = lostUuid(kind, local, branch);
  if (annotations[BASE_ANNOTATION] === base && uuid === null) return local;
  const content = snapshotOf(kind, object);
  const kept =
    uuid === null ? content : { ...content, annotations: { ...content.annotations, [UUID_ANNOTATION]: uuid } };
  const patch = snapshotPatch(object, kept, base);
  return withObject(
    local,
    kind,
    await cluster.patch({ kind, name, resourceVersion }, patch, { dryRun: false }, signal),
  );
}
