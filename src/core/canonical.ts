import { isArray, isObject, sortedEntries } from "./json.ts";
import type { Json, JsonObject } from "./model.ts";
import { resolvePlain } from "./scalars.ts";

/**
 * An object as YAML, always the same text for the same object: keys sorted, two spaces, LF, one newline at the end. It
 * is written so that readers of YAML 1.1, of 1.2 and Kubernetes, which is in between, all read the same object back.
 *
 * It is written here and not by a library, because every agent of a federation must write the same bytes, also while
 * some of them run a newer release than others.
 */
export function canonicalYaml(object: JsonObject): string {
  return isFilled(object) ? `${mapText(object, "")}\n` : "{}\n";
}

/** A map whose first key stands where the caller has arrived; the others begin on lines of their own. */
function mapText(object: JsonObject, indent: string): string {
  const entries = sortedEntries(object).map(([key, value]) => `${keyText(key, indent)}${valueText(value, indent)}`);
  return entries.join(`\n${indent}`);
}

/** A longer key than readers must accept is announced by a question mark. */
function keyText(key: string, indent: string): string {
  return key.length > SIMPLE_KEY_MAX_CHARACTERS ? `? ${scalarText(key)}\n${indent}:` : `${scalarText(key)}:`;
}

/** YAML allows 1,024 bytes; a character takes at most six of them. */
const SIMPLE_KEY_MAX_CHARACTERS = 160;

/** What follows `key:`. A map or a list that holds something begins on a line of its own. */
function valueText(value: Json, indent: string): string {
  const inner = `${indent}  `;
  if (!isFilled(value)) return ` ${flatText(value, inner)}`;
  return `\n${inner}${nestedText(value, inner)}`;
}

/** A list's entry begins on the dash's line, whatever it is. */
function entryText(entry: Json, indent: string): string {
  const inner = `${indent}  `;
  return `- ${isFilled(entry) ? nestedText(entry, inner) : flatText(entry, inner)}`;
}

function nestedText(value: readonly Json[] | JsonObject, indent: string): string {
  if (!isArray(value)) return mapText(value, indent);
  return value.map((entry) => entryText(entry, indent)).join(`\n${indent}`);
}

function isFilled(value: Json): value is readonly Json[] | JsonObject {
  return isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;
}

/** Scalars, and the map and the list that are empty. */
function flatText(value: Json, indent: string): string {
  if (isArray(value)) return "[]";
  if (isObject(value)) return "{}";
  if (typeof value === "string") return isParagraph(value) ? blockText(value, indent) : scalarText(value);
  return typeof value === "number" ? numberText(value) : String(value);
}

/** A number that is no exact integer is written as a float: it says so, and no reader takes it for one. */
function numberText(value: number): string {
  if (value === 0) return "0";
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

/**
 * Several lines that stay exact and readable as a block: nothing unseen, no blank at a line's end (editors cut it) nor
 * at the very start (it would need an indentation mark), and at most one newline at the end.
 */
function isParagraph(text: string): boolean {
  return (
    /^[^\n ][^\n]*\n/.test(text) && !text.endsWith("\n\n") && !/ (?:\n|$)/.test(text) && text.search(UNSEEN) === -1
  );
}

function blockText(text: string, indent: string): string {
  const header = text.endsWith("\n") ? "|" : "|-";
  const lines = text.replace(/\n$/, "").split("\n");
  return [header, ...lines.map((line) => (line === "" ? "" : `${indent}${line}`))].join("\n");
}

/** A string that stands for itself wherever a block map has its values, for all of these readers. */
export function scalarText(text: string): string {
  return PLAIN.test(text) && !MISREAD.test(text) && resolvePlain(text) === text ? text : quotedText(text);
}

/** Words, versions, addresses, paths, context names. Whatever else there is looks better in quotes. */
const PLAIN = /^[\w./](?:[\w./@+=,()&*-]|:(?=\S)| (?=[\w./]))*$/;

/** What any reader of YAML takes for a number, a time, a date or a word of its own, but for versions and addresses. */
const MISREAD =
  /^(?:(?!\d+(?:\.\d+){2,}$)[-+.\de][-+.,\d_:e]*|[-+]?0[box].*|[-+]?\.(?:inf|nan)|\d{4}-\d\d?-\d\d?[t ].*|null|true|false|yes|no|on|off|[yn])$/i;

/** A string that stands for itself anywhere, also in a map that is written in one line. */
export function quotedText(text: string): string {
  const escaped = text.toWellFormed().replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${escaped.replace(UNSEEN, escapeCharacter)}"`;
}

/**
 * What a reviewer would not see, what turns the direction of text, and what YAML readers refuse or take for a line
 * break. Listed by number and not by Unicode category, which would change with the runtime's Unicode version.
 */
const UNSEEN =
  /[^\P{Cc}\n]|[\u00a0\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\uffff\ud800-\udfff]/gu;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
