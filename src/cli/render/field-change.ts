import { canonicalYaml } from "../../core/canonical.ts";
import { type FieldChange, formatFieldPath, formatFieldValue } from "../../core/diff.ts";
import { isObject } from "../../core/json.ts";
import { diffLines } from "../../core/line-diff.ts";
import type { Json } from "../../core/model.ts";
import { paint, type Stream } from "../shell.ts";
import { renderDiffLine } from "./diff-line.ts";

const INDENT = "  ";
/** Longer lines are hard to compare, also where there is room. */
const LINE_MAX_CHARACTERS = 120;

/**
 * A field with both its values: on one line where they fit, else as YAML below it, line by line. Nothing is cut, and
 * characters that nobody sees are written out: what differs must not look the same.
 */
export function renderFieldChange(change: FieldChange, stream: Stream): string {
  const field = visibleText(formatFieldPath(change.path));
  const [before, after] = [
    visibleText(formatFieldValue(change.before, "(none)")),
    visibleText(formatFieldValue(change.after, "(removed)")),
  ];
  const length = `${INDENT}${field}: ${before} -> ${after}`.length;
  if (isFlat(change.before) && isFlat(change.after) && length <= Math.min(LINE_MAX_CHARACTERS, stream.columns)) {
    return `${INDENT}${field}: ${paint(stream, "red", before)} -> ${paint(stream, "green", after)}\n`;
  }
  const lines = diffLines(yamlOf(change.before), yamlOf(change.after));
  const below = lines.map(
    ({ kind, text }) => `${INDENT}${INDENT}${renderDiffLine({ kind, text: visibleText(text) }, stream)}\n`,
  );
  return `${INDENT}${field}:\n${below.join("")}`;
}

/** What is no picture on the screen, or turns the writing round, stands there by its number. */
export function visibleText(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}\p{Co}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Whether people read it at a glance: no map, and no list of lists or maps. */
function isFlat(value: Json | undefined): boolean {
  if (Array.isArray(value)) return (value as readonly Json[]).every((entry) => typeof entry !== "object");
  return !isObject(value) || Object.keys(value).length === 0;
}

const WRAPPER = "v";

/** As it stands in the file, without the indentation that it has there. */
function yamlOf(value: Json | undefined): string {
  if (value === undefined) return "";
  const text = canonicalYaml({ [WRAPPER]: value }).slice(`${WRAPPER}:`.length);
  return text.startsWith("\n") ? text.slice(1).replaceAll(/^ {2}/gm, "") : text.slice(1);
}
