import type { Given } from "./given.ts";
import type { House } from "./house.ts";
import type { Shell } from "./shell.ts";

/** Scripts rely on these. */
export const EXIT = {
  /** Done, and what was checked holds. */
  ok: 0,
  /** What was checked does not hold, or the answer to a question was no. */
  failed: 1,
  /** The command line, a file or the checkout has to be corrected first. */
  usage: 2,
  /** A server could not be reached or refused the credentials; it may work later. */
  unreachable: 3,
} as const;

/** Servers that did not answer, or not as themselves: it may be otherwise later. */
export const UNREACHABLE: ReadonlySet<string> = new Set(
  "AG2001 AG2002 AG2006 AG2008 AG2010 AG3001 AG3002 AG3006 AG3009 AG3014".split(" "),
);

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface OptionDescription {
  /** Without its dashes: `git-timeout`. */
  readonly flag: string;
  /** One letter, without its dash. */
  readonly short?: string;
  /** What stands behind it in help: `url`; null for a switch. */
  readonly placeholder: string | null;
  /** A default that help shows; null where there is none. */
  readonly fallback: string | null;
  readonly description: string;
  /** The environment may give it too, as AMKO_GITOPS_…. */
  readonly fromEnvironment?: boolean;
  /** May be given several times. */
  readonly repeats?: boolean;
  /** Anything else is refused before the verb does anything; the first one is the default. */
  readonly choices?: readonly [string, ...string[]];
  /** Means nothing without this other flag, and is refused alone. */
  readonly onlyWith?: string;
  /** Means nothing beside this other flag, and is refused beside it. */
  readonly notWith?: string;
}

export interface ArgumentDescription {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
}

/** One verb: what its help says, and what it does. It parses, calls the core and renders, and decides nothing. */
export interface Verb {
  /** Told below the options in the verb's own help; null where its line in the list of verbs says it all. */
  readonly explanation: string | null;
  readonly arguments: readonly ArgumentDescription[];
  readonly options: readonly OptionDescription[];
  /** Command lines that work in a clone of the federation repository, without `amko-gitops`; the tests run them. */
  readonly examples: readonly string[];
  /** @throws FederationError, which becomes one sentence, a remedy and an exit code. */
  run(given: Given, shell: Shell, house: House): Promise<ExitCode>;
}

export function option(
  flag: string,
  placeholder: string | null,
  fallback: string | null,
  description: string,
  rest: Omit<OptionDescription, "flag" | "placeholder" | "fallback" | "description"> = {},
): OptionDescription {
  return { flag, placeholder, fallback, description, ...rest };
}
