import { isObject } from "./json.ts";
import type { AmkoKind, Json, JsonObject } from "./model.ts";
import { arrayAt, objectAt, stringAt, stringsAt } from "./read-json.ts";
import { readSchema, type Schema } from "./schema.ts";

/** A kind of object that an API server offers under one group and version. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly statusSubresource: boolean;
  readonly schema: Schema;
}

/** A CustomResourceDefinition with the one version that is served and stored. */
export interface CustomResourceDefinition extends Resource {
  readonly additionalPrinterColumns: readonly PrinterColumn[];
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly jsonPath: string;
}

export type Schemas = Readonly<Record<AmkoKind, CustomResourceDefinition>>;

/**
 * Reads a CustomResourceDefinition manifest (`apiextensions.k8s.io/v1`).
 * @throws TypeError that names the field that is missing or malformed.
 */
export function readCustomResourceDefinition(value: Json): CustomResourceDefinition {
  const root = objectAt(value, "manifest");
  if (root["apiVersion"] !== "apiextensions.k8s.io/v1" || root["kind"] !== "CustomResourceDefinition") {
    throw new TypeError("not a CustomResourceDefinition of apiextensions.k8s.io/v1");
  }
  const spec = objectAt(root["spec"], "spec");
  const names = objectAt(spec["names"], "spec.names");
  const kind = stringAt(names["kind"], "spec.names.kind");
  const version = onlyVersion(spec);
  const subresources = version["subresources"];
  const schema = objectAt(version["schema"], "spec.versions[].schema");
  return {
    group: stringAt(spec["group"], "spec.group"),
    version: stringAt(version["name"], "spec.versions[].name"),
    kind,
    listKind: stringAt(names["listKind"] ?? `${kind}List`, "spec.names.listKind"),
    plural: stringAt(names["plural"], "spec.names.plural"),
    singular: stringAt(names["singular"] ?? kind.toLowerCase(), "spec.names.singular"),
    shortNames: stringsAt(names["shortNames"] ?? [], "spec.names.shortNames"),
    categories: stringsAt(names["categories"] ?? [], "spec.names.categories"),
    namespaced: stringAt(spec["scope"], "spec.scope") === "Namespaced",
    statusSubresource: isObject(subresources) && Object.hasOwn(subresources, "status"),
    schema: readSchema(objectAt(schema["openAPIV3Schema"], "spec.versions[].schema.openAPIV3Schema")),
    additionalPrinterColumns: arrayAt(
      version["additionalPrinterColumns"] ?? [],
      "spec.versions[].additionalPrinterColumns",
    ).map(readPrinterColumn),
  };
}

/**
 * The schemas of AMKO's three kinds.
 * @throws TypeError when one is missing.
 */
export function collectSchemas(definitions: readonly CustomResourceDefinition[]): Schemas {
  const find = (kind: AmkoKind): CustomResourceDefinition => {
    const found = definitions.find((definition) => definition.kind === kind);
    if (found === undefined) throw new TypeError(`no CustomResourceDefinition for ${kind} was given`);
    return found;
  };
  return {
    AMKOCluster: find("AMKOCluster"),
    GSLBConfig: find("GSLBConfig"),
    GlobalDeploymentPolicy: find("GlobalDeploymentPolicy"),
  };
}

function onlyVersion(spec: JsonObject): JsonObject {
  const served = arrayAt(spec["versions"], "spec.versions")
    .map((version) => objectAt(version, "spec.versions[]"))
    .filter((version) => version["served"] === true);
  const [version] = served;
  if (version === undefined || served.length > 1 || version["storage"] !== true) {
    throw new TypeError("spec.versions must have exactly one served version, the stored one");
  }
  return version;
}

function readPrinterColumn(value: Json): PrinterColumn {
  const column = objectAt(value, "additionalPrinterColumns[]");
  return {
    name: stringAt(column["name"], "additionalPrinterColumns[].name"),
    type: stringAt(column["type"], "additionalPrinterColumns[].type"),
    format: stringAt(column["format"] ?? "", "additionalPrinterColumns[].format"),
    description: stringAt(column["description"] ?? "", "additionalPrinterColumns[].description"),
    priority: Number(column["priority"] ?? 0),
    jsonPath: stringAt(column["jsonPath"], "additionalPrinterColumns[].jsonPath"),
  };
}
