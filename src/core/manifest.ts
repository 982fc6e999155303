import { type ErrorCode, problem } from "./catalogue.ts";
import { type ReadableDocument, readDocument } from "./document.ts";
import type { DocumentPath } from "./document-path.ts";
import { FINDINGS_MAX, inspectObject, readAnnotations } from "./inspect.ts";
import { isArray, member } from "./json.ts";
import { type ClusterName, KINDS, type Manifest, NAMESPACE, type Problem, type RevisionFile } from "./model.ts";
import { canonicalSegment, decodeClusterName, parseClusterName } from "./names.ts";
import type { Schemas } from "./resource-definition.ts";

export type ReadManifest =
  | ReadableManifest
  /** Nothing that could be a claim. */
  | { readonly kind: "ignored" }
  /** It may be a claim. */
  | { readonly kind: "unreadable"; readonly problem: Problem };

export interface ReadableManifest {
  readonly kind: "manifest";
  /** Its claim counts whether or not it is valid. */
  readonly manifest: Manifest;
  readonly problems: readonly Problem[];
  /** Where verdicts about it point to. */
  readonly lines: Readonly<Record<"isLeader" | "version" | "clusters", number | null>>;
  /** `spec.clusters` with the cluster itself, in one spelling: two manifests with the same text mean the same set. */
  readonly federationSet: string;
}

/**
 * Reads one file of `clusters/`. What might be a claim and cannot be read as one is *unreadable*, so that everybody
 * holds; what is readable and wrong is an invalid manifest, whose claim still counts. Total: it never throws.
 */
export function readManifest(file: RevisionFile, schemas: Schemas): ReadManifest {
  const { path } = file;
  const [, folder = "", name, ...deeper] = path.split("/");
  if (name === undefined) return readInPlaceOfFolder(file);
  if (deeper.length > 0 || !/\.ya?ml$/.test(name)) return { kind: "ignored" };
  const document = readDocument(file);
  if (!document.ok) return { kind: "unreadable", problem: document.problem };
  const identity = identify(document, name);
  if (identity === "other") return { kind: "ignored" };
  const cluster = decodeClusterName(folder);
  const claim = member(member(document.value, "spec"), "isLeader") ?? false;
  if (cluster === null) return unreadable("AG1016", folderFault(folder), path, null);
  if (identity !== "manifest") return unreadable("AG1020", identity.fault, path, document.lineOf([identity.field]));
  if (typeof claim !== "boolean") {
    const fault = "spec.isLeader is neither true nor false: it may claim leadership";
    return unreadable("AG1020", fault, path, document.lineOf(IS_LEADER));
  }
  return judge(document, { path, cluster, isLeader: claim }, schemas);
}

const IS_LEADER: DocumentPath = ["spec", "isLeader"];
const CONTEXT: DocumentPath = ["spec", "clusterContext"];
const VERSION: DocumentPath = ["spec", "version"];
const CLUSTERS: DocumentPath = ["spec", "clusters"];
const NAMESPACE_FIELD: DocumentPath = ["metadata", "namespace"];

function unreadable(code: ErrorCode, message: string, path: string, line: number | null): ReadManifest {
  return { kind: "unreadable", problem: problem(code, message, { path, line }) };
}

/** A README beside the folders is nobody's business; a link or a submodule there hides a folder from us. */
function readInPlaceOfFolder({ path, type }: RevisionFile): ReadManifest {
  if (type === "file") return { kind: "ignored" };
  return unreadable("AG1001", `a ${type} stands in the place of a folder: it may hold a manifest`, path, null);
}

type Identity = "manifest" | "other" | { readonly fault: string; readonly field: string };

/**
 * Files of other kinds may lie beside a manifest. Where the file's name or kind says that it is meant to be one, it is
 * taken at its word: a misspelled claim must not go unnoticed.
 */
