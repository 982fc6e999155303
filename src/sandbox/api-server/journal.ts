import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeSync,
} from "node:fs";
import type { ApiObject } from "./object.ts";

/** One acknowledged change, or (`mark`) only how far revisions were used. */
export type JournalRecord =
  | { readonly type: "put" | "delete"; readonly revision: number; readonly key: string; readonly object: ApiObject }
  | { readonly type: "mark"; readonly revision: number };

/** Remembers changes beyond the life of the process. */
export interface Journal {
  /** What earlier processes wrote, oldest first. */
  readonly records: readonly JournalRecord[];
  /** Returns once the operating system has it, so that `kill -9` loses nothing that was acknowledged. */
  append(record: JournalRecord): void;
  /** Puts `records` in place of all that was written so far. */
  rewrite(records: readonly JournalRecord[]): void;
  close(): void;
}

/** A journal that forgets. */
export function volatileJournal(): Journal {
  return { records: [], append() {}, rewrite() {}, close() {} };
}

/**
 * Opens or creates a journal of JSON lines. A last line without its end was never acknowledged, and is cut off.
 * Writes are synchronous on purpose: an answer may only follow its record, and the sandbox's objects are small.
 * @throws Error naming the line when one in the middle is damaged.
 */
export function openJournal(path: string): Journal {
  const records = existsSync(path) ? readRecords(path) : [];
  let file = openSync(path, "a");
  return {
    records,
    append: (record) => appendLine(file, line(record)),
    rewrite: (replacement) => {
      const fresh = `${path}.new`;
      const next = openSync(fresh, "w");
      write(next, replacement.map(line).join(""));
      fsyncSync(next);
      closeSync(next);
      renameSync(fresh, path);
      closeSync(file);
      file = openSync(path, "a");
    },
    close: () => closeSync(file),
  };
}

function readRecords(path: string): readonly JournalRecord[] {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf("\n") + 1;
  if (end < bytes.length) truncateSync(path, end);
  const lines = bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
  return lines.map((text, index) => {
    try {
      return JSON.parse(text) as JournalRecord;
    } catch (cause) {
      throw new Error(`${path}:${index + 1}: damaged record`, { cause });
    }
  });
}

function line(record: JournalRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Where the disk is full, the half of a line that it took would make all that follows unreadable. */
function appendLine(file: number, text: string): void {
  const { size } = fstatSync(file);
  try {
    write(file, text);
  } catch (error) {
    ftruncateSync(file, size);
    throw error;
  }
}

/** One write may take fewer bytes than it was given. */
function write(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
