import { FederationError } from "../../errors.ts";
import type { Given } from "../given.ts";
import type { House } from "../house.ts";
import { renderAnnotation, withoutCommands } from "../render/github.ts";
import { renderStepSummary } from "../render/step-summary.ts";
import { renderValidation, validationOutput, verdictOf } from "../render/validation.ts";
import type { Shell } from "../shell.ts";
import { REPOSITORY_OPTIONS } from "../source.ts";
import { isValid, type Validation, validate as validateSource } from "../validation.ts";
import { EXIT, option, type Verb } from "../verb.ts";

export const validate: Verb = {
  explanation:
    "Judges the files of a checkout as they stand on disk, or a revision of a repository (--repo, --ref).\n" +
    "With --base it also judges the change: what was added since the two parted. Where all is committed it reads the commit, as agents do. Exits with 1 when there is an error.",
  arguments: [{ name: "path", required: false, description: "folder of the checkout (default: .)" }],
  options: [
    // A checkout is meant unless somebody says otherwise, whatever the environment holds for other verbs.
    option("repo", "url or folder", null, "judge a revision of this repository and no checkout"),
    option("ref", "revision", null, "the revision to judge (default: the tracked branch)"),
    option("base", "revision", null, "also judge the change since this branch or revision"),
    option("output", "format", "text", "text, json or github", { short: "o", choices: ["text", "json", "github"] }),
    option("summary", "file", null, "append a summary as Markdown to this file (github: $GITHUB_STEP_SUMMARY)"),
    ...REPOSITORY_OPTIONS.filter(({ flag }) => flag !== "repo"),
  ],
  examples: ["validate", "validate . --base main", "validate --repo . --ref main -o json"],
  async run(given, shell, house) {
    const format = given.oneOf("output", ["text", "json", "github"]);
    const found = await validateSource(given, shell, house);
    shell.stdout.write(render(format, found, shell));
    await writeSummary(format, found, given, shell, house);
    return isValid(found) ? EXIT.ok : EXIT.failed;
  },
};

function render(format: "text" | "json" | "github", found: Validation, shell: Shell): string {
  switch (format) {
    case "text":
      return renderValidation(found, shell.stdout);
    case "json":
      return `${JSON.stringify(validationOutput(found), null, 2)}\n`;
    case "github": {
      const annotations = found.problems.map(renderAnnotation).join("");
      const text = { ...found, problems: [] };
      const summary = renderValidation(text, shell.stdout).split("\n").slice(0, -2).join("\n");
      return `${annotations}${withoutCommands(`${summary}\n${verdictOf(found, shell.stdout)}`)}`;
    }
    default:
      return format satisfies never;
  }
}

async function writeSummary(
  format: string,
  found: Validation,
  given: Given,
  shell: Shell,
  house: House,
): Promise<void> {
  const announced = format === "github" ? (shell.environment["GITHUB_STEP_SUMMARY"] ?? "") : "";
  const file = given.text("summary") ?? announced;
  if (file === "") return;
  try {
    await house.appendFile(file, renderStepSummary(found));
  } catch (error) {
    throw new FederationError("AG4002", `the summary cannot be written to ${file}`, {
      cause: error,
      remedy: "Name a file that can be written, or leave --summary out.",
    });
  }
}
