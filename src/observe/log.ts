import { type DestinationStream, destination as fileDestination, pino, stdTimeFunctions } from "pino";
import type { Log, LogLevel } from "../ports.ts";
import { redact, redactText } from "./redact.ts";
import { formatLine } from "./text-line.ts";

export type LogFormat = "json" | "text";

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** On every line: the cluster's name, for instance. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Standard output where it is not given. */
  readonly destination?: { write(line: string): void };
}

/** What a line always has; a field of the same name is written with an underscore behind it. */
const RESERVED = ["time", "level", "msg"] as const;

const STANDARD_OUTPUT = 1;

/** Makes the log: one line per thing that happened, as JSON or for people; every value passes {@link redact}. */
export function createLog({ level, format, fields = {}, destination }: LogSettings): Log {
  const stacks = level === "debug";
  const shown = (values: Readonly<Record<string, unknown>>) => redact(unreserved(values), { stacks }) as object;
  const logger = pino(
    {
      level,
      base: shown(fields),
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Written at once: the last line before the end is the one that matters most.
    sinkFor(format, destination ?? fileDestination({ dest: STANDARD_OUTPUT, sync: true })),
  );
  return (lineLevel, message, values) => {
    if (!logger.isLevelEnabled(lineLevel)) return;
    logger[lineLevel](values === undefined ? {} : shown(values), redactText(message));
  };
}

function unreserved(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!RESERVED.some((name) => name in fields)) return fields;
  const reserved: readonly string[] = RESERVED;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [reserved.includes(name) ? `${name}_` : name, value]),
  );
}

function sinkFor(format: LogFormat, destination: { write(line: string): void }): DestinationStream {
  switch (format) {
    case "json":
      return destination;
    case "text":
      return { write: (line) => destination.write(formatLine(line)) };
    default:
      return format satisfies never;
  }
}
