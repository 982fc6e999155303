import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Pair,
  Parser,
} from "yaml";
import { type ErrorCode, problem } from "./catalogue.ts";
import type { DocumentPath } from "./document-path.ts";
import { FILE_SIZE_MAX_BYTES, type Json, type Problem, type RevisionFile } from "./model.ts";
import { resolvePlain } from "./scalars.ts";

export interface ReadableDocument {
  readonly ok: true;
  readonly value: Json;
  /** The line of a field, or of the nearest one around it that stands in the file; null in an empty file. */
  lineOf(path: DocumentPath): number | null;
}

export type ReadDocument = ReadableDocument | { readonly ok: false; readonly problem: Problem };

/** Maps and lists in each other. AMKO's objects nest five deep. */
const NESTING_MAX = 100;
/** Some 25,000 lines. It keeps hostile text, which costs the library up to 20 microseconds a byte, to about a second. */
export const TOKENS_MAX = 200_000;

/**
 * Reads one YAML (or JSON) document as Kubernetes would read it, or says where and why it cannot be trusted. Total: it
 * never throws, whatever the bytes are. What YAML allows and reviewers misread is refused: duplicate keys, anchors,
 * merge keys, tags, keys that are no text. An empty file is null.
 */
export function readDocument(file: RevisionFile): ReadDocument {
  const text = readText(file);
  return typeof text === "string" ? readYaml(text, file.path) : { ok: false, problem: text };
}

function readText({ path, type, size, bytes }: RevisionFile): string | Problem {
  if (type !== "file") return problem("AG1001", `a ${type} stands where a regular file is expected`, { path });
  const sizeBytes = Math.max(size, bytes?.length ?? 0);
  if (bytes === null || sizeBytes > FILE_SIZE_MAX_BYTES) {
    return problem("AG1002", `the file has ${sizeBytes} bytes, more than ${FILE_SIZE_MAX_BYTES}`, { path });
  }
  const text = decodeUtf8(bytes);
  if (text === null) return problem("AG1004", "the file holds bytes that are not UTF-8", { path });
  if (text.startsWith(LFS_MAGIC)) return problem("AG1003", "the file is a Git LFS pointer", { path, line: 1 });
  return text;
}

const LFS_MAGIC = "version https://git-lfs.github.com/spec/";

/** A byte order mark at the start is dropped, as every YAML reader does. */
function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The only error there is: the bytes are not UTF-8.
    return null;
  }
}

/** Why a file is refused, and where, in UTF-16 code units from its start. */
interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly offset: number;
}

type Root = Document.Parsed["contents"];

/** As {@link readDocument}, of text that has been decoded already. */
export function readYaml(text: string, path: string): ReadDocument {
  const refusals: Refusal[] = [];
  const root = compose(text, refusals);
  const value = refusals.length === 0 ? toJson(root, refusals) : null;
  const lines = countLines(text);
  const [refusal] = refusals;
  if (refusal !== undefined) {
    const { code, message, offset } = refusal;
    return { ok: false, problem: problem(code, message, { path, line: lines.linePos(offset).line }) };
  }
  const lineOf = (wanted: DocumentPath): number | null => {
    const offset = offsetOf(root, wanted);
    return offset === null ? null : lines.linePos(offset).line;
  };
  return { ok: true, value, lineOf };
}

/** Only a line feed breaks lines here: what other readers take for one is a {@link FOREIGN_CHARACTER}. */
function countLines(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return lines;
}

/**
 * The library's own lexer, parser and composer, one token at a time, so that hostile text is dropped as soon as it
 * passes a limit. Scalars stay text (`failsafe`), since what they mean is Kubernetes' business: {@link resolvePlain}.
 * Duplicate keys are looked for in {@link toJson}, since the library compares every key with every other.
 */
function compose(text: string, refusals: Refusal[]): Root | null {
  const foreign = text.search(FOREIGN_CHARACTER);
  if (foreign !== -1) {
    refusals.push(refuseCharacter(text, foreign));
    return null;
  }
  const parser = new Parser();
  const composer = new Composer({ schema: "failsafe", uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  const documents: Document.Parsed[] = [];
  const take = (token: CST.Token): void => {
    refusals.push(...refuseToken(token));
    documents.push(...composer.next(token));
  };
  // An escape counts as a token: the library makes an exception of each that is wrong.
  let tokens = text.split("\\").length - 1;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) take(token);
    tokens += 1;
    refusals.push(...overLimits(tokens, parser, documents));
    if (refusals.length > 0) return null;
  }
  for (const token of parser.end()) take(token);
  documents.push(...composer.end(true, text.length));
  refusals.push(...overLimits(tokens, parser, documents), ...malformed(documents[0]));
  return documents[0]?.contents ?? null;
}

