import type { OptionDescription, Verb } from "./verb.ts";

/** What a completion script has to know of one verb. */
export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** What its first argument may be; empty where it has none, or anything. */
  readonly choices: readonly string[];
}

export interface CompletedFlag {
  /** Without dashes. */
  readonly flag: string;
  /** Without its dash; null where it has none. */
  readonly short: string | null;
  readonly description: string;
  readonly value: FlagValue;
}

/** What stands behind a flag. `other` is text that no list can hold. */
export type FlagValue =
  | { readonly kind: "none" }
  | { readonly kind: "choices"; readonly choices: readonly string[] }
  | { readonly kind: "file" | "folder" | "other" };

/** A verb in the list of verbs. */
export interface ListedVerb {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

/** Flags that every verb has, without anybody writing them down. */
const HELP: CompletedFlag = { flag: "help", short: "h", description: "shows the usage", value: { kind: "none" } };

/** Reads it off the verb itself, so that no list is kept by hand. */
export async function describeForCompletion({ name, summary, load }: ListedVerb): Promise<CompletedVerb> {
  const { options, arguments: given } = await load();
  const flags = options.map((option) => ({
    flag: option.flag,
    short: option.short ?? null,
    description: option.description,
    value: flagValue(option),
  }));
  return { name, summary, flags: [...flags, HELP], choices: choicesIn(given[0]?.description ?? "") };
}

function flagValue({ placeholder, description }: OptionDescription): FlagValue {
  if (placeholder === null) return { kind: "none" };
  if (placeholder === "folder" || placeholder === "url or folder") return { kind: "folder" };
  if (placeholder === "file") return { kind: "file" };
  const choices = choicesIn(description);
  return choices.length > 0 ? { kind: "choices", choices } : { kind: "other" };
}

/** `text or json`, `what to do: halt or follow`: a description that is, or ends with, nothing but choices. */
function choicesIn(description: string): readonly string[] {
  const [, list = ""] = /(?:^|: )([a-z]+(?:, [a-z]+)*,? or [a-z]+)(?: for review)?$/.exec(description) ?? [];
  return list === "" ? [] : list.split(/,? or |, /);
}
