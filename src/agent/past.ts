import { SEARCH_MAX_REVISIONS } from "../core/kind-state.ts";
import type { Step } from "../core/merge.ts";
import { TRAILERS } from "../core/message.ts";
import {
  type CommitId,
  type Content,
  type FederatedKind,
  KINDS,
  type KindState,
  type Revision,
} from "../core/model.ts";
import type { Base, GitContent } from "../core/plan.ts";
import { equalContent, normalizeContent } from "../core/snapshot.ts";
import { evaluate } from "../core/view.ts";
import type { Context } from "./context.ts";

/** How far back a pass looks between base and head. A base further back than this is as good as none. */
const RANGE_MAX_REVISIONS = 2000;

/** What a revision says of one kind. */
export function contentAt({ schemas, viewCache }: Context, kind: FederatedKind, revision: Revision): GitContent {
  const folder = `${KINDS[kind].folder}/`;
  const files = revision.files.filter(({ path }) => path.startsWith(folder));
  return gitContent(evaluate(files, schemas, viewCache).kinds[kind], kind, schemas);
}

export function gitContent(state: KindState, kind: FederatedKind, schemas: Context["schemas"]): GitContent {
  if (state.kind !== "present" && state.kind !== "deleted") return { kind: "never" };
  return { kind: state.kind, snapshot: state.snapshot, filled: normalizeContent(state.snapshot, kind, schemas) };
}

/** The revisions after the base up to the head, each with what it made of the kind; null when there are too many. */
export async function readSteps(
  context: Context,
  kind: FederatedKind,
  head: CommitId,
  base: Base,
): Promise<readonly Step[] | null> {
  const last = base.step === undefined ? [] : [base.step];
  if (head === base.revision) return last;
  const revisions: Revision[] = [];
  const range = { from: head, until: base.revision };
  for await (const revision of context.repository.history(range, RANGE_MAX_REVISIONS, context.signal)) {
    if (revisions.length === RANGE_MAX_REVISIONS - 1) return null;
    revisions.push(revision);
  }
  const inside = new Set(revisions.map(({ commit }) => commit));
  const before = new Set(revisions.flatMap(({ parents }) => parents).filter((parent) => !inside.has(parent)));
  const past = await Promise.all([...before].map((parent) => context.repository.read(parent, context.signal)));
  const contents = new Map<CommitId, Content | null>();
  for (const revision of [...past, ...revisions.toReversed()]) {
    const content = contentAt(context, kind, revision);
    // A revision without a usable file says nothing: neither did it change the fields, nor did it take them away.
    const inherited = revision.parents.map((parent) => contents.get(parent)).find((one) => one !== undefined);
    const said = content.kind === "present" ? content.filled : null;
    contents.set(revision.commit, content.kind === "never" ? (inherited ?? null) : said);
  }
  const steps = revisions.map(({ commit, parents }) => ({
    commit,
    after: contents.get(commit) ?? null,
    before: parents.length === 0 ? [null] : parents.map((parent) => contents.get(parent) ?? null),
  }));
  return [...steps, ...last];
}

/** Whether this very content stands on the tracked branch, as far back as is worth looking. */
export async function standsInGit(
  context: Context,
  kind: FederatedKind,
  content: Content,
  head: CommitId,
): Promise<boolean> {
  const wanted = normalizeContent(content, kind, context.schemas);
  for await (const revision of context.repository.history(
    { from: head, until: null },
    SEARCH_MAX_REVISIONS,
    context.signal,
  )) {
    const past = contentAt(context, kind, revision);
    if (past.kind === "present" && equalContent(past.filled, wanted)) return true;
  }
  return false;
}

/** The newest revision, back to `until`, that carries an export's id. */
export async function findExport(
  { repository, signal }: Context,
  from: CommitId,
  until: CommitId | null,
  exportId: string,
): Promise<Revision | null> {
  const limit = until === null ? SEARCH_MAX_REVISIONS : RANGE_MAX_REVISIONS;
  for await (const revision of repository.history({ from, until }, limit, signal)) {
    if (carries(revision.message, exportId)) return revision;
  }
  return null;
}

/** Whoever squashes several commits joins their messages: what was a trailer may then stand in the middle. */
function carries(message: string, exportId: string): boolean {
  return message.split("\n").some((line) => line.trim() === `${TRAILERS.exportId}: ${exportId}`);
}
