import { problem } from "../core/catalogue.ts";
import {
  BASE_ANNOTATION,
  EXPORT_ID_ANNOTATION,
  type FederatedKind,
  type Problem,
  UUID_ANNOTATION,
} from "../core/model.ts";
import { annotationPatch } from "../core/patch.ts";
import { formatRevision } from "../core/records.ts";
import { hasCode } from "../errors.ts";
import type { Branch, Context, Local } from "./context.ts";
import { type Export, exportProblem, nameOf } from "./export.ts";
import { withObject } from "./observe.ts";
import { writeRecords } from "./record.ts";

/**
 * Before a push a fresh id is written beside the base that was used; the commit carries it, so that a push whose
 * answer was lost is recognised, and a restored cluster is not deceived.
 */
export async function recordExports(
  context: Context,
  branch: Branch,
  local: Local,
  exports: readonly Export[],
  exportId: string,
): Promise<RecordedExports> {
  let current = local;
  const recorded: Export[] = [];
  const refused = new Map<FederatedKind, Problem>();
  for (const one of exports) {
    try {
      const written = await recordExport(context, branch, current, one, exportId);
      current = written.local;
      recorded.push(written.one);
    } catch (error) {
      // It would not be recognised if its answer was lost: that kind stays out of git, and the others do not wait.
      if (!hasCode(error, "AG3007")) throw error;
      const text = `${one.kind} ${nameOf(one)} cannot be exported, since its export's id was refused: ${error.message}`;
      refused.set(one.kind, problem("AG3007", text));
    }
  }
  return { local: current, exports: recorded, refused };
}

export interface RecordedExports {
  readonly local: Local;
  /** With each object as it was when the id was written to it: that is what the commit holds. */
  readonly exports: readonly Export[];
  /** Why a kind is not among them. */
  readonly refused: ReadonlyMap<FederatedKind, Problem>;
}

/**
 * The id of an attempt that git did not take: recorded on every object with the base that is used again. (Had the push
 * landed, its commit would be the base.) A refused push must not write the objects anew each time it is tried.
 */
export function pendingId(
  { settings }: Context,
  { records }: Pick<Local, "records">,
  exports: readonly Export[],
): string | null {
  const ids = exports.map((one) => {
    if (one.action === "entomb") {
      const record = records.bases[one.kind];
      return record !== null && record.revision === one.base?.revision ? record.exportId : null;
    }
    const { annotations = {} } = one.object.metadata;
    const base = one.base === null ? undefined : formatRevision(settings.branch, one.base.revision);
    return annotations[BASE_ANNOTATION] === base ? (annotations[EXPORT_ID_ANNOTATION] ?? null) : null;
  });
  const [first = null] = ids;
  return first !== null && ids.every((id) => id === first) ? first : null;
}

async function recordExport(
  context: Context,
  branch: Branch,
  local: Local,
  one: Export,
  exportId: string,
): Promise<{ readonly local: Local; readonly one: Export }> {
  if (one.action === "write") return recordWrite(context, branch, local, one, exportId);
  return { local: await recordEntombment(context, local, one, exportId), one };
}

async function recordEntombment(
  context: Context,
  local: Local,
  { kind, base }: Export,
  exportId: string,
): Promise<Local> {
  if (base === null) return local;
  const record = { revision: base.revision, amkoClusterUid: local.amkoCluster.metadata.uid, exportId };
  const bases = { ...local.records.bases, [kind]: record };
  return writeRecords(context, local, { ...local.records, bases });
}

type WriteExport = Extract<Export, { readonly action: "write" }>;

/** Somebody who writes the object all the time must not keep it out of git: this often it is read again at once. */
const CONFLICTS_MAX = 5;

/** What was written meanwhile goes along: nothing was changed in git that it could have to be merged with. */
async function recordWrite(
  context: Context,
  branch: Branch,
  local: Local,
  one: WriteExport,
  exportId: string,
): Promise<{ readonly local: Local; readonly one: Export }> {
  const { kind } = one;
  const { name, uid } = one.object.metadata;
  let current = local;
  for (let conflicts = 0; ; conflicts += 1) {
    try {
      return await writeExportId(context, current, one, exportId);
    } catch (error) {
      if (!hasCode(error, "AG3004") || conflicts === CONFLICTS_MAX) throw error;
      const listed = await context.cluster.list(kind, context.signal);
      const [object] = listed;
      if (listed.length !== 1 || object?.metadata.name !== name || object.metadata.uid !== uid) throw error;
      if (exportProblem(context, branch, kind, object) !== null) throw error;
      current = { ...current, objects: { ...current.objects, [kind]: listed } };
    }
  }
}

async function writeExportId(
  context: Context,
  local: Local,
  one: WriteExport,
  exportId: string,
): Promise<{ readonly local: Local; readonly one: Export }> {
  const { kind, base } = one;
  const { name, annotations } = one.object.metadata;
  const actual = local.objects[kind].find((object) => object.metadata.name === name) ?? one.object;
  const uuid = actual.metadata.annotations?.[UUID_ANNOTATION] ?? annotations?.[UUID_ANNOTATION];
  const patch = annotationPatch(actual, {
    ...(uuid === undefined ? {} : { [UUID_ANNOTATION]: uuid }),
    [EXPORT_ID_ANNOTATION]: exportId,
    [BASE_ANNOTATION]: base === null ? null : formatRevision(context.settings.branch, base.revision),
  });
  if (patch.length === 0) return { local, one: { ...one, object: actual } };
  const target = { kind, name, resourceVersion: actual.metadata.resourceVersion };
  const object = await context.cluster.patch(target, patch, { dryRun: false }, context.signal);
  return { local: withObject(local, kind, object), one: { ...one, object } };
}
