import type { DocumentPath } from "./document-path.ts";
import { isArray, isObject } from "./json.ts";
import type { Json } from "./model.ts";
import { ANYTHING, type Schema } from "./schema.ts";

/**
 * Removes what the schema does not know, except apiVersion, kind and metadata of the root. `dropped` names each removed
 * field; what stood below it is not listed.
 */
export function prune(
  value: Json,
  schema: Schema,
): { readonly value: Json; readonly dropped: readonly DocumentPath[] } {
  const dropped: DocumentPath[] = [];
  const pruned = pruneAt(value, { ...schema, embeddedResource: true }, [], dropped);
  return { value: pruned, dropped };
}

const META_FIELDS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** `schema` null stands for a place of which nothing is known: objects lose all their fields there. */
function pruneAt(value: Json, schema: Schema | null, path: DocumentPath, dropped: DocumentPath[]): Json {
  if (isArray(value)) {
    const items = schema?.preserveUnknownFields === true ? preserving(schema.items) : (schema?.items ?? null);
    return value.map((entry, index) => pruneAt(entry, items, [...path, index], dropped));
  }
  if (!isObject(value)) return value;
  const entries: [string, Json][] = [];
  for (const [key, field] of Object.entries(value)) {
    const known = fieldSchema(schema, key);
    if (known !== null) entries.push([key, known === true ? field : pruneAt(field, known, [...path, key], dropped)]);
    else dropped.push([...path, key]);
  }
  return Object.fromEntries(entries);
}

/** The schema of one field; `true` where any value stays as it is; null where the field is unknown. */
function fieldSchema(schema: Schema | null, key: string): Schema | true | null {
  if (schema === null) return null;
  if (schema.embeddedResource && META_FIELDS.has(key)) return true;
  return schema.properties.get(key) ?? schema.additionalProperties ?? (schema.preserveUnknownFields ? true : null);
}

/** What a list preserves, its entries preserve too. */
function preserving(items: Schema | null): Schema {
  return { ...(items ?? ANYTHING), preserveUnknownFields: true };
}
