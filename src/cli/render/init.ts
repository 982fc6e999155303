import type { FirstFederation } from "../../core/first-commit.ts";
import type { Place } from "../given.ts";
import { paint, type Stream } from "../shell.ts";
import { renderNotes } from "./notes.ts";
import { plainText } from "./problem.ts";

/** What `init -o json` prints. */
export interface InitReport {
  readonly outcome: "written" | "pushed" | "dry-run" | "declined" | "refused";
  /** The folder that was written to; null when it was none. */
  readonly directory: string | null;
  /** What was pushed, and where to; null when nothing was. */
  readonly commit: string | null;
  readonly branch: string | null;
  readonly leader: string;
  readonly clusters: readonly { readonly name: string; readonly version: string }[];
  /** Paths from the repository's root. */
  readonly files: readonly string[];
  /** Sentences. */
  readonly warnings: readonly string[];
  readonly refusals: readonly { readonly code: string; readonly message: string; readonly remedy: string }[];
}

/** The federation that is to be, and its files. */
export function renderFirstFederation(
  { clusters, leader }: Pick<FirstFederation, "clusters" | "leader">,
  { files, warnings }: Pick<InitReport, "files" | "warnings">,
  stream: Stream,
): string {
  const members = clusters.map(({ name, version }) => {
    const role = name === leader ? "leads" : "follows";
    return `  ${plainText(name)} ${role}, AMKO ${plainText(version)}\n`;
  });
  const title = paint(stream, "bold", `A federation of ${clusters.length} cluster${clusters.length === 1 ? "" : "s"}`);
  const paths = files.map((path) => `  ${plainText(path)}\n`).join("");
  const notes = renderNotes("Note", warnings, stream);
  return `${title}\n${members.join("")}\n${paint(stream, "bold", "Files")}\n${paths}${notes === "" ? "" : `\n${notes}`}`;
}

/** What is left to do in a folder. */
export function renderNextSteps(directory: string, { branch, path }: Pick<Place, "branch" | "path">): string {
  const folder = /^[\w./@-]+$/.test(directory) ? directory : JSON.stringify(directory);
  return `Written to ${plainText(directory)}. Next:

  cd ${plainText(folder)}
  git init --initial-branch ${branch}
  git add --all
  git commit --message "Begin the federation"
  git remote add origin <URL of an empty repository>
  git push --set-upstream origin ${branch}

Then ${path === "" ? "fill in the image's digest in the gate" : "add the gate to the checks of the repository"}, and start the agents.
`;
}
