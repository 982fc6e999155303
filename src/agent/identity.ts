import { type Identity, identityMismatch, identityOrphan, readIdentity } from "../core/identity.ts";
import type { ClusterName, CommitId, Problem } from "../core/model.ts";
import { clusterRef, refsByCluster } from "../core/refs.ts";
import { hasCode } from "../errors.ts";
import type { NamespaceState } from "../ports.ts";
import { authorOf } from "./author.ts";
import type { Context, Local, Memory } from "./context.ts";
import { withRef } from "./observe.ts";
import { noteRefusal } from "./refusals.ts";

export interface Identified {
  readonly problem: Problem | null;
  readonly memory: Memory;
}

/**
 * Checks that the repository knows this very cluster under its name, and introduces it where nobody has the name yet.
 * An agent that may only read cannot introduce itself; it goes on, unreported.
 */
export async function identify(context: Context, local: Local, memory: Memory): Promise<Identified> {
  const ref = clusterRef("identity", local.self);
  const known = memory.refs?.get(ref) ?? null;
  // Refused lately: nobody knocks with every pass.
  if (known === null && memory.refusedAtMs.identity !== undefined) return { problem: null, memory };
  if (known === null) return introduce(context, local, memory, ref);
  const identity =
    memory.identity?.commit === known
      ? memory.identity
      : { commit: known, known: readIdentity(await context.repository.readFiles(known, context.signal)) };
  const problem = identityMismatch(identity.known, identityOf(context, local), local.self);
  return { problem, memory: { ...memory, identity } };
}

/** As {@link identify}, for a cluster without an AMKOCluster; it introduces nobody. */
export async function readIdentityMismatch(
  context: Context,
  self: ClusterName,
  namespace: NamespaceState,
  commit: CommitId,
): Promise<Problem | null> {
  return identityMismatch(
    readIdentity(await context.repository.readFiles(commit, context.signal)),
    identityOf(context, { namespace }),
    self,
  );
}

/** So many others are asked what the prefix is used for; some may be left of clusters that are gone. */
const ASKED_MAX = 5;

/**
 * A cluster that is new here, while everybody under the prefix follows another branch or path: it belongs to another
 * federation, whose leaders and members it would take for its own.
 */
async function findForeignPrefix(
  { repository, signal }: Context,
  { refs }: Memory,
  wanted: Identity,
): Promise<Problem | null> {
  const others = [...refsByCluster(refs ?? new Map(), "identity")].slice(0, ASKED_MAX);
  let foreign: Problem | null = null;
  for (const [cluster, commit] of others) {
    const found = readIdentity(await repository.readFiles(commit, signal));
    foreign = identityMismatch({ ...found, namespaceUid: wanted.namespaceUid }, wanted, cluster);
    if (foreign === null) return null;
  }
  return foreign;
}

async function introduce(context: Context, local: Local, memory: Memory, ref: string): Promise<Identified> {
  const known = identityOf(context, local);
  const foreign = await findForeignPrefix(context, memory, known);
  if (foreign !== null) return { problem: foreign, memory };
  try {
    const orphan = identityOrphan(local.self, known);
    const author = authorOf(context, local.self);
    const commit = await context.repository.writeOrphan({ ...orphan, expected: null, author }, context.signal);
    const refs = withRef(memory.refs ?? new Map(), ref, commit);
    return { problem: null, memory: { ...memory, refs, identity: { commit, known } } };
  } catch (error) {
    if (!hasCode(error, "AG2013", "AG2004")) throw error;
    const { code, message: cause } = error;
    context.log("warn", "identity could not be recorded in git", { cluster: local.self, code, cause });
    return { problem: null, memory: noteRefusal(context, memory, "identity") };
  }
}

function identityOf({ settings }: Context, { namespace }: Pick<Local, "namespace">): Identity {
  return { namespaceUid: namespace.uid, branch: settings.branch, path: settings.path };
}
