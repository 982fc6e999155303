import type { ClusterName, CommitId, FederationView, Revision } from "../core/model.ts";
import { formatRevision } from "../core/records.ts";
import { refsByCluster } from "../core/refs.ts";
import type { Schemas } from "../core/resource-definition.ts";
import { createViewCache, evaluate, type ViewCache } from "../core/view.ts";
import { FederationError } from "../errors.ts";
import type { Given } from "./given.ts";
import type { OpenRepository } from "./house.ts";

/** The tracked branch's newest revision with what it says, and the refs below the prefix, read at one time. */
export interface Head {
  readonly commit: CommitId;
  /** `main@sha1:…` */
  readonly name: string;
  readonly revision: Revision;
  readonly view: FederationView;
  readonly schemas: Schemas;
  /** What was read of its files, for whoever goes on to judge others of its past. */
  readonly viewCache: ViewCache;
  readonly refs: ReadonlyMap<string, CommitId>;
  /** The clusters with a ref under `leading/`. */
  readonly inOffice: ReadonlySet<ClusterName>;
}

/** @throws FederationError AG2005 while the branch has no commit */
export async function readHead(
  given: Given,
  repository: OpenRepository,
  schemas: Schemas,
  signal: AbortSignal,
): Promise<Head> {
  const { branch } = given.place();
  const { head, refs } = await repository.list("all", signal);
  if (head === null) throw new FederationError("AG2005", `${repository.url} has no commit on ${branch}`);
  const revision = await repository.read(head, signal);
  const viewCache = createViewCache();
  const view = evaluate(revision.files, schemas, viewCache);
  const below = refs ?? new Map<string, CommitId>();
  const inOffice = new Set(refsByCluster(below, "leading").keys());
  return {
    commit: head,
    name: formatRevision(branch, head),
    revision,
    view,
    schemas,
    viewCache,
    refs: below,
    inOffice,
  };
}

/** `main@4f1c09ab`, for people. */
export function shortRevision({ name, commit }: Pick<Head, "name" | "commit">): string {
  return name.replace(`sha1:${commit}`, commit.slice(0, 8));
}
