import { type Edit, editYaml } from "./edit.ts";
import {
  type ClusterName,
  type FederationView,
  type FileChange,
  HANDOVER_WITHOUT_ANNOTATION,
  type Manifest,
  type RevisionFile,
} from "./model.ts";

/**
 * The one commit of a switchover or a failover: `isLeader` true in the manifest of `to`, false in every other that
 * claims; a `handover-without` of an earlier one is taken off. Only those lines change. Empty when it is so already.
 */
export function flipLeader(
  view: FederationView,
  files: readonly RevisionFile[],
  to: ClusterName,
  handoverWithout: readonly ClusterName[] = [],
): readonly FileChange[] {
  return [...view.manifests.values()].flatMap((manifest) => {
    const edits = editsFor(manifest, to, handoverWithout);
    const change = edits.length === 0 ? null : editManifest(manifest, files, edits);
    return change === null ? [] : [change];
  });
}

/** Sets single fields of one cluster's manifest, as the people who wrote it would. */
export function editManifest(
  manifest: Manifest,
  files: readonly RevisionFile[],
  edits: readonly Edit[],
): FileChange | null {
  const file = files.find(({ path }) => path === manifest.path);
  if (file?.bytes == null) return null;
  const text = editYaml(new TextDecoder().decode(file.bytes), edits);
  return { path: manifest.path, bytes: new TextEncoder().encode(text) };
}

function editsFor(manifest: Manifest, to: ClusterName, handoverWithout: readonly ClusterName[]): readonly Edit[] {
  const leads = manifest.cluster === to;
  const wanted = leads && handoverWithout.length > 0 ? handoverWithout.join(",") : null;
  const present = manifest.annotations[HANDOVER_WITHOUT_ANNOTATION] ?? null;
  return [
    ...(manifest.isLeader === leads ? [] : [{ path: ["spec", "isLeader"], value: leads }]),
    ...(wanted === present ? [] : [{ path: ["metadata", "annotations", HANDOVER_WITHOUT_ANNOTATION], value: wanted }]),
  ];
}
