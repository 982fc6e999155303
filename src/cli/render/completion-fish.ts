import type { CompletedFlag, CompletedVerb } from "../completed-verb.ts";

/** For `~/.config/fish/completions/amko-gitops.fish`, or to be sourced. */
export function fishCompletion(verbs: readonly CompletedVerb[]): string {
  const lines = verbs.flatMap(({ name, summary, flags, choices }) => {
    const inVerb = `complete -c amko-gitops -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c amko-gitops -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...(choices.length === 0 ? [] : [`${inVerb} -a ${quoted(choices.join(" "))}`]),
      ...flags.map((flag) => `${inVerb} ${flagWords(flag)}`),
    ];
  });
  return `# fish completion of amko-gitops. Load it with: amko-gitops completion fish | source
complete -c amko-gitops -f
${lines.join("\n")}
`;
}

function flagWords({ flag, short, description, value }: CompletedFlag): string {
  const letter = short === null ? "" : ` -s ${short}`;
  return `-l ${flag}${letter}${behind(value)} -d ${quoted(description)}`;
}

function behind(value: CompletedFlag["value"]): string {
  switch (value.kind) {
    case "none":
      return "";
    case "choices":
      return ` -x -a ${quoted(value.choices.join(" "))}`;
    case "file":
      return " -r -F";
    case "folder":
      return " -x -a '(__fish_complete_directories)'";
    case "other":
      return " -x";
    default:
      return value satisfies never;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
