import { type ClusterName, FEDERATED_KINDS, type FederatedKind, type FederationView } from "../../core/model.ts";
import { formatRevision } from "../../core/records.ts";
import { proposalRef } from "../../core/refs.ts";
import { planRollback } from "../../core/rollback.ts";
import { evaluate } from "../../core/view.ts";
import { FederationError } from "../../errors.ts";
import { commitPlanned } from "../commit.ts";
import { COMMIT_OPTIONS } from "../commit-options.ts";
import { type Given, wrongFlag } from "../given.ts";
import { readHead, shortRevision } from "../head.ts";
import { renderPlan } from "../render/plan.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { resolveTracked } from "../tracked-revision.ts";
import { readUsableKinds } from "../usable.ts";
import { option, type Verb } from "../verb.ts";

/** Puts the snapshots of an older revision on top of the branch. History is never rewritten. */
export const rollback: Verb = {
  explanation:
    "Writes one commit with the GSLBConfig and the GlobalDeploymentPolicy of that revision. Who leads and who is a member stays, and so do the UUID and the objects' names. What was not there then stays as it is.",
  arguments: [
    { name: "rev", required: true, description: "a commit, main~3, or a branch below the prefix as amko/rescue/…" },
  ],
  options: [
    option("kind", "kind", null, "only this: GSLBConfig or GlobalDeploymentPolicy (gdp)"),
    option("with-deletions", null, null, "also delete what was deleted then"),
    ...COMMIT_OPTIONS,
    ...REPOSITORY_OPTIONS,
  ],
  examples: ["rollback main~1 --dry-run", 'rollback main~1 --reason "the new weights overload site 2" --yes'],
  async run(given, shell, house) {
    const name = given.argument(0) ?? "";
    if (name === "") throw wrongFlag("rev", null, "missing", "Name the revision to go back to.");
    const kinds = readKinds(given);
    const schemas = await house.readSchemas();
    return await withSource(given, shell, house, async (repository) => {
      const { branch } = given.place();
      const commit = await resolveTracked(repository, branch, name, shell.signal);
      const past = evaluate((await repository.read(commit, shell.signal)).files, schemas);
      const revision = shortRevision({ commit, name: formatRevision(branch, commit) });
      return await commitPlanned(
        { given, shell, house, repository },
        {
          async plan() {
            const head = await readHead(given, repository, schemas, shell.signal);
            const lies = await repository.relation(commit, head.commit, shell.signal);
            const called = lies === "unrelated" ? commit.slice(0, 8) : revision;
            const source = { repository, schemas, signal: shell.signal };
            const usable = await readUsableKinds(source, head.revision, head.view.kinds);
            const facts = { files: head.revision.files, view: head.view, usable, schemas, past, name: called };
            return { head, plan: planRollback(facts, { withDeletions: given.isSet("with-deletions"), kinds }) };
          },
          show: renderPlan,
          extra: () => ({ to: commit }),
          nothing: `The snapshots are those of ${revision} already: there is nothing to roll back.`,
          word: null,
          proposal: ({ view }) => proposalRef(namedAfter(view), "rollback"),
          proposes: false,
          next: "Watch the clusters take it: amko-gitops status --watch",
        },
      );
    });
  },
};

/** As kubectl takes them: short, in any case. */
function readKinds(given: Given): readonly FederatedKind[] {
  const text = given.text("kind");
  if (text === null) return FEDERATED_KINDS;
  const name = text.toLowerCase();
  const kind = FEDERATED_KINDS.find((one) => one.toLowerCase() === name || SHORT_NAMES[one] === name);
  if (kind === undefined) throw wrongFlag("kind", text, "no such kind", `Use ${FEDERATED_KINDS.join(" or ")}.`);
  return [kind];
}

const SHORT_NAMES: Readonly<Record<FederatedKind, string>> = { GSLBConfig: "gc", GlobalDeploymentPolicy: "gdp" };

/** The leader is whom it concerns first. While nobody leads, any cluster of the federation lends its name. */
function namedAfter({ leadership, manifests }: FederationView): ClusterName {
  if (leadership.kind === "leader") return leadership.cluster;
  const [first] = manifests.keys();
  if (first === undefined) throw new FederationError("AG5001", "there is no manifest in clusters/");
  return first;
}
