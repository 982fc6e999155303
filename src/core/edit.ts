import { isMap, isScalar, type Pair, parseDocument, Scalar, type YAMLMap } from "yaml";
import { canonicalYaml, quotedText, scalarText } from "./canonical.ts";
import { readYaml } from "./document.ts";
import { deepEqual, isObject } from "./json.ts";
import type { Json, JsonObject } from "./model.ts";

/** One field of somebody's YAML file: set to a value, or (null) taken out. */
export interface Edit {
  readonly path: readonly string[];
  readonly value: string | boolean | null;
}

/**
 * Changes single fields of a YAML file that people wrote, and nothing else: comments, order and layout stay, one line
 * changes per field. The text is spliced where the parser says that the field stands, and read back: in a layout that
 * cannot be spliced (a key behind a question mark) the library writes the file anew, with its comments. The file has
 * been read defensively before; one that cannot be parsed, or whose maps are not where they should be, throws.
 */
export function editYaml(text: string, edits: readonly Edit[]): string {
  const before = readYaml(text, "");
  if (!before.ok) throw new Error(before.problem.message);
  const spliced = edits.reduce(applyEdit, text);
  const after = readYaml(spliced, "");
  const wanted = edits.reduce(setField, before.value);
  return after.ok && deepEqual(withoutEmpty(after.value), withoutEmpty(wanted)) ? spliced : edits.reduce(rewrite, text);
}

/** What a file says once the field is set. */
function setField(value: Json, { path: [key = "", ...rest], value: next }: Edit): Json {
  const { [key]: former = null, ...others } = isObject(value) ? value : {};
  const inner = rest.length === 0 ? next : setField(former, { path: rest, value: next });
  return inner === null ? others : { ...others, [key]: inner };
}

/** A map that holds nothing (`annotations:`) says as much as none. */
function withoutEmpty(value: Json): Json {
  if (!isObject(value)) return value;
  const filled = Object.entries(value).flatMap(([key, one]): [string, Json][] => {
    const kept = withoutEmpty(one);
    return kept === null ? [] : [[key, kept]];
  });
  return filled.length === 0 ? null : Object.fromEntries(filled);
}

function rewrite(text: string, { path, value }: Edit): string {
  const document = parseDocument(text, { version: "1.1" });
  if (value === null) document.deleteIn(path);
  else {
    const scalar = new Scalar(value);
    if (typeof value === "string") scalar.type = "QUOTE_DOUBLE";
    document.setIn(path, scalar);
  }
  return document.toString({ lineWidth: 0 });
}

function applyEdit(text: string, { path, value }: Edit): string {
  const document = parseDocument(text, { keepSourceTokens: true, version: "1.1" });
  let map = document.contents as unknown;
  for (const [depth, key] of path.entries()) {
    if (!isMap(map)) throw new Error(`${path.slice(0, depth).join(".")} is no map`);
    const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
    const last = depth === path.length - 1;
    if (pair === undefined) return value === null ? text : insert(text, map, nested(path.slice(depth), value));
    if (last) return value === null ? remove(text, map, pair) : replace(text, map, pair, value);
    if (!isMap(pair.value)) {
      // An empty parent (`annotations:`) is as good as none.
      return value === null ? text : applyEdit(remove(text, map, pair), { path, value });
    }
    map = pair.value;
  }
  return text;
}

/** What a path and a value are as an object: `{annotations: {key: value}}`. */
function nested(path: readonly string[], value: string | boolean): JsonObject {
  const [key = "", ...rest] = path;
  return { [key]: rest.length === 0 ? value : nested(rest, value) };
}

function write(value: string | boolean, inOneLine: boolean): string {
  if (typeof value === "boolean") return String(value);
  return inOneLine ? quotedText(value) : scalarText(value);
}

function rangeOf(node: unknown): readonly [start: number, valueEnd: number, nodeEnd: number] {
  const range = (node as { range?: [number, number, number] | null } | null)?.range;
  if (!range) throw new Error("the parser does not say where a field stands");
  return range;
}

function replace(text: string, map: YAMLMap, { key, value }: Pair, next: string | boolean): string {
  const written = write(next, map.flow === true);
  if (value === null) {
    const [, keyEnd] = rangeOf(key);
    return `${text.slice(0, keyEnd)}: ${written}${text.slice(keyEnd).replace(/^\s*:/, "")}`;
  }
  const [start, end] = rangeOf(value);
  // An empty value has no text of its own: spaces have to part it from the colon, and from a comment.
  const before = start === end && text[start - 1] === ":" ? " " : "";
  const after = start === end && text[end] === "#" ? " " : "";
  // A block (`>-`) ends behind its last line.
  const newline = text[end - 1] === "\n" && start < end ? "\n" : "";
  return `${text.slice(0, start)}${before}${written}${after}${newline}${text.slice(end)}`;
}

/** Puts a field before the first one of the map, in the map's own style. */
function insert(text: string, map: YAMLMap, fields: JsonObject): string {
  const [first] = map.items;
  if (map.flow === true || first === undefined) {
    const [start] = rangeOf(map);
    const inner = inOneLine(fields).slice(1, -1);
    return `${text.slice(0, start + 1)}${inner}${first === undefined ? "" : ", "}${text.slice(start + 1)}`;
  }
  const [start] = rangeOf(first.key);
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  const lines = canonicalYaml(fields).trimEnd().replaceAll("\n", `\n${indent}`);
  return `${text.slice(0, start)}${lines}\n${indent}${text.slice(start)}`;
}

/** `{"annotations": {"key": "value"}}` */
function inOneLine(value: Json): string {
  if (!isObject(value)) return typeof value === "string" ? quotedText(value) : String(value);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${quotedText(key)}: ${inOneLine(inner)}`)
    .join(", ")}}`;
}

/** Takes the field's lines out, with the comment behind it. */
function remove(text: string, map: YAMLMap, pair: Pair): string {
  const [start] = rangeOf(pair.key);
  const [, end] = rangeOf(pair.value ?? pair.key);
  if (map.flow === true) {
    const rest = text.slice(end).replace(/^\s*,\s*/, "");
    const kept = rest.length === text.length - end ? text.slice(0, start).replace(/,\s*$/, "") : text.slice(0, start);
    return kept + rest;
  }
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const newline = text.indexOf("\n", Math.max(end - 1, start));
  return text.slice(0, lineStart) + (newline < 0 ? "" : text.slice(newline + 1));
}
