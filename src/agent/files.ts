import { type FederatedKind, KINDS, type Revision, type RevisionFile } from "../core/model.ts";

/** A revision's files of one kind, as the view counts them, in order of their paths. */
export function filesOfKind({ files }: Revision, kind: FederatedKind): readonly RevisionFile[] {
  const folder = `${KINDS[kind].folder}/`;
  return files
    .filter(({ path }) => path.startsWith(folder) && /\.ya?ml$/.test(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
