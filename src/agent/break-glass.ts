import { problem } from "../core/catalogue.ts";
import { deepEqual, isObject } from "../core/json.ts";
import { EXPORT_ID_ANNOTATION, FEDERATED_KINDS, type FederatedKind, type Problem } from "../core/model.ts";
import { contentOf, equalContent, normalizeContent } from "../core/snapshot.ts";
import { isLocalLeader } from "./amko-cluster.ts";
import { isFromGit } from "./base.ts";
import type { Context, Local, Memory } from "./context.ts";
import { type Equality, isAbout } from "./equality.ts";
import { suspendedNow } from "./judge.ts";
import { tell } from "./report.ts";

/**
 * What somebody edited here while git cannot be read: it stands, and that is the way to act when git died with the
 * site. Only against a revision that this cluster is known to have held: what it never held is no edit. Null when there
 * is nothing to tell.
 */
export function findHandEdits(context: Context, local: Local, { branch, held, equality }: Memory): Problem | null {
  if (branch === null || held !== branch.revision.commit || local.records.head !== held) return null;
  const leads = branch.view.leadership.kind === "leader" && branch.view.leadership.cluster === local.self;
  const edited = FEDERATED_KINDS.filter((kind) => differs(context, local, branch, equality[kind] ?? null, kind));
  const amkoCluster = amkoClusterDiffers(local, branch) ? [`AMKOCluster ${local.amkoCluster.metadata.name}`] : [];
  const names = [
    ...amkoCluster,
    ...edited.map((kind) => `${kind} ${local.objects[kind][0]?.metadata.name ?? "(deleted)"}`),
  ];
  if (names.length === 0) return null;
  const suspension = suspendedNow(local.amkoCluster, context.clock.nowMs());
  const fates = [
    ...(edited.length > 0 ? [fateOfObjects(context, leads)] : []),
    ...(amkoCluster.length > 0 ? [fateOfAmkoCluster(context, local, leads)] : []),
  ];
  const fate = suspension === null ? fates.join(", and ") : "it stands as long as the agent is suspended";
  return problem(
    "AG5025",
    `${names.join(", ")} was edited in cluster ${local.self} while git cannot be read: it stands; when git can be read again ${fate}`,
  );
}

function fateOfObjects({ settings }: Context, leads: boolean): string {
  if (leads) return "the leader's edit is committed";
  return settings.drift === "report" ? "the edit is reported" : "git wins, after the edit was rescued";
}

function fateOfAmkoCluster({ settings }: Context, { amkoCluster }: Local, leads: boolean): string {
  const designated = !leads && isLocalLeader(amkoCluster.spec);
  if (designated && settings.localDesignation === "commit") return "isLeader: true becomes a commit";
  if (designated) return "isLeader is put back and a flip is proposed";
  return "the AMKOCluster is put back to what git says";
}

function differs(
  { schemas }: Context,
  { objects }: Local,
  { view }: NonNullable<Memory["branch"]>,
  equality: Equality | null,
  kind: FederatedKind,
): boolean {
  const state = view.kinds[kind];
  const [object] = objects[kind];
  // What never came from git stays beside a tombstone.
  if (state.kind === "deleted") return object !== undefined && isFromGit(null, object);
  if (state.kind !== "present") return false;
  if (object === undefined) return true;
  // Its export is under way: git may have it already.
  if (object.metadata.annotations?.[EXPORT_ID_ANNOTATION] !== undefined) return false;
  // A server may fill in more than our schemas know of.
  if (equality?.equal === true && isAbout(equality, object)) return false;
  const wanted = normalizeContent(state.snapshot, kind, schemas);
  return !equalContent(normalizeContent(contentOf(object), kind, schemas), wanted);
}

/** The fields that the agent writes from git. */
function amkoClusterDiffers({ self, amkoCluster }: Local, { view }: NonNullable<Memory["branch"]>): boolean {
  const manifest = view.manifests.get(self);
  const spec = isObject(amkoCluster.spec) ? amkoCluster.spec : {};
  if (manifest === undefined || view.leadership.kind !== "leader") return false;
  const clusters = manifest.clusters.includes(self) ? manifest.clusters : [self, ...manifest.clusters];
  return isLocalLeader(amkoCluster.spec) !== manifest.isLeader || !deepEqual(spec["clusters"], clusters);
}

/** Once, in an Event and in the log. */
export async function tellHandEdits(
  context: Context,
  local: Local,
  memory: Memory,
  edits: Problem | null,
): Promise<Memory> {
  if (edits === null || memory.told === edits.message) return memory;
  const { code, message, remedy } = edits;
  context.log("warn", "edited while git is away", { cluster: local.self, code, cause: message, remedy });
  const note = { type: "Warning", reason: "EditedWithoutGit", message: `${code} ${message}. ${remedy}` } as const;
  await tell(context, local, note);
  return { ...memory, told: message };
}
