import type { CompletedVerb } from "../completed-verb.ts";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof SHELLS)[number];

/** A script that completes verbs, flags and their choices in one shell. */
export function renderCompletion(shell: CompletionShell, verbs: readonly CompletedVerb[]): string {
  switch (shell) {
    case "bash":
      return bashCompletion(verbs);
    case "zsh":
      return zshCompletion(verbs);
    case "fish":
      return fishCompletion(verbs);
    default:
      return shell satisfies never;
  }
}
