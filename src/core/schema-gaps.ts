import { isObject } from "./json.ts";
import type { Json } from "./model.ts";
import type { Schema } from "./schema.ts";

/**
 * The fields of `wanted` that a published OpenAPI schema lacks, as `spec.ttl`, `spec.trafficSplit[].weight`: an API
 * server would drop them without a word. A missing map or list stands for all that is in it.
 */
export function schemaGaps(wanted: Schema, published: Json, path = ""): readonly string[] {
  if (!isObject(published) || published["x-kubernetes-preserve-unknown-fields"] === true) return [];
  const properties = isObject(published["properties"]) ? published["properties"] : {};
  const further = published["additionalProperties"];
  const inside = [...wanted.properties].flatMap(([name, schema]) => {
    const place = path === "" ? name : `${path}.${name}`;
    const found = Object.hasOwn(properties, name) ? properties[name] : further;
    return found === undefined || found === false ? [place] : schemaGaps(schema, found, place);
  });
  const items = wanted.items === null ? [] : schemaGaps(wanted.items, published["items"] ?? {}, `${path}[]`);
  return [...inside, ...items];
}
