import { SEARCH_MAX_REVISIONS } from "../core/kind-state.ts";
import { parseMessage, TRAILERS, trailerValues } from "../core/message.ts";
import { type CommitId, type FederatedKind, type LiveObject, type Revision, UUID_ANNOTATION } from "../core/model.ts";
import type { Base, GitContent, Head } from "../core/plan.ts";
import type { Branch, Context } from "./context.ts";
import { contentAt, gitContent } from "./past.ts";

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
  const held = live[0]?.metadata.annotations?.[UUID_ANNOTATION];
  const had = base.content.snapshot.annotations[UUID_ANNOTATION];
  const found = head.content.snapshot.annotations[UUID_ANNOTATION];
  // On the leader AMKO takes a new one, which git has yet to learn.
  if (purpose === "lead" && held !== undefined && held !== had) return found === held ? head : withUuid(head, held);
  if (found !== had) return (await isTheirs(context, kind, head, base)) ? head : withUuid(head, had);
  // What git was not followed in stays, also once the base is the revision that said so.
  const differs = held !== undefined && found !== undefined && held !== found;
  return differs && (await wasRefused(context, kind, head.revision, { found, held })) ? withUuid(head, held) : head;
}

/** Whether the head's UUID was brought into git by an agent, since the base. */
async function isTheirs(context: Context, kind: FederatedKind, head: Head, base: Base): Promise<boolean> {
  const found = head.content.kind === "present" ? head.content.snapshot.annotations[UUID_ANNOTATION] : undefined;
  if (found === undefined) return false;
  return await wasExported(context, kind, found, { from: head.revision, until: base.revision });
}

/** Git said the UUID that the cluster holds, and nobody but people put another one in its place. */
async function wasRefused(
  context: Context,
  kind: FederatedKind,
  from: CommitId,
  { found, held }: { readonly found: string; readonly held: string },
): Promise<boolean> {
  const range = { from, until: null };
  for await (const revision of context.repository.history(range, SEARCH_MAX_REVISIONS, context.signal)) {
    const content = contentAt(context, kind, revision);
    const uuid = content.kind === "never" ? undefined : content.snapshot.annotations[UUID_ANNOTATION];
    if (uuid === held) return true;
    if (uuid === found && isExport(revision)) return false;
  }
  return false;
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
function withUuid(head: Head, uuid: string | undefined): Head {
  if (head.content.kind !== "present" || uuid === undefined) return head;
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
    if (has && isExport(revision)) return true;
  }
  return false;
}

function isExport({ message }: Revision): boolean {
  return trailerValues(parseMessage(message), TRAILERS.from).length > 0;
}
