import { problem } from "./catalogue.ts";
import { readDocument } from "./document.ts";
import { isObject } from "./json.ts";
import type { ClusterName, Problem, RevisionFile } from "./model.ts";
import { clusterRef } from "./refs.ts";

/** Which cluster stands behind a name: the UID of avi-system, and what the ref prefix is used for. */
export interface Identity {
  readonly namespaceUid: string;
  readonly branch: string;
  readonly path: string;
}

const FILE = "identity.yaml";

/** The orphan commit that introduces a cluster, whoever writes it: its agent, or a person with `accept-identity`. */
export function identityOrphan(
  self: ClusterName,
  { namespaceUid, branch, path }: Identity,
): {
  readonly ref: string;
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly message: string;
} {
  // JSON is YAML: quoted so, whatever the branch is called.
  const file = `branch: ${JSON.stringify(branch)}\nnamespaceUid: ${JSON.stringify(namespaceUid)}\npath: ${JSON.stringify(path)}\n`;
  return {
    ref: clusterRef("identity", self),
    files: [{ path: FILE, bytes: new TextEncoder().encode(file) }],
    message: `identity: cluster ${self}\n`,
  };
}

/** Reads such a commit's files. What cannot be read is an identity that nobody has. */
export function readIdentity(files: readonly RevisionFile[]): Identity {
  const file = files.find(({ path }) => path === FILE);
  const document = file === undefined ? null : readDocument(file);
  const fields = document?.ok === true && isObject(document.value) ? document.value : {};
  const text = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "(unreadable)");
  return { namespaceUid: text("namespaceUid"), branch: text("branch"), path: text("path") };
}

/** Why the cluster here is not the one that the repository knows; null where it is. */
export function identityMismatch(found: Identity, wanted: Identity, self: ClusterName): Problem | null {
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
