import { SEARCH_MAX_REVISIONS } from "../core/kind-state.ts";
import {
  FEDERATED_KINDS,
  type FederatedKind,
  KINDS,
  type KindState,
  type Revision,
  type UsableKinds,
} from "../core/model.ts";
import type { Schemas } from "../core/resource-definition.ts";
import { evaluate } from "../core/view.ts";
import type { OpenRepository } from "./house.ts";

/** Where to look, and by which schemas. */
export interface UsableSource {
  readonly repository: Pick<OpenRepository, "history">;
  readonly schemas: Schemas;
  readonly signal: AbortSignal;
}

export interface Usable {
  readonly state: KindState;
  /** Where it was found, by its first digits; null where it is the revision's own. */
  readonly since: string | null;
}

/** A missing or unusable file deletes nothing: clusters hold the newest content before it that can be used. */
export async function readUsable(
  { repository, schemas, signal }: UsableSource,
  { commit }: Revision,
  kind: FederatedKind,
  own: KindState,
): Promise<Usable> {
  if (saysSomething(own)) return { state: own, since: null };
  const folder = `${KINDS[kind].folder}/`;
  for await (const revision of repository.history({ from: commit, until: null }, SEARCH_MAX_REVISIONS, signal)) {
    const files = revision.files.filter(({ path }) => path.startsWith(folder));
    const state = evaluate(files, schemas).kinds[kind];
    if (saysSomething(state)) return { state, since: revision.commit.slice(0, 8) };
  }
  return { state: own, since: null };
}

/** The same of every kind. */
export async function readUsableKinds(
  source: UsableSource,
  revision: Revision,
  kinds: Readonly<Record<FederatedKind, KindState>>,
): Promise<UsableKinds> {
  const found = await Promise.all(
    FEDERATED_KINDS.map(async (kind) => [kind, (await readUsable(source, revision, kind, kinds[kind])).state] as const),
  );
  return Object.fromEntries(found) as UsableKinds;
}

function saysSomething({ kind }: KindState): boolean {
  return kind === "present" || kind === "deleted";
}
