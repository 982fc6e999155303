import { resolve } from "node:path";
import { environmentName } from "../../config.ts";
import { firstFiles } from "../../core/first-commit.ts";
import { formatPersonMessage } from "../../core/message.ts";
import type { FileChange, Problem } from "../../core/model.ts";
import { judgeOutcome } from "../../core/outcome.ts";
import { evaluate } from "../../core/view.ts";
import { FederationError, hasCode } from "../../errors.ts";
import { COMMIT_OPTIONS, readAuthor } from "../commit-options.ts";
import { type ReadFederation, readFirstFederation } from "../first-federation.ts";
import { type Given, type Place, wrongFlag } from "../given.ts";
import type { FolderFile, House, OpenRepository } from "../house.ts";
import { printResult } from "../output.ts";
import { askYes } from "../questions.ts";
import { type InitReport, renderFirstFederation, renderNextSteps } from "../render/init.ts";
import { renderProblem } from "../render/problem.ts";
import type { Shell } from "../shell.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { CLUSTER_OPTIONS } from "../this-cluster.ts";
import { EXIT, type ExitCode, option, type Verb } from "../verb.ts";

/** Creates a federation repository: a folder to commit, or the first commit of a remote. */
export const init: Verb = {
  explanation:
    "Give a folder, which is written and left to you to commit, or --repo, which gets the first commit of its tracked branch. Nothing that is there already is touched.",
  arguments: [{ name: "folder", required: false, description: "an empty folder, or one that is to be created" }],
  options: [
    option("cluster", "name", null, "a cluster of the federation, as clusterContext has it", {
      repeats: true,
      notWith: "from-contexts",
    }),
    option("clusters", "names", null, "the same, separated by commas", { repeats: true, notWith: "from-contexts" }),
    option("leader", "name", null, "the cluster that leads"),
    option("amko-version", "version", null, "the version of AMKO in all the clusters", { notWith: "from-contexts" }),
    option("from-contexts", "names", null, "read the clusters from these contexts, and the objects from the leader", {
      repeats: true,
    }),
    ...CLUSTER_OPTIONS.filter(({ flag }) => flag !== "context"),
    ...COMMIT_OPTIONS.filter(({ flag }) => flag !== "propose" && flag !== "reason"),
    // What is to be created has no default.
    ...REPOSITORY_OPTIONS.map((one) => (one.flag === "repo" ? { ...one, fallback: null } : one)),
  ],
  examples: [
    "init our-federation --clusters cluster1,cluster2,cluster3 --leader cluster1 --amko-version 1.4.2",
    "init from-live --from-contexts cluster1,cluster2,cluster3 --leader cluster1",
  ],
  async run(given, shell, house) {
    const folder = given.argument(0);
    if (folder === null && given.text("repo") === null) {
      throw wrongFlag("repo", null, "missing, and no folder is given", "Name a folder, or a repository with --repo.");
    }
    // What the environment says is for every verb, and is overruled.
    if (folder !== null && given.text("repo") !== (shell.environment[environmentName("repo")] || null)) {
      throw wrongFlag("repo", null, "a folder was named too", "Name a folder, or the repository.");
    }
    const read = withGateNote(await readFirstFederation(given, house, shell.signal), given.place());
    const { files, refusals } = await judgeFirst(read, given, house);
    const plan: Plan = { read, files, refusals: [...read.refusals, ...refusals], folder };
    if (plan.refusals.length > 0) return finish(given, shell, plan, { outcome: "refused" });
    return folder === null
      ? await withSource(given, shell, house, (repository) => push(given, shell, house, repository, plan))
      : await write(given, shell, house, folder, plan);
  },
};

interface Plan {
  readonly read: ReadFederation;
  /** Below the federation's folder. */
  readonly files: readonly (FileChange & FolderFile)[];
  readonly refusals: readonly Problem[];
  readonly folder: string | null;
}

/** Gates count in the repository's root only, which may be somebody else's. */
function withGateNote(read: ReadFederation, { path, branch }: Place): ReadFederation {
  if (path === "") return read;
  const gate = `amko-gitops validate . --base origin/${branch} --path ${path}`;
  const note = `no gate is written, since the federation is below ${path}: add "${gate}" to the checks of the repository, in a clone with its whole history`;
  return { ...read, warnings: [...read.warnings, note] };
}

