import type { CompletedFlag, CompletedVerb } from "../completed-verb.ts";

/** Works as a file `_amko-gitops` in fpath, and when it is sourced after compinit. */
export function zshCompletion(verbs: readonly CompletedVerb[]): string {
  const described = verbs.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join("\n");
  const cases = verbs
    .map((verb) => `    ${verb.name})\n      _arguments -s ${verbArguments(verb)}\n      ;;`)
    .join("\n");
  return `#compdef amko-gitops
# zsh completion of amko-gitops. Load it with: source <(amko-gitops completion zsh)
_amko-gitops() {
  local -a verbs
  verbs=(
${described}
  )
  if ((CURRENT == 2)); then
    _describe verb verbs
    return
  fi
  local verb="$words[2]"
  shift words
  ((CURRENT--))
  case "$verb" in
${cases}
  esac
}
compdef _amko-gitops amko-gitops
`;
}

function verbArguments({ flags, choices }: CompletedVerb): string {
  const first = choices.length === 0 ? "'*:argument:_files'" : quoted(`1:choice:(${choices.join(" ")})`);
  return [...flags.flatMap(flagArguments), first].map((one) => `\\\n        ${one}`).join(" ");
}

function flagArguments({ flag, short, description, value }: CompletedFlag): readonly string[] {
  const text = description.replace(/[[\]:]/g, (found) => `\\${found}`);
  const names = short === null ? [`--${flag}`] : [`--${flag}`, `-${short}`];
  return names.map((name) => quoted(`${name}[${text}]${behind(value)}`));
}

function behind(value: CompletedFlag["value"]): string {
  switch (value.kind) {
    case "none":
      return "";
    case "choices":
      return `:value:(${value.choices.join(" ")})`;
    case "file":
      return ":file:_files";
    case "folder":
      return ":folder:_files -/";
    case "other":
      return ":value:";
    default:
      return value satisfies never;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
