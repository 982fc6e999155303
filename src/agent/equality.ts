import { formatFieldPath } from "../core/diff.ts";
import {
  type CommitId,
  type Content,
  type FederatedKind,
  type LiveObject,
  type Snapshot,
  UUID_ANNOTATION,
} from "../core/model.ts";
import { snapshotPatch } from "../core/patch.ts";
import type { Head } from "../core/plan.ts";
import { formatRevision } from "../core/records.ts";
import { contentOf, equalContent } from "../core/snapshot.ts";
import { hasCode } from "../errors.ts";
import type { Branch, Context, Local, Memory } from "./context.ts";

export interface Equality {
  readonly key: string;
  readonly equal: boolean;
}

/** What is compared, and what was found out before. */
export interface Compared {
  readonly head: Head;
  readonly branch: Branch;
  readonly local: Local;
  readonly memory: Memory;
}

/** Whether it was judged of this very state of an object. */
export function isAbout({ key }: Equality, { metadata }: LiveObject): boolean {
  return key.startsWith(`${metadata.uid} ${metadata.resourceVersion} `);
}

/** Who may change AMKO's UUID is a question of its own, see facts.ts. */
function withoutUuid({ annotations, spec }: Content): Content {
  const { [UUID_ANNOTATION]: _uuid, ...others } = annotations;
  return { annotations: others, spec };
}

/**
 * Equal means: the live object equals what this API server's dry run of the snapshot returns. The server is asked only
 * where the contents differ to the letter, and once per state of the object.
 */
export async function judgeEquality(
  context: Context,
  kind: FederatedKind,
  { head, branch, local, memory }: Compared,
): Promise<Equality> {
  const { head: commit, view } = branch;
  const { objects } = local;
  const snapshot = head.content.kind === "present" ? head.content.snapshot : null;
  const object = objects[kind].find(({ metadata }) => metadata.name === snapshot?.name);
  if (snapshot === null || object === undefined) return { key: "", equal: false };
  if (equalContent(withoutUuid(contentOf(object)), withoutUuid(snapshot))) return { key: "", equal: true };
  const state = view.kinds[kind];
  const path = state.kind === "present" ? state.path : "";
  const key = [object.metadata.uid, object.metadata.resourceVersion, commit, head.revision, path].join(" ");
  const known = memory.equality[kind];
  if (known?.key === key) return known;
  return { key, equal: await returnsLive(context, object, snapshot, commit) };
}

/** Whether this API server's dry run of a snapshot returns the object as it is. */
export async function returnsLive(
  { cluster, settings, signal }: Context,
  object: LiveObject,
  snapshot: Snapshot,
  revision: CommitId,
): Promise<boolean> {
  const patch = snapshotPatch(object, snapshot, formatRevision(settings.branch, revision));
  const { name, resourceVersion } = object.metadata;
  try {
    const returned = await cluster.patch(
      { kind: snapshot.kind, name, resourceVersion },
      patch,
      { dryRun: true },
      signal,
    );
    // A field that the server drops is no equality: the CRD here is older, and whoever applies it says which field.
    if (droppedFields(snapshot, returned).length > 0) return false;
    return equalContent(withoutUuid(contentOf(returned)), withoutUuid(contentOf(object)));
  } catch (error) {
    // Refused here: certainly not what is live. Whether that matters is for those who want to apply it.
    if (hasCode(error, "AG3007")) return false;
    throw error;
  }
}

/** The fields that this cluster's API server dropped from a snapshot, as people write them. */
export function droppedFields(snapshot: Content, returned: LiveObject): readonly string[] {
  return missingPaths(snapshot.spec, contentOf(returned).spec, ["spec"]).map(formatFieldPath);
}

function missingPaths(wanted: unknown, found: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof wanted !== "object" || wanted === null) return [];
  if (typeof found !== "object" || found === null) return [path];
  // A null says nothing to an API server: it goes with every CRD.
  const said = Object.entries(wanted).filter(([, value]) => value !== null);
  return said.flatMap(([key, value]) =>
    Object.hasOwn(found, key)
      ? missingPaths(value, (found as Record<string, unknown>)[key], [...path, key])
      : [[...path, key]],
  );
}
