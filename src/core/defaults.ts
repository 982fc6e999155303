import { isArray, isObject } from "./json.ts";
import type { Json } from "./model.ts";
import type { Schema } from "./schema.ts";

/**
 * Fills in defaults. Before that, nulls in fields that are not nullable go: a field with a default gets it, one
 * without is dropped. A field that is nullable keeps its null.
 */
export function applyDefaults(value: Json, schema: Schema): Json {
  return fillDefaults(dropNulls(value, schema), schema);
}

function dropNulls(value: Json, schema: Schema): Json {
  return mapFields(value, schema, (field, known) => {
    if (field !== null) return dropNulls(field, known);
    return known.nullable || known.default !== undefined ? null : undefined;
  });
}

function fillDefaults(value: Json, schema: Schema): Json {
  const filled = mapFields(value, schema, (field, known) => {
    const replaced = field === null && !known.nullable ? (known.default ?? null) : field;
    return fillDefaults(replaced, known);
  });
  if (!isObject(filled)) return filled;
  const missing = [...schema.properties].flatMap(([key, known]): [string, Json][] =>
    known.default === undefined || Object.hasOwn(filled, key) ? [] : [[key, fillDefaults(known.default, known)]],
  );
  return missing.length === 0 ? filled : Object.fromEntries([...Object.entries(filled), ...missing]);
}

/** Maps what the schema knows of an object's fields or a list's entries; `undefined` drops a field. */
function mapFields(value: Json, schema: Schema, change: (field: Json, known: Schema) => Json | undefined): Json {
  if (isArray(value)) {
    const { items } = schema;
    // An entry is never dropped: that would renumber the others. Validation tells of a null that stays.
    return items === null ? value : value.map((entry) => change(entry, items) ?? null);
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, field]): [string, Json][] => {
    const known = schema.properties.get(key) ?? schema.additionalProperties;
    if (known === null) return [[key, field]];
    const changed = change(field, known);
    return changed === undefined ? [] : [[key, changed]];
  });
  return Object.fromEntries(entries);
}