function identify({ value }: ReadableDocument, fileName: string): Identity {
  const { apiVersion } = KINDS.AMKOCluster;
  const kind = member(value, "kind");
  const isMeant = typeof kind === "string" && kind.toLowerCase() === "amkocluster";
  if (!isMeant && !/^amkocluster\.ya?ml$/.test(fileName)) return "other";
  if (kind !== "AMKOCluster") return { field: "kind", fault: "kind must be AMKOCluster: it may claim leadership" };
  if (member(value, "apiVersion") === apiVersion) return "manifest";
  return { field: "apiVersion", fault: `apiVersion must be ${apiVersion}: it may claim leadership` };
}

function folderFault(folder: string): string {
  const wanted = canonicalSegment(folder);
  const remark = wanted === null ? "" : `; the cluster's folder is clusters/${wanted}`;
  return `the folder's name is no cluster's name in its one spelling${remark}`;
}

interface Claim {
  readonly path: string;
  readonly cluster: ClusterName;
  readonly isLeader: boolean;
}

function judge(document: ReadableDocument, { path, cluster, isLeader }: Claim, schemas: Schemas): ReadManifest {
  const { value, lineOf } = document;
  const { errors, warnings } = inspectObject(document, schemas.AMKOCluster.schema, { path, code: "AG1019" });
  const annotations = readAnnotations(document, { path, code: "AG1019" });
  const faults = [...errors, ...annotations.errors, ...checkFields(document, { path, cluster })];
  const spec = member(value, "spec");
  const clusters = member(spec, "clusters");
  const manifest: Manifest = {
    cluster,
    path,
    isLeader,
    version: textOf(member(spec, "version")),
    clusters: isArray(clusters) ? clusters.filter((entry) => typeof entry === "string") : [],
    annotations: annotations.values,
    problem: faults[0] ?? null,
  };
  return {
    kind: "manifest",
    manifest,
    problems: [...faults, ...checkClusters(document, path), ...warnings],
    lines: { isLeader: lineOf(IS_LEADER), version: lineOf(VERSION), clusters: lineOf(CLUSTERS) },
    federationSet: federationSet(manifest),
  };
}

/** Entries that are no names belong to no set; they are told by {@link checkClusters}. */
function federationSet({ cluster, clusters }: Manifest): string {
  const names = clusters.filter((entry) => parseClusterName(entry) !== null);
  return JSON.stringify([...new Set([...names, cluster])].sort());
}

/** The rules that no schema knows. A field of a wrong type is the schema's business and is not told twice. */
function checkFields(
  { value, lineOf }: ReadableDocument,
  { path, cluster }: Pick<Claim, "path" | "cluster">,
): readonly Problem[] {
  const spec = member(value, "spec");
  const context = member(spec, "clusterContext") ?? "";
  const version = member(spec, "version") ?? "";
  const found: [ErrorCode, string, DocumentPath][] = [];
  if (member(member(value, "metadata"), "namespace") !== NAMESPACE) {
    found.push(["AG1010", `metadata.namespace must be ${NAMESPACE}`, NAMESPACE_FIELD]);
  }
  if (isBlank(context)) {
    found.push(["AG1019", "spec.clusterContext is empty", CONTEXT]);
  } else if (typeof context === "string" && context !== cluster) {
    found.push(["AG1019", `spec.clusterContext must be ${cluster}, the name of the folder`, CONTEXT]);
  }
  if (isBlank(version)) found.push(["AG1019", "spec.version is empty", VERSION]);
  return found.map(([code, message, field]) => problem(code, message, { path, line: lineOf(field) }));
}

/** An entry that can be no cluster's name is an error, but costs only itself: the others go on. */
function checkClusters({ value, lineOf }: ReadableDocument, path: string): readonly Problem[] {
  const clusters = member(member(value, "spec"), "clusters");
  if (!isArray(clusters)) return [];
  return clusters
    .flatMap((entry, index) => (typeof entry === "string" && parseClusterName(entry) === null ? [index] : []))
    .slice(0, FINDINGS_MAX)
    .map((index) =>
      problem("AG1019", `spec.clusters[${index}] can be no cluster's name`, {
        path,
        line: lineOf([...CLUSTERS, index]),
      }),
    );
}

function isBlank(value: unknown): boolean {
  return typeof value === "string" && value.trim() === "";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
