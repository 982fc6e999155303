import { problem } from "./catalogue.ts";
import { lineIn } from "./line-in.ts";
import {
  type ClusterName,
  type FederationView,
  HANDOVER_WITHOUT_ANNOTATION,
  type Manifest,
  type Problem,
  type RevisionFile,
} from "./model.ts";
import { parseClusterName } from "./names.ts";

/** The clusters that a manifest's annotation names; what is no cluster's name counts for nothing. */
export function namedWithout(manifest: Manifest | undefined): ReadonlySet<ClusterName> {
  const names = (manifest?.annotations[HANDOVER_WITHOUT_ANNOTATION] ?? "").split(",");
  return new Set(names.map((name) => parseClusterName(name.trim())).filter((name) => name !== null));
}

/** Leave to take office without a former leader's word belongs to the commit that makes a cluster the leader. */
export function judgeHandoverWithout(
  { manifests }: Pick<FederationView, "manifests">,
  files: readonly RevisionFile[],
): readonly Problem[] {
  return [...manifests.values()]
    .filter(({ isLeader, annotations }) => !isLeader && annotations[HANDOVER_WITHOUT_ANNOTATION] !== undefined)
    .map(({ cluster, path }) =>
      problem("AG1027", `the manifest of ${cluster} carries ${HANDOVER_WITHOUT_ANNOTATION} and does not lead`, {
        path,
        line: lineIn(files, path, ["metadata", "annotations", HANDOVER_WITHOUT_ANNOTATION]),
      }),
    );
}
