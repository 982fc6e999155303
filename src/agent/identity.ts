import { problem } from "../core/catalogue.ts";
import { isObject } from "../core/diff.ts";
import { readDocument } from "../core/document.ts";
import type { ClusterName, CommitId, Problem } from "../core/model.ts";
import { clusterRef } from "../core/refs.ts";
import { hasCode } from "../errors.ts";
import type { NamespaceState } from "../ports.ts";
import { authorOf } from "./author.ts";
import type { Context, Identity, Local, Memory } from "./context.ts";
import { withRef } from "./observe.ts";

const FILE = "identity.yaml";

export interface Identified {
  readonly problem: Problem | null;
  readonly memory: Memory;
}

/**
 * Checks that the repository knows this very cluster under its name, and introduces it where nobody has the name yet.
 * An agent that may only read cannot introduce itself; it goes on, unreported.
 */
export async function identify(
  context: Context,
  local: Local,
  memory: Memory,
  signal: AbortSignal,
): Promise<Identified> {
  const ref = clusterRef("identity", local.self);
  const known = memory.refs?.get(ref) ?? null;
  if (known === null) return introduce(context, local, memory, ref, signal);
  const identity =
    memory.identity?.commit === known
      ? memory.identity
      : { commit: known, known: await readIdentity(context, known, signal) };
  const problem = mismatch(identity.known, identityOf(context, local), local.self);
  return { problem, memory: { ...memory, identity } };
}

/** As {@link identify}, for a cluster without an AMKOCluster; it introduces nobody. */
export async function readIdentityMismatch(
  context: Context,
  self: ClusterName,
  namespace: NamespaceState,
  commit: CommitId,
  signal: AbortSignal,
): Promise<Problem | null> {
  return mismatch(await readIdentity(context, commit, signal), identityOf(context, { namespace }), self);
}

async function introduce(
  context: Context,
  local: Local,
  memory: Memory,
  ref: string,
  signal: AbortSignal,
): Promise<Identified> {
  const { namespaceUid, branch, path } = identityOf(context, local);
  // JSON is YAML: quoted so, whatever the branch is called.
  const file = `branch: ${JSON.stringify(branch)}\nnamespaceUid: ${JSON.stringify(namespaceUid)}\npath: ${JSON.stringify(path)}\n`;
  try {
    const commit = await context.repository.writeOrphan(
      {
        ref,
        expected: null,
        files: [{ path: FILE, bytes: new TextEncoder().encode(file) }],
        message: `identity: cluster ${local.self}\n`,
        author: authorOf(context, local.self),
      },
      signal,
    );
    const refs = withRef(memory.refs ?? new Map(), ref, commit);
    return { problem: null, memory: { ...memory, refs, identity: { commit, known: identityOf(context, local) } } };
  } catch (error) {
    if (!hasCode(error, "AG2013", "AG2004")) throw error;
    return { problem: null, memory: { ...memory, unreported: error } };
  }
}

function identityOf({ settings }: Context, { namespace }: Pick<Local, "namespace">): Identity {
  return { namespaceUid: namespace.uid, branch: settings.branch, path: settings.path };
}

/** A file that cannot be read is an identity that nobody has. */
async function readIdentity({ repository }: Context, commit: CommitId, signal: AbortSignal): Promise<Identity> {
  const file = (await repository.readFiles(commit, signal)).find(({ path }) => path === FILE);
  const document = file === undefined ? null : readDocument(file);
  const fields = document?.ok === true && isObject(document.value) ? document.value : {};
  const text = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "(unreadable)");
  return { namespaceUid: text("namespaceUid"), branch: text("branch"), path: text("path") };
}

function mismatch(found: Identity, wanted: Identity, self: ClusterName): Problem | null {
  if (found.namespaceUid !== wanted.namespaceUid) {
    return problem(
      "AG5008",
      `the repository knows another cluster as ${self}: its avi-system has UID ${found.namespaceUid}, here it is ${wanted.namespaceUid}`,
    );
  }
  if (found.branch === wanted.branch && found.path === wanted.path) return null;
  return problem(
    "AG5009",
    `cluster ${self} follows branch ${found.branch} and path "${found.path}" under this prefix, not ${wanted.branch} and "${wanted.path}"`,
  );
}
