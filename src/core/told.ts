import { type ParsedMessage, parseMessage, TRAILERS, trailerValues } from "./message.ts";
import { FEDERATED_KINDS } from "./model.ts";

/** What a commit's message says, by whoever wrote it: untrusted text, to be shown and not to be believed. */
export interface Told {
  readonly subject: string;
  /** The free text between subject and trailers, without the fields, which are told from the content; "" for none. */
  readonly reason: string;
  /** `Federated-From`; null where it does not stand exactly once. */
  readonly from: string | null;
  /** `Changed-With` */
  readonly tools: readonly string[];
  /** `Supersedes` */
  readonly supersedes: readonly string[];
}

const REASON_MAX_CHARACTERS = 2000;

/** Reads any commit's message. Total. */
export function readTold(message: string): Told {
  const parsed = parseMessage(message);
  const from = trailerValues(parsed, TRAILERS.from);
  return {
    subject: parsed.subject,
    reason: reasonIn(message, parsed),
    from: from.length === 1 ? (from[0] ?? null) : null,
    tools: trailerValues(parsed, TRAILERS.changedWith),
    supersedes: trailerValues(parsed, TRAILERS.supersedes),
  };
}

function reasonIn(message: string, { trailers }: ParsedMessage): string {
  const paragraphs = message
    .replaceAll("\r\n", "\n")
    .trimEnd()
    .split(/\n{2,}/)
    .slice(1);
  const free = trailers.length === 0 ? paragraphs : paragraphs.slice(0, -1);
  const words = free.filter((paragraph) => !paragraph.split("\n").every(isFieldLine)).join("\n\n");
  // What looks like a trailer is quoted when it is written, and read back as it was meant.
  return words.replace(/^> /gm, "").trim().slice(0, REASON_MAX_CHARACTERS);
}

/** `spec.ttl: 10 -> 5`, or the kind that stands above such lines. A reason may have an arrow too. */
function isFieldLine(line: string): boolean {
  return (
    /^(?:metadata|annotations|spec|deleted)(?:[.[].*)?: .* -> /.test(line) ||
    /^\(\d+ more fields\)$/.test(line) ||
    (FEDERATED_KINDS as readonly string[]).includes(line)
  );
}
