import { stripVTControlCharacters } from "node:util";
import type { House, OpenRepository } from "../../src/cli/house.ts";
import { runCommandLine } from "../../src/cli/program.ts";
import type { Shell, Stream } from "../../src/cli/shell.ts";
import { findFileProblems } from "../../src/config-files.ts";
import { readFolder } from "../../src/git/folder.ts";
import { resolveName } from "../../src/git/resolve.ts";
import type { Cluster, Repository } from "../../src/ports.ts";
import { readSchemas, readTemplate } from "../../src/shipped.ts";

/** A terminal, or a pipe, and what the person answers. */
export interface CommandOptions {
  /** What `--repo` finds, whatever it says. */
  readonly repository?: Repository;
  /** What the clone's work tree holds and no commit does. */
  readonly uncommitted?: readonly string[];
  readonly cluster?: Cluster;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly nowMs?: number;
  /** In place of `nowMs`, where time goes on. */
  readonly now?: () => number;
  /** Null (the default) is a pipe, which knows neither width nor colour. */
  readonly terminal?: { readonly columns: number; readonly colour: boolean } | null;
  /** In order; without any nobody is there to answer. */
  readonly answers?: readonly string[];
  /** What happens while the command sleeps; nothing when not given, and no time passes. */
  readonly sleep?: (durationMs: number) => Promise<void>;
  /** Aborts when the person presses Ctrl-C. */
  readonly signal?: AbortSignal;
  readonly house?: Partial<House>;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was asked, in order. */
  readonly questions: readonly string[];
}

/** Noon of a day that no test depends on. */
export const NOW_MS = Date.UTC(2026, 0, 15, 12);

/** Runs one command in this process, with another shell around it and other ports behind it. */
export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const written = { stdout: "", stderr: "" };
  const questions: string[] = [];
  const answers = [...(options.answers ?? [])];
  const { terminal = null } = options;
  const stream = (name: keyof typeof written): Stream => ({
    write: (text) => {
      written[name] += text;
    },
    isTerminal: terminal !== null,
    columns: terminal?.columns ?? Number.POSITIVE_INFINITY,
    colour: terminal?.colour ?? false,
  });
  const shell: Shell = {
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    environment: options.environment ?? {},
    directory: options.directory ?? process.cwd(),
    async ask(question) {
      questions.push(stripVTControlCharacters(question));
      return answers.shift() ?? null;
    },
    nowMs: options.now ?? (() => options.nowMs ?? NOW_MS),
    sleep: options.sleep ?? (async () => undefined),
    signal: options.signal ?? new AbortController().signal,
  };
  const exitCode = await runCommandLine(args, shell, houseOf(options));
  return { exitCode, ...written, questions };
}

function houseOf(options: CommandOptions): House {
  const { repository, cluster, house } = options;
  return {
    findFileProblems,
    startAgent: () => missing("an agent"),
    readCrds: () => missing("the CRDs"),
    readSchemas,
    async openRepository(source) {
      if (repository === undefined) return await missing("a repository");
      return {
        ...repository,
        resolve: (name, signal) => resolveName(repository, source, name, signal),
        uncommitted: async () => options.uncommitted ?? [],
        prefix: "",
        close: async () => undefined,
      } satisfies OpenRepository;
    },
    readFolder,
    openInspector: () => missing("an inspector"),
    openCluster: async () => cluster ?? (await missing("a cluster")),
    readPerson: async () => ({ name: "Jo Doe", email: "jo@example.com" }),
    readTemplate,
    writeFolder: () => missing("a folder"),
    appendFile: () => missing("a file"),
    openPushed: () => missing("a pushed repository"),
    readFile: () => missing("a file"),
    readStdin: () => missing("standard input"),
    ...house,
  };
}

async function missing(what: string): Promise<never> {
  throw new TypeError(`the test gave no ${what}`);
}
