import { FEDERATED_KINDS, type FederatedKind, KINDS, type Revision, type RevisionFile } from "./model.ts";

/** A revision's files of one kind, as the view counts them, in order of their paths. */
export function filesOfKind({ files }: Revision, kind: FederatedKind): readonly RevisionFile[] {
  const folder = `${KINDS[kind].folder}/`;
  return files
    .filter(({ path }) => path.startsWith(folder) && /\.ya?ml$/.test(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The kinds whose files differ: by path, type and id, so that nothing is read or parsed. */
export function differingKinds(a: Revision, b: Revision): readonly FederatedKind[] {
  return FEDERATED_KINDS.filter((kind) => fingerprint(a, kind) !== fingerprint(b, kind));
}

function fingerprint(revision: Revision, kind: FederatedKind): string {
  return JSON.stringify(filesOfKind(revision, kind).map(({ path, type, id }) => [path, type, id]));
}
