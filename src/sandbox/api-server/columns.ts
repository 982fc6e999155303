import { isArray, member } from "../../core/json.ts";
import type { Json } from "../../core/model.ts";
import type { PrinterColumn } from "../../core/resource-definition.ts";
import { type ApiObject, at, nameOf } from "./object.ts";

/** A column of the table that `kubectl get` shows. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** Above 0: only with `-o wide`. */
  readonly priority: number;
  readonly value: (object: ApiObject) => Json;
}

export function column(
  name: string,
  value: Column["value"],
  { priority = 0, type = "string" }: Partial<Pick<Column, "priority" | "type">> = {},
): Column {
  return { name, type, format: "", description: "", priority, value };
}

export const NAME_COLUMN: Column = { ...column("Name", nameOf), format: "name" };

/** How long ago the time at a path was. */
export function ageOf(name: string, ...path: readonly string[]): Column {
  return column(name, (object) => ageSince(at(object, ...path)));
}

/** A column as a CustomResourceDefinition asks for it. */
export function printerColumn({ name, type, format, description, priority, jsonPath }: PrinterColumn): Column {
  const steps = readJsonPath(jsonPath);
  const value = (object: ApiObject): Json => {
    const found = steps.reduce<readonly Json[]>((values, step) => values.flatMap(step), [object]);
    if (type === "date") return ageSince(found[0]);
    return found.length > 1 ? found.map(String).join(",") : (found[0] ?? "");
  };
  return { name, type: type === "date" ? "string" : type, format, description, priority, value };
}

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** `5m`, as kubectl writes how long ago something was. */
export function ageSince(time: Json | undefined): string {
  const sinceMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(sinceMs)) return "<unknown>";
  const seconds = Math.max(0, Math.floor((Date.now() - sinceMs) / 1000));
  // Each unit is used until two of the next would fit, as kubectl does.
  if (seconds < 2 * MINUTE_SECONDS) return `${seconds}s`;
  if (seconds < 2 * HOUR_SECONDS) return `${Math.floor(seconds / MINUTE_SECONDS)}m`;
  if (seconds < 2 * DAY_SECONDS) return `${Math.floor(seconds / HOUR_SECONDS)}h`;
  return `${Math.floor(seconds / DAY_SECONDS)}d`;
}

type Step = (value: Json) => readonly Json[];

const JSON_PATH_STEP =
  /\.?(?:\[\?\(@\.(?<filterKey>[\w-]+)\s*==\s*["'](?<filterValue>[^"']*)["']\)\]|\[(?<index>\d+|\*)\]|\['(?<quoted>[^']+)'\]|(?<key>(?:[\w/-]|\\\.)+))/gy;

/** Understands `.a.b`, `['a.b']`, `.a\.b`, `[0]`, `[*]` and `[?(@.a=="b")]`. Any other path selects nothing. */
function readJsonPath(path: string): readonly Step[] {
  const matches = [...path.matchAll(JSON_PATH_STEP)];
  if (matches.map(([text]) => text).join("") !== path) return [() => []];
  return matches.map(({ groups = {} }) => {
    const { filterKey, filterValue, index, quoted, key } = groups;
    if (filterKey !== undefined) {
      return (value) => (isArray(value) ? value.filter((entry) => at(entry, filterKey) === filterValue) : []);
    }
    if (index !== undefined) {
      return (value) => (isArray(value) ? (index === "*" ? value : value.slice(Number(index), Number(index) + 1)) : []);
    }
    const name = quoted ?? (key ?? "").replaceAll("\\.", ".");
    return (value) => {
      const field = member(value, name);
      return field === undefined ? [] : [field];
    };
  });
}
