import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { AGENT_SETTINGS, environmentName } from "../config.ts";
import type { Json } from "../core/model.ts";
import { asFederationError } from "../errors.ts";
import { runAgent, type StartAgent } from "./agent.ts";

/** What the verbs need of the house; wired in compose. */
export interface CommandLineParts {
  readonly startAgent: StartAgent;
  /** The CRDs of deploy/crds. */
  readCrds(): Promise<readonly Json[]>;
}

/** Scripts rely on these. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** Runs one command and returns the process's exit code. */
export async function runCommandLine(args: readonly string[], parts: CommandLineParts): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(parts, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { code, message, remedy } = asFederationError(error);
    process.stderr.write(`${code} ${message}. ${remedy}\n`);
    return exitCodeFor(code);
  }
}

function createProgram(parts: CommandLineParts, exit: (code: number) => void): Command {
  const program = new Command("amko-gitops")
    .description("Federates AMKO's configuration between Kubernetes clusters through a git repository.")
    .version(readVersion(), "-V, --version", "prints the version")
    .exitOverride()
    .showHelpAfterError("(--help shows the usage)");
  addAgent(program, parts, exit);
  addSandbox(program, parts, exit);
  program
    .command("version")
    .description("prints the version")
    .addHelpText("after", "\nExample:\n  amko-gitops version")
    .action(() => void process.stdout.write(`${readVersion()}\n`));
  return program;
}

function addAgent(program: Command, { startAgent }: CommandLineParts, exit: (code: number) => void): void {
  const command = program.command("agent").description("runs the daemon of one cluster");
  for (const { flag, placeholder, fallback, description } of AGENT_SETTINGS) {
    const standard = fallback === null || fallback === "" ? "" : ` (default: ${fallback})`;
    command.option(`--${flag} <${placeholder}>`, `${description}${standard} [${environmentName(flag)}]`);
  }
  command
    .addHelpText(
      "after",
      "\nExample:\n  amko-gitops agent --repo https://git.example.com/platform/federation.git --git-credentials /etc/git",
    )
    .action(async (options: Readonly<Record<string, string>>) => exit(await runAgent(byFlag(options), startAgent)));
}

function addSandbox(program: Command, { readCrds }: CommandLineParts, exit: (code: number) => void): void {
  program
    .command("sandbox")
    .description("plays a whole federation on this machine: three clusters, a git server, three agents")
    .option("--keep", "play nothing: seed the federation and leave it running until it is stopped")
    .option("--story <name>", "play one story; a name that is none lists them")
    .option("-o, --output <format>", "text or json (with --keep: one line once all clusters are in sync)", "text")
    .addHelpText("after", "\nExample:\n  amko-gitops sandbox --keep")
    .action(async (options: { keep?: boolean; output: string; story?: string }) => {
      // Loaded only here: an agent has no use for a second API server and a git server in its memory.
      const { runSandbox } = await import("./sandbox.ts");
      exit(
        await runSandbox(
          { keep: options.keep === true, output: options.output, story: options.story ?? null },
          await readCrds(),
        ),
      );
    });
}

/** commander gives `gitTimeout`; settings are named as their flags are: `git-timeout`. */
function byFlag(options: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value,
    ]),
  );
}

function exitCodeFor(code: string): number {
  if (code.startsWith("AG4")) return EXIT.usage;
  return code.startsWith("AG2") || code.startsWith("AG3") ? EXIT.unreachable : EXIT.failed;
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
