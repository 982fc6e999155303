import { applyDefaults } from "../../core/defaults.ts";
import { isArray, isObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/model.ts";
import { prune } from "../../core/prune.ts";
import {
  type CustomResourceDefinition,
  type Resource,
  readCustomResourceDefinition,
} from "../../core/resource-definition.ts";
import { ageOf, type Column, NAME_COLUMN, printerColumn } from "./columns.ts";
import { type ApiObject, at, nameOf } from "./object.ts";

/** A kind of object that the server offers, with what it does about it. */
export interface ResourceType extends Resource {
  /** Defined by a CRD: strategic merge patches are refused, writes need a resourceVersion. */
  readonly custom: boolean;
  /** Whether metadata.generation counts changes. */
  readonly counted: boolean;
  /** Where its objects are kept. Events of both groups share one place. */
  readonly storage: string;
  /** The schema as clients are told it. */
  readonly openApiSchema: JsonObject;
  readonly columns: readonly Column[];
  /** What a field selector may ask for, beside metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  /** Fills in what the server itself decides of a new object. */
  readonly prepare: (object: ApiObject) => ApiObject;
  /** From this version's form to the stored one, and back. */
  readonly toStorage: (object: ApiObject) => ApiObject;
  readonly fromStorage: (object: ApiObject) => ApiObject;
}

export const DEFINITION_STORAGE = "apiextensions.k8s.io/customresourcedefinitions";

export function apiVersionOf({ group, version }: Pick<ResourceType, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

/**
 * The type that a stored CustomResourceDefinition defines.
 * @throws TypeError when it is malformed.
 */
export function customResourceType(definition: ApiObject): ResourceType {
  const read = readCustomResourceDefinition(definition);
  return {
    ...read,
    custom: true,
    counted: true,
    storage: `${read.group}/${read.plural}`,
    openApiSchema: openApiSchemaOf(definition),
    columns: columnsOf(read),
    selectableFields: [],
    prepare: unchanged,
    toStorage: unchanged,
    // What was kept under an older definition is seen as the present one has it; whether it is valid is not asked again.
    fromStorage: (object) => applyDefaults(prune(object, read.schema).value, read.schema) as ApiObject,
  };
}

export function unchanged(object: ApiObject): ApiObject {
  return object;
}

function columnsOf({ additionalPrinterColumns }: CustomResourceDefinition): readonly Column[] {
  if (additionalPrinterColumns.length === 0) return [NAME_COLUMN, ageOf("Age", "metadata", "creationTimestamp")];
  return [NAME_COLUMN, ...additionalPrinterColumns.map(printerColumn)];
}

function openApiSchemaOf(definition: ApiObject): JsonObject {
  const versions = at(definition, "spec", "versions");
  const served = isArray(versions) ? versions.find((version) => at(version, "served") === true) : undefined;
  const schema: Json | undefined = at(served, "schema", "openAPIV3Schema");
  if (!isObject(schema)) throw new TypeError(`CustomResourceDefinition ${nameOf(definition)} has no schema`);
  return schema;
}