/** What is refused as soon as it is seen: each of these can come by the hundred thousand, and each is slow. */
function refuseToken(token: CST.Token): readonly Refusal[] {
  if (token.type === "error")
    return [{ code: "AG1005", message: `malformed YAML: ${token.message}`, offset: token.offset }];
  if (token.type !== "directive") return [];
  return [
    { code: "AG1005", message: "a directive stands here; it would change how the rest is read", offset: token.offset },
  ];
}

/**
 * Characters that YAML readers treat in two ways: refused or taken for line breaks by some, kept by others. In double
 * quotes each can be written as an escape.
 */
const FOREIGN_CHARACTER = /[^\P{Cc}\t\n\r]|[\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)/u;

function refuseCharacter(text: string, offset: number): Refusal {
  const code = (text.codePointAt(offset) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const message = `the character U+${code} stands here as it is; write it as "\\u${code}", in double quotes`;
  return { code: "AG1005", message, offset };
}

function overLimits(tokens: number, parser: Parser, [, second]: readonly Document.Parsed[]): readonly Refusal[] {
  if (second !== undefined) {
    return [{ code: "AG1006", message: "a second YAML document begins here", offset: second.range[0] }];
  }
  if (tokens > TOKENS_MAX) {
    return [{ code: "AG1002", message: `the file has more than ${TOKENS_MAX} tokens of YAML`, offset: parser.offset }];
  }
  if (parser.stack.length > NESTING_MAX) {
    return [{ code: "AG1005", message: `maps and lists are nested deeper than ${NESTING_MAX}`, offset: parser.offset }];
  }
  return [];
}

function malformed(document: Document.Parsed | undefined): readonly Refusal[] {
  const [error] = document?.errors ?? [];
  return error === undefined
    ? []
    : [{ code: "AG1005", message: `malformed YAML: ${error.message}`, offset: error.pos[0] }];
}

/** The node as JSON. What is refused in it is added to `refusals`, and the result is then of no use. */
function toJson(node: unknown, refusals: Refusal[]): Json {
  if (isAlias(node)) return refuse(refusals, "AG1008", "an alias stands here", node);
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return null;
  if (node.anchor !== undefined)
    return refuse(refusals, "AG1008", `the anchor &${brief(node.anchor)} stands here`, node);
  if (node.tag !== undefined) {
    return refuse(
      refusals,
      "AG1005",
      `the tag ${brief(node.tag)} stands here; tags are not read: quote what is text`,
      node,
    );
  }
  if (isMap(node)) return toObject(node.items, refusals);
  if (isSeq(node)) return node.items.map((item) => toJson(item, refusals));
  const value = scalarValue(node);
  if (value === undefined) {
    return refuse(refusals, "AG1014", `the number ${brief(String(node.value))} cannot be kept exactly`, node);
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    return refuse(refusals, "AG1005", "half of a surrogate pair stands here; write the whole character", node);
  }
  return value;
}

/** From entries, so that a key such as `__proto__` is a key like any other. */
function toObject(pairs: readonly Pair[], refusals: Refusal[]): Json {
  const entries = new Map<string, Json>();
  for (const { key, value } of pairs) {
    const name = keyText(key, refusals);
    if (name === null) continue;
    if (entries.has(name)) refuse(refusals, "AG1007", `the key ${JSON.stringify(brief(name))} stands here twice`, key);
    entries.set(name, toJson(value, refusals));
  }
  return Object.fromEntries(entries);
}

/** Kubernetes would turn `1:` into "1" and `on:` into "true"; nobody who writes that means it. */
function keyText(key: unknown, refusals: Refusal[]): string | null {
  const name = toJson(key, refusals);
  if (typeof name !== "string") {
    refuse(refusals, "AG1005", "this key is no text to Kubernetes; put it in quotes", key);
    return null;
  }
  if (name === "<<" && isScalar(key) && key.type === "PLAIN") {
    refuse(refusals, "AG1008", "a merge key stands here", key);
  }
  return name;
}

function scalarValue({ value, type }: { readonly value: unknown; readonly type?: string | undefined }) {
  const text = typeof value === "string" ? value : "";
  return type === "PLAIN" || type === undefined ? resolvePlain(text) : text;
}

function refuse(refusals: Refusal[], code: ErrorCode, message: string, node: unknown): null {
  refusals.push({ code, message, offset: startOf(node) ?? 0 });
  return null;
}

/** Enough of a text to find it by; messages go into commits, statuses and log lines. */
function brief(text: string): string {
  return text.length > BRIEF_MAX_CHARACTERS ? `${text.slice(0, BRIEF_MAX_CHARACTERS)}…` : text;
}

const BRIEF_MAX_CHARACTERS = 60;

function offsetOf(root: unknown, path: DocumentPath): number | null {
  let offset = startOf(root);
  let node = root;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      offset = startOf(pair?.key) ?? offset;
      node = pair?.value;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | null {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? (node.range?.[0] ?? null) : null;
}
