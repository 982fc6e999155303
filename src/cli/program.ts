import { Command, CommanderError, Option } from "commander";
import { environmentName } from "../config.ts";
import { asFederationError, FederationError } from "../errors.ts";
import { createGiven, type Given, type GivenOptions, wrongFlag } from "./given.ts";
import type { House } from "./house.ts";
import { plainText } from "./render/problem.ts";
import { paint, type Shell } from "./shell.ts";
import { EXIT, type ExitCode, type OptionDescription, UNREACHABLE, type Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";
import { readVersion } from "./version.ts";

/** Runs one command and returns the process's exit code. */
export async function runCommandLine(args: readonly string[], shell: Shell, house: House): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  try {
    const program = await createProgram(args, shell, house, (code) => {
      exitCode = code;
    });
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    // Without a verb, or with one that nobody knows after help, the help itself is the answer.
    if (error instanceof CommanderError && error.code === "commander.help") return EXIT.usage;
    if (shell.signal.aborted) return EXIT.failed;
    const { code, message, remedy } = error instanceof CommanderError ? wrongUsage(error) : asFederationError(error);
    const line = `${code} ${plainText(message).replace(/\.$/, "")}. ${remedy}`;
    shell.stderr.write(`${paint(shell.stderr, "red", "error:")} ${line}\n`);
    return exitCodeFor(code);
  }
}

/** `unknown option '--wach'`, on a line of its own perhaps what was meant: `(Did you mean --watch?)`. */
function wrongUsage({ message }: CommanderError): FederationError {
  const [what = "", meant] = message.replace(/^error: /, "").split("\n");
  const remedy = meant === undefined ? "--help shows the usage." : meant.replace(/^\(|\)$/g, "");
  return new FederationError("AG4002", what, { remedy });
}

/** Only the verb that is called is loaded: an agent has no use for a sandbox in its memory. */
async function createProgram(
  args: readonly string[],
  shell: Shell,
  house: House,
  exit: (code: ExitCode) => void,
): Promise<Command> {
  const program = new Command("amko-gitops")
    .description("Federates AMKO's configuration between Kubernetes clusters through a git repository.")
    .version(readVersion(), "-V, --version", "prints the version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
      // Told as every other error is.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(shell.stdout.columns, HELP_COLUMNS_MAX),
      getErrHelpWidth: () => Math.min(shell.stderr.columns, HELP_COLUMNS_MAX),
      getOutHasColors: () => shell.stdout.colour,
      getErrHasColors: () => shell.stderr.colour,
    });
  const called = args.find((arg) => !arg.startsWith("-"));
  const named = called === "help" ? args[args.indexOf(called) + 1] : called;
  for (const { name, summary, load } of VERBS) {
    const command = program.command(name).description(summary);
    if (name === named) addVerb(command, await load(), { shell, house, exit });
  }
  return program;
}

const HELP_COLUMNS_MAX = 120;

interface Calling {
  readonly shell: Shell;
  readonly house: House;
  readonly exit: (code: ExitCode) => void;
}

function addVerb(command: Command, verb: Verb, { shell, house, exit }: Calling): void {
  for (const { name, required, description } of verb.arguments) {
    command.argument(required ? `<${name}>` : `[${name}]`, description);
  }
  for (const description of verb.options) command.addOption(toOption(description));
  const examples = verb.examples.map((example) => `\n  amko-gitops ${example}`).join("");
  command
    .addHelpText("after", `${verb.explanation === null ? "" : `\n${verb.explanation}\n`}\nExample:${examples}`)
    .action(async (...given: readonly unknown[]) => {
      const positional = given.slice(0, verb.arguments.length) as readonly (string | undefined)[];
      const parsed = given[verb.arguments.length] as GivenOptions;
      const asked = createGiven(positional, byFlag(parsed, verb.options, shell.environment));
      for (const description of verb.options) checkOption(description, parsed, asked);
      exit(await verb.run(asked, shell, house));
    });
}

function toOption(description: OptionDescription): Option {
  const { flag, short, placeholder, fallback, fromEnvironment = false, repeats = false } = description;
  const letter = short === undefined ? "" : `-${short}, `;
  const variable = fromEnvironment ? ` [${environmentName(flag)}]` : "";
  const standard = fallback === null || fallback === "" ? "" : ` (default: ${fallback})`;
  const result = new Option(
    `${letter}--${flag}${placeholder === null ? "" : ` <${placeholder}>`}`,
    `${description.description}${standard}${variable}`,
  );
  if (repeats) result.argParser((value: string, earlier?: readonly string[]) => [...(earlier ?? []), value]);
  return result;
}

/** What is wrong with a flag whatever the verb does: known before it does anything. @throws FederationError AG4002 */
function checkOption({ flag, choices, onlyWith, notWith }: OptionDescription, parsed: GivenOptions, asked: Given) {
  if (choices !== undefined) asked.oneOf(flag, choices);
  const isGiven = (name: string): boolean => parsed[camelCase(name)] !== undefined;
  if (!isGiven(flag)) return;
  if (onlyWith !== undefined && !isGiven(onlyWith))
    throw wrongFlag(flag, null, `no use without --${onlyWith}`, "Give both, or none.");
  if (notWith !== undefined && isGiven(notWith))
    throw wrongFlag(flag, null, `no use with --${notWith}`, "Give one of the two.");
}

/**
 * Flags win over the environment, that over the defaults. commander gives `gitTimeout`; settings are named as their
 * flags are: `git-timeout`.
 */
function byFlag(
  parsed: GivenOptions,
  options: readonly OptionDescription[],
  environment: Shell["environment"],
): GivenOptions {
  return Object.fromEntries(
    options.map(({ flag, fallback, fromEnvironment = false }) => {
      const given = parsed[camelCase(flag)];
      const present = fromEnvironment ? (environment[environmentName(flag)] ?? "") : "";
      return [flag, given ?? (present === "" ? (fallback ?? undefined) : present)];
    }),
  );
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Answered, and not to us: it may work with other credentials. */
const DENIED: ReadonlySet<string> = new Set(["AG2013", "AG3003"]);
/** The checkout has to be completed first, as a flag has to be corrected. */
const SHALLOW = "AG2014";

/** Whose turn it is decides: the person's who called, a server's, or that of whoever keeps the federation. */
function exitCodeFor(code: string): ExitCode {
  if (code.startsWith("AG4") || code === SHALLOW) return EXIT.usage;
  return UNREACHABLE.has(code) || DENIED.has(code) ? EXIT.unreachable : EXIT.failed;
}
