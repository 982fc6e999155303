import { parseMessage, TRAILERS, trailerValues } from "../core/message.ts";
import { type CommitId, type FederatedKind, type LiveObject, UUID_ANNOTATION } from "../core/model.ts";
import type { Base, GitContent, Head } from "../core/plan.ts";
import type { Branch, Context } from "./context.ts";
import { contentAt, gitContent, SEARCH_MAX_REVISIONS } from "./past.ts";

export type Purpose = "lead" | "follow";

/** What the head of a kind is resolved from. */
export interface HeadFacts {
  readonly branch: Branch;
  readonly base: Base | null;
  readonly live: readonly LiveObject[];
  readonly purpose: Purpose;
}

/** The head's content, or the newest usable one before it; with the UUID that nobody may take away. */
export async function resolveHead(
  context: Context,
  kind: FederatedKind,
  { branch, base, live, purpose }: HeadFacts,
): Promise<Head> {
  const head = await findHead(context, kind, branch);
  if (head.content.kind !== "present" || base === null || base.content.kind === "never") return head;
  const held = purpose === "lead" ? live[0]?.metadata.annotations?.[UUID_ANNOTATION] : undefined;
  const kept = held ?? base.content.snapshot.annotations[UUID_ANNOTATION];
  const found = head.content.snapshot.annotations[UUID_ANNOTATION];
  if (kept === undefined || found === kept) return head;
  const exported = purpose === "follow" && found !== undefined;
  if (exported && (await wasExported(context, kind, found, { from: head.revision, until: base.revision }))) return head;
  return withUuid(head, kept);
}

async function findHead(context: Context, kind: FederatedKind, branch: Branch): Promise<Head> {
  const state = branch.view.kinds[kind];
  const problems = state.kind === "unusable" ? state.problems : [];
  const usable = gitContent(state, kind, context.schemas);
  const own: Head = { content: usable, revision: branch.head, fromHistory: false, problems };
  if (usable.kind !== "never") return own;
  const range = { from: branch.head, until: null };
  for await (const revision of context.repository.history(range, SEARCH_MAX_REVISIONS, context.signal)) {
    const content = contentAt(context, kind, revision);
    if (content.kind !== "never") return { content, revision: revision.commit, fromHistory: true, problems };
  }
  return own;
}

/**
 * AMKO's identity at the Avi controller survives every edit of git. Where it was lost or changed by anybody but the
 * leader's AMKO, it stays as it was, and git wants to be healed.
 */
function withUuid(head: Head, uuid: string): Head {
  if (head.content.kind !== "present") return head;
  const { snapshot, filled } = head.content;
  const annotations = { ...snapshot.annotations, [UUID_ANNOTATION]: uuid };
  const content: GitContent = {
    kind: "present",
    snapshot: { ...snapshot, annotations },
    filled: { ...filled, annotations },
  };
  return { ...head, content, fromHistory: true };
}

/** AMKO on the leader takes a new UUID for a new identity; then an agent's export brought it into git. */
async function wasExported(
  context: Context,
  kind: FederatedKind,
  uuid: string,
  range: { readonly from: CommitId; readonly until: CommitId },
): Promise<boolean> {
  const { repository } = context;
  if ((await repository.relation(range.until, range.from, context.signal)) !== "ancestor") return false;
  for await (const revision of repository.history(range, SEARCH_MAX_REVISIONS, context.signal)) {
    const content = contentAt(context, kind, revision);
    const has = content.kind !== "never" && content.snapshot.annotations[UUID_ANNOTATION] === uuid;
    if (has && trailerValues(parseMessage(revision.message), TRAILERS.from).length > 0) return true;
  }
  return false;
}
