import { FederationError } from "../../errors.ts";
import { describeForCompletion, type ListedVerb } from "../completed-verb.ts";
import { renderCompletion, SHELLS } from "../render/completion.ts";
import { EXIT, type Verb } from "../verb.ts";

/** Prints a script that completes the command line in a shell. The list of verbs is handed in: it names this one. */
export function createCompletion(listVerbs: () => readonly ListedVerb[]): Verb {
  return {
    explanation: `bash: source <(amko-gitops completion bash)
zsh:  source <(amko-gitops completion zsh), after compinit
fish: amko-gitops completion fish | source`,
    arguments: [{ name: "shell", required: true, description: SHELLS_LISTED }],
    options: [],
    examples: ["completion bash", "completion zsh", "completion fish"],
    async run(given, shell) {
      const asked = given.argument(0);
      const chosen = SHELLS.find((one) => one === asked);
      if (chosen === undefined)
        throw new FederationError("AG4002", `"${asked}" is no shell that can be completed`, {
          remedy: `Use ${SHELLS_LISTED}.`,
        });
      shell.stdout.write(renderCompletion(chosen, await Promise.all(listVerbs().map(describeForCompletion))));
      return EXIT.ok;
    },
  };
}

const SHELLS_LISTED = "bash, zsh or fish";
