import { diffFields, type FieldChange } from "./diff.ts";
import {
  type AmkoKind,
  type Content,
  FEDERATED_KINDS,
  type FederationView,
  type Json,
  type KindState,
  type Manifest,
} from "./model.ts";

/** What differs of one object between two readings. */
export interface ObjectDiff {
  readonly kind: AmkoKind;
  /** The cluster of a manifest, the name of a snapshot; untrusted text. */
  readonly name: string;
  readonly action: "added" | "removed" | "changed";
  readonly fields: readonly FieldChange[];
}

/** What differs between what two revisions say: manifests first, in order of names, then both kinds. */
export function diffViews(before: FederationView, after: FederationView): readonly ObjectDiff[] {
  const clusters = [...new Set([...before.manifests.keys(), ...after.manifests.keys()])].toSorted();
  const manifests = clusters.flatMap((cluster) =>
    compare(
      "AMKOCluster",
      cluster,
      manifestDocument(before.manifests.get(cluster)),
      manifestDocument(after.manifests.get(cluster)),
    ),
  );
  const kinds = FEDERATED_KINDS.flatMap((kind) => {
    const [a, b] = [before.kinds[kind], after.kinds[kind]];
    const name = snapshotName(b) ?? snapshotName(a) ?? "(unusable)";
    return compare(kind, name, kindDocument(a), kindDocument(b));
  });
  return [...manifests, ...kinds];
}

/** The part of an object that is federated, as a document to compare. */
export function contentDocument({ annotations, spec }: Content): Json {
  return { ...(Object.keys(annotations).length > 0 && { annotations }), spec };
}

/** Undefined stands for an object that is not there. */
export function compare(
  kind: AmkoKind,
  name: string,
  before: Json | undefined,
  after: Json | undefined,
): readonly ObjectDiff[] {
  if (before === undefined && after === undefined) return [];
  const fields = diffFields(before ?? {}, after ?? {});
  if (before !== undefined && after !== undefined && fields.length === 0) return [];
  return [{ kind, name, action: before === undefined ? "added" : after === undefined ? "removed" : "changed", fields }];
}

function manifestDocument(manifest: Manifest | undefined): Json | undefined {
  if (manifest === undefined) return undefined;
  const { isLeader, version, clusters, annotations } = manifest;
  return { ...(Object.keys(annotations).length > 0 && { annotations }), spec: { isLeader, version, clusters } };
}

function snapshotName(state: KindState): string | null {
  return state.kind === "present" || state.kind === "deleted" ? state.snapshot.name : null;
}

function kindDocument(state: KindState): Json | undefined {
  switch (state.kind) {
    case "present":
      return { name: state.snapshot.name, ...(contentDocument(state.snapshot) as object) };
    case "deleted":
      return {
        name: state.snapshot.name,
        deleted: state.snapshot.deleted ?? "",
        ...(contentDocument(state.snapshot) as object),
      };
    case "absent":
      return undefined;
    case "unusable":
      return { unusable: state.problems.map(({ message }) => message) };
    default:
      return state satisfies never;
  }
}