/** What would be committed must be sound. That versions differ is told, and is for people to mend. */
async function judgeFirst({ federation }: ReadFederation, given: Given, house: House) {
  const template = await house.readTemplate();
  const place = given.place();
  const used = place.path === "" ? template : template.filter(({ path }) => path === "README.md");
  const files = firstFiles({ ...federation, template: used }, place);
  const schemas = await house.readSchemas();
  const judged = files.filter(({ path }) => /^(?:clusters|federation)\//.test(path));
  const { newErrors } = judgeOutcome(evaluate([], schemas), [], judged, schemas);
  return { files, refusals: newErrors.filter(({ code }) => code !== "AG5007") };
}

async function write(given: Given, shell: Shell, house: House, folder: string, plan: Plan): Promise<ExitCode> {
  if (given.isSet("dry-run")) return finish(given, shell, plan, { outcome: "dry-run" });
  const { path } = given.place();
  const files = plan.files.map((file) => (path === "" ? file : { ...file, path: `${path}/${file.path}` }));
  await house.writeFolder(resolve(shell.directory, folder), files);
  return finish(given, shell, plan, { outcome: "written", directory: folder });
}

async function push(
  given: Given,
  shell: Shell,
  house: House,
  repository: OpenRepository,
  plan: Plan,
): Promise<ExitCode> {
  const { branch } = given.place();
  const { head } = await repository.list("branch", shell.signal);
  if (head !== null) throw exists(repository.url, branch);
  if (given.isSet("dry-run")) return finish(given, shell, plan, { outcome: "dry-run" });
  if (!given.isSet("yes")) {
    // Where data is printed, whoever is asked reads the rest beside it.
    shell.stderr.write(`${describe(plan, given, shell)}\n`);
    if (!(await askYes(given, shell, `Push it to ${branch}?`, null))) {
      return finish(given, shell, plan, { outcome: "declined" });
    }
  }
  const { clusters, leader } = plan.read.federation;
  const reason = `${clusters.map(({ name }) => name).join(", ")}; ${leader} leads.`;
  const message = formatPersonMessage({ subject: "begin the federation", changes: [], reason });
  const author = await readAuthor(given, shell, house);
  const commit = await repository.start({ changes: plan.files, message, author }, shell.signal).catch((error) => {
    throw hasCode(error, "AG2003") ? exists(repository.url, branch) : error;
  });
  return finish(given, shell, plan, { outcome: "pushed", commit, branch });
}

function exists(url: string, branch: string): FederationError {
  return new FederationError("AG4010", `${branch} exists already in ${url}`);
}

function pathsOf({ files }: Plan, given: Given): readonly string[] {
  const { path } = given.place();
  return files.map((file) => (path === "" ? file.path : `${path}/${file.path}`));
}

function describe(plan: Plan, given: Given, { stdout }: Shell): string {
  const { federation, warnings } = plan.read;
  return renderFirstFederation(federation, { files: pathsOf(plan, given), warnings }, stdout);
}

function finish(
  given: Given,
  shell: Shell,
  plan: Plan,
  done: Pick<InitReport, "outcome"> & Partial<Pick<InitReport, "directory" | "commit" | "branch">>,
): ExitCode {
  const { federation, warnings } = plan.read;
  const report: InitReport = {
    directory: null,
    commit: null,
    branch: null,
    ...done,
    leader: federation.leader,
    clusters: federation.clusters.map(({ name, version }) => ({ name, version })),
    files: pathsOf(plan, given),
    warnings,
    refusals: plan.refusals.map(({ code, message, remedy }) => ({ code, message, remedy })),
  };
  if (report.outcome === "refused" && given.oneOf("output", ["text", "json"]) === "text") {
    for (const refusal of plan.refusals) shell.stderr.write(renderProblem(refusal, shell.stderr));
    return EXIT.failed;
  }
  printResult(given, shell, report, () => tell(report, plan, given, shell));
  return report.outcome === "refused" || report.outcome === "declined" ? EXIT.failed : EXIT.ok;
}

function tell(report: InitReport, plan: Plan, given: Given, shell: Shell): string {
  const plainly = describe(plan, given, shell);
  switch (report.outcome) {
    case "written":
      return `${plainly}\n${renderNextSteps(report.directory ?? ".", given.place())}`;
    case "pushed": {
      const words = `Pushed ${(report.commit ?? "").slice(0, 8)} to ${report.branch}. Next: start the agents.\n`;
      return given.isSet("yes") ? `${plainly}\n${words}` : words;
    }
    case "dry-run":
      return `${plainly}\nDry run: nothing was written.\n`;
    case "declined":
    case "refused":
      return "Nothing was pushed.\n";
    default:
      return report.outcome satisfies never;
  }
}
