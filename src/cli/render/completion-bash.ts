import type { CompletedFlag, CompletedVerb } from "../completed-verb.ts";

/** For bash 3.2 and newer, as macOS has it; without the bash-completion package. */
export function bashCompletion(verbs: readonly CompletedVerb[]): string {
  const cases = verbs.map((verb) => `    ${verb.name})\n${verbCase(verb)}\n      ;;`).join("\n");
  const names = verbs.map(({ name }) => name).join(" ");
  return `# bash completion of amko-gitops. Load it with: source <(amko-gitops completion bash)
_amko_gitops() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" verb="" index words=""
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in
      -*) ;;
      *) verb="\${COMP_WORDS[index]}"; break ;;
    esac
  done
  case "$verb" in
    "")
      words="${names} --help --version"
      ;;
    help)
      words="${names}"
      ;;
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _amko_gitops amko-gitops
`;
}

function verbCase({ flags, choices }: CompletedVerb): string {
  const valued = flags.filter(({ value }) => value.kind !== "none").map(flagCase);
  const behind = valued.length === 0 ? "" : `      case "$before" in\n${valued.join("\n")}\n      esac\n`;
  const words = [...choices, ...flags.map(({ flag }) => `--${flag}`)].join(" ");
  return `${behind}      words="${words}"`;
}

function flagCase({ flag, short, value }: CompletedFlag): string {
  const names = short === null ? `--${flag}` : `--${flag} | -${short}`;
  return `        ${names}) ${reply(value)}; return ;;`;
}

function reply(value: CompletedFlag["value"]): string {
  switch (value.kind) {
    case "choices":
      return `COMPREPLY=($(compgen -W "${value.choices.join(" ")}" -- "$word"))`;
    case "file":
      return 'COMPREPLY=($(compgen -f -- "$word"))';
    case "folder":
      return 'COMPREPLY=($(compgen -d -- "$word"))';
    case "none":
    case "other":
      return "COMPREPLY=()";
    default:
      return value satisfies never;
  }
}
