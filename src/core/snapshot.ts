import { canonicalYaml } from "./canonical.ts";
import { problem } from "./catalogue.ts";
import { applyDefaults } from "./defaults.ts";
import { type ReadableDocument, readDocument } from "./document.ts";
import { describePath } from "./document-path.ts";
import { FINDINGS_MAX, inspectObject, readAnnotations } from "./inspect.ts";
import { deepEqual, isObject, member } from "./json.ts";
import {
  AMKO_ANNOTATION_PREFIX,
  type Content,
  DELETED_ANNOTATION,
  FEDERATED_KINDS,
  type FederatedKind,
  KINDS,
  type KubernetesObject,
  NAMESPACE,
  type Problem,
  type RevisionFile,
  type Snapshot,
} from "./model.ts";
import type { Schemas } from "./resource-definition.ts";

/**
 * Where the snapshot of an object stands: `federation/gslbconfig/gc-1.yaml`.
 * @throws RangeError when no Kubernetes object can have that name, so that none is ever used as a path.
 */
export function snapshotPath(kind: FederatedKind, name: string): string {
  if (!isObjectName(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a Kubernetes object`);
  return `${KINDS[kind].folder}/${name}${SNAPSHOT_SUFFIX}`;
}

const SNAPSHOT_SUFFIX = ".yaml";

/** The canonical bytes of a snapshot: the same object always gives the same. */
export function writeSnapshot({ kind, name, annotations, spec, deleted }: Snapshot): Uint8Array {
  const notes = deleted === null ? annotations : { ...annotations, [DELETED_ANNOTATION]: deleted };
  const metadata = { name, namespace: NAMESPACE, ...(Object.keys(notes).length > 0 && { annotations: notes }) };
  return new TextEncoder().encode(canonicalYaml({ apiVersion: KINDS[kind].apiVersion, kind, metadata, spec }));
}

export type ReadSnapshot =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a file of a federated kind's folder, whoever wrote it. Total: it never throws. */
export function readSnapshot(file: RevisionFile, schemas: Schemas): ReadSnapshot {
  const document = readDocument(file);
  if (!document.ok) return { ok: false, problems: [document.problem] };
  const { path } = file;
  const kind = kindOfPath(path);
  if (kind === null) {
    return { ok: false, problems: [problem("AG1009", "the file stands in no folder of a federated kind", { path })] };
  }
  const foreign = checkKind(document, kind, path);
  if (foreign !== null) return { ok: false, problems: [foreign] };
  const { errors, warnings } = inspectObject(document, schemas[kind].schema, { path, code: "AG1012" });
  const annotations = readAnnotations(document, { path, code: "AG1012" });
  const found = [...checkIdentity(document, path), ...errors, ...annotations.errors];
  const told = [...warnings, ...notFederated(document, path)];
  if (found.length > 0) return { ok: false, problems: [...found, ...told] };
  return { ok: true, snapshot: toSnapshot(document, kind, annotations.values), warnings: told };
}

/** What is federated of an object. */
export function contentOf({ metadata, spec }: KubernetesObject): Content {
  return { annotations: federatedAnnotations(metadata.annotations ?? {}), spec: isObject(spec) ? spec : {} };
}

/** The living snapshot of an object. */
export function snapshotOf(kind: FederatedKind, object: KubernetesObject): Snapshot {
  return { kind, name: object.metadata.name, ...contentOf(object), deleted: null };
}

/** The same annotations under `amko.vmware.com/` and the same spec. The order of keys means nothing, that of lists does. */
export function equalContent(a: Content, b: Content): boolean {
  return deepEqual(a.annotations, b.annotations) && deepEqual(a.spec, b.spec);
}

/**
 * The content as an API server would return it: with the schema's defaults, without meaningless nulls. What the schema
 * does not know is kept. A live object and the snapshot that was applied are compared through this.
 */
export function normalizeContent({ annotations, spec }: Content, kind: FederatedKind, schemas: Schemas): Content {
  const filled = member(applyDefaults({ spec }, schemas[kind].schema), "spec");
  return { annotations, spec: isObject(filled) ? filled : {} };
}

/** A DNS-1123 subdomain, as Kubernetes requires of custom objects' names. */
export function isObjectName(name: string): boolean {
  return name.length <= OBJECT_NAME_MAX_CHARACTERS && OBJECT_NAME.test(name);
}

const OBJECT_NAME_MAX_CHARACTERS = 253;
const OBJECT_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

function kindOfPath(path: string): FederatedKind | null {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return FEDERATED_KINDS.find((kind) => KINDS[kind].folder === folder) ?? null;
}

function checkKind({ value, lineOf }: ReadableDocument, kind: FederatedKind, path: string): Problem | null {
  const wanted = { kind, apiVersion: KINDS[kind].apiVersion };
  const field = (["kind", "apiVersion"] as const).find((key) => member(value, key) !== wanted[key]);
  if (field === undefined) return null;
  const message = isObject(value)
    ? `${field} must be ${wanted[field]}, but is ${brief(member(value, field))}`
    : `the file holds no object, but a ${kind} belongs here`;
  return problem("AG1009", message, { path, line: lineOf([field]) });
}

function checkIdentity({ value, lineOf }: ReadableDocument, path: string): readonly Problem[] {
  const metadata = member(value, "metadata");
  const namespace = member(metadata, "namespace");
  const problems: Problem[] = [];
  if (namespace !== NAMESPACE) {
    const message = `metadata.namespace must be ${NAMESPACE}, but is ${brief(namespace)}`;
    problems.push(problem("AG1010", message, { path, line: lineOf(["metadata", "namespace"]) }));
  }
  const fault = nameFault(member(metadata, "name"), path.slice(path.lastIndexOf("/") + 1));
  if (fault !== null) problems.push(problem("AG1011", fault, { path, line: lineOf(["metadata", "name"]) }));
  return problems;
}

/**
 * `gc-1.yml` holds the right object under the wrong name. It is told and not ignored, since a person who renamed the
 * file wants to know why nothing is federated any more.
 */
function nameFault(name: unknown, fileName: string): string | null {
  if (typeof name !== "string" || !isObjectName(name)) {
    return `metadata.name must be a lower-case DNS name, but is ${brief(name)}`;
  }
  const wanted = `${name}${SNAPSHOT_SUFFIX}`;
  return fileName === wanted
    ? null
    : `the file must be named ${wanted}, as metadata.name says, but is ${brief(fileName)}`;
}

/** What a person copied from a cluster along with the rest. It is left out, and told, since it has no effect. */
function notFederated({ value, lineOf }: ReadableDocument, path: string): readonly Problem[] {
  const metadata = member(value, "metadata");
  const annotations = member(metadata, "annotations");
  const fields = [
    ...keysOf(value)
      .filter((key) => key === "status")
      .map((key) => [key]),
    ...keysOf(metadata)
      .filter((key) => !SNAPSHOT_METADATA.has(key))
      .map((key) => ["metadata", key]),
    ...keysOf(annotations)
      .filter((key) => !isSnapshotAnnotation(key))
      .map((key) => ["metadata", "annotations", key]),
  ];
  return fields
    .slice(0, FINDINGS_MAX)
    .map((field) =>
      problem("AG1023", `${describePath(field)} is not federated`, { path, line: lineOf(field), severity: "warning" }),
    );
}

const SNAPSHOT_METADATA: ReadonlySet<string> = new Set(["name", "namespace", "annotations"]);

function isSnapshotAnnotation(key: string): boolean {
  return key === DELETED_ANNOTATION || key.startsWith(AMKO_ANNOTATION_PREFIX);
}

function toSnapshot(
  { value }: ReadableDocument,
  kind: FederatedKind,
  annotations: Readonly<Record<string, string>>,
): Snapshot {
  const spec = member(value, "spec");
  return {
    kind,
    name: String(member(member(value, "metadata"), "name")),
    annotations: federatedAnnotations(annotations),
    spec: isObject(spec) ? spec : {},
    deleted: Object.hasOwn(annotations, DELETED_ANNOTATION) ? (annotations[DELETED_ANNOTATION] ?? null) : null,
  };
}

function federatedAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith(AMKO_ANNOTATION_PREFIX)));
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

/** What stands in the file, in a message. */
function brief(value: unknown): string {
  if (value === undefined || value === null) return "missing";
  const text = JSON.stringify(value);
  return text.length > BRIEF_MAX_CHARACTERS ? `${text.slice(0, BRIEF_MAX_CHARACTERS)}…` : text;
}

const BRIEF_MAX_CHARACTERS = 60;
