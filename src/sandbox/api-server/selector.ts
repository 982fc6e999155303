import { type ApiObject, nameOf, textAt } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";
import { badRequest } from "./status.ts";

/** Whether an object is asked for. */
export type Selector = (object: ApiObject) => boolean;

/**
 * Reads the query parameters `labelSelector` and `fieldSelector`.
 * @throws ApiError 400 when one is malformed, or asks for a field that the type does not offer.
 */
export function readSelector(type: ResourceType, query: URLSearchParams): Selector {
  const labels = splitRequirements(query.get("labelSelector") ?? "").map(readLabelRequirement);
  const fields = splitRequirements(query.get("fieldSelector") ?? "").map((text) => readFieldRequirement(type, text));
  const requirements = [...labels, ...fields];
  return (object) => requirements.every((requirement) => requirement(object));
}

/** Splits at commas that do not stand in parentheses. */
function splitRequirements(text: string): readonly string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

const SET_REQUIREMENT = /^(?<key>[^\s=!,()]+)\s+(?<operator>in|notin)\s*\((?<values>[^()]*)\)$/;
const EQUALITY = /^(?<key>[^\s=!,()]+)\s*(?<operator>==|=|!=)\s*(?<value>[^\s=!,()]*)$/;
const EXISTENCE = /^(?<not>!?)\s*(?<key>[^\s=!,()]+)$/;

function readLabelRequirement(text: string): Selector {
  const set = SET_REQUIREMENT.exec(text)?.groups;
  if (set !== undefined) {
    const { key = "", operator, values = "" } = set;
    const wanted = new Set(values.split(",").map((value) => value.trim()));
    return (object) => wanted.has(labelOf(object, key) ?? "\0") === (operator === "in");
  }
  const equality = EQUALITY.exec(text)?.groups;
  if (equality !== undefined) {
    const { key = "", operator, value } = equality;
    return (object) => (labelOf(object, key) === value) === (operator !== "!=");
  }
  const existence = EXISTENCE.exec(text)?.groups;
  if (existence === undefined) throw badRequest(`unable to parse requirement: ${text}`);
  const { key = "", not } = existence;
  return (object) => (labelOf(object, key) !== undefined) === (not === "");
}

function labelOf({ metadata: { labels = {} } }: ApiObject, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function readFieldRequirement(type: ResourceType, text: string): Selector {
  const { key = "", operator, value = "" } = EQUALITY.exec(text)?.groups ?? {};
  if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`);
  const field = fieldOf(type, key);
  return (object) => (field(object) === value) === (operator !== "!=");
}

function fieldOf(type: ResourceType, key: string): (object: ApiObject) => string {
  if (key === "metadata.name") return nameOf;
  if (key === "metadata.namespace" && type.namespaced) return ({ metadata }) => metadata.namespace ?? "";
  if (!type.selectableFields.includes(key)) throw badRequest(`field label not supported: ${key}`);
  return (object) => textAt(object, ...key.split("."));
}
