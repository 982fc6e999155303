import { type AdoptFacts, planAdopt } from "../../core/adopt.ts";
import {
  BASE_ANNOTATION,
  type ClusterName,
  type FederatedKind,
  type LiveObject,
  type Snapshot,
} from "../../core/model.ts";
import { parseClusterName } from "../../core/names.ts";
import { parseRevision } from "../../core/records.ts";
import { proposalRef } from "../../core/refs.ts";
import { evaluate } from "../../core/view.ts";
import { FederationError, hasCode } from "../../errors.ts";
import { contextNameOf, readAmkoCluster } from "../amko-cluster.ts";
import { commitPlanned } from "../commit.ts";
import { COMMIT_OPTIONS } from "../commit-options.ts";
import { type Head, readHead } from "../head.ts";
import type { OpenRepository } from "../house.ts";
import { renderPlan } from "../render/plan.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { CLUSTER_OPTIONS, openThisCluster } from "../this-cluster.ts";
import { readUsableKinds } from "../usable.ts";
import type { Verb } from "../verb.ts";

/** The way back from an emergency edit: what a cluster holds becomes a proposal. */
export const adopt: Verb = {
  explanation:
    "Compares the cluster's GSLBConfig and GlobalDeploymentPolicy with git and pushes what differs to amko/propose/<cluster>/adopt, to be reviewed and merged. Nothing changes before, in no cluster.",
  arguments: [],
  options: [...CLUSTER_OPTIONS, ...COMMIT_OPTIONS.filter(({ flag }) => flag !== "propose"), ...REPOSITORY_OPTIONS],
  examples: [
    "adopt --context cluster2 --dry-run",
    'adopt --context cluster1 --reason "INC-7: weights changed by hand during the outage" --yes',
  ],
  async run(given, shell, house) {
    const { signal } = shell;
    const schemas = await house.readSchemas();
    const connection = await openThisCluster(given, house);
    const cluster = nameOf(await readAmkoCluster(connection, signal));
    const live: AdoptFacts["live"] = {
      GSLBConfig: await connection.list("GSLBConfig", signal),
      GlobalDeploymentPolicy: await connection.list("GlobalDeploymentPolicy", signal),
    };
    return await withSource(given, shell, house, async (repository) =>
      commitPlanned(
        { given, shell, house, repository },
        {
          async plan() {
            const head = await readHead(given, repository, schemas, signal);
            const base = (kind: FederatedKind) => readBase(repository, head, kind, live[kind], signal);
            const bases = {
              GSLBConfig: await base("GSLBConfig"),
              GlobalDeploymentPolicy: await base("GlobalDeploymentPolicy"),
            };
            const { files } = head.revision;
            const usable = await readUsableKinds({ repository, schemas, signal }, head.revision, head.view.kinds);
            return {
              head,
              plan: planAdopt({ cluster, head: head.commit, files, view: head.view, usable, schemas, live, bases }),
            };
          },
          show: renderPlan,
          extra: () => ({ cluster }),
          nothing: `Cluster ${cluster} holds nothing that git does not: there is nothing to adopt.`,
          word: cluster,
          proposal: () => proposalRef(cluster, "adopt"),
          proposes: true,
          next: "",
        },
      ),
    );
  },
};

function nameOf(amkoCluster: LiveObject): ClusterName {
  const text = contextNameOf(amkoCluster);
  const name = parseClusterName(text);
  if (name === null) throw new FederationError("AG1019", `spec.clusterContext of the AMKOCluster there is "${text}"`);
  return name;
}

/** What git said where the object's base is. A base that the repository does not know is none. */
async function readBase(
  repository: OpenRepository,
  { commit, schemas }: Head,
  kind: FederatedKind,
  [object]: readonly LiveObject[],
  signal: AbortSignal,
): Promise<Snapshot | null> {
  const base = parseRevision(object?.metadata.annotations?.[BASE_ANNOTATION] ?? "");
  if (base === null || base === commit) return null;
  try {
    if ((await repository.relation(base, commit, signal)) !== "ancestor") return null;
    const state = evaluate((await repository.read(base, signal)).files, schemas).kinds[kind];
    return state.kind === "present" ? state.snapshot : null;
  } catch (error) {
    if (hasCode(error, "AG2012")) return null;
    throw error;
  }
}
