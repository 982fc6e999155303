import { type CheckItem, failed, passed, warned } from "./check-item.ts";
import type { ClusterName, CommitId, FederationView } from "./model.ts";
import { clusterRef } from "./refs.ts";

export interface RepositoryFacts {
  readonly view: FederationView;
  readonly refs: ReadonlyMap<string, CommitId>;
  /** Null where the AMKOCluster does not say. */
  readonly self: ClusterName | null;
  /** AMKO's version here; null as well. */
  readonly version: string | null;
}

/** What git says of the federation, and of this cluster in it. */
export function checkRepository({ view, refs, self, version }: RepositoryFacts): readonly CheckItem[] {
  const own = self === null ? [] : [checkManifest(view, self, version), checkReports(refs, self)];
  return [checkLeadership(view), ...own, checkMembers(view)];
}

function checkLeadership({ leadership }: FederationView): CheckItem {
  const name = "leadership";
  if (leadership.kind === "leader") return passed(name, `${leadership.cluster} leads`);
  const { message, remedy } = leadership.problem;
  const code = { leaderless: "AG5001", conflict: "AG5002", unknown: "AG5003", invalid: "AG5004" } as const;
  return failed(name, code[leadership.kind], message, remedy);
}

function checkManifest({ manifests, members, leadership }: FederationView, self: ClusterName, version: string | null) {
  const name = "manifest";
  const manifest = manifests.get(self);
  if (manifest === undefined) return failed(name, "AG5006", `there is none for ${self} on the branch`);
  if (manifest.problem !== null) return failed(name, "AG1019", manifest.problem.message, manifest.problem.remedy);
  if (version !== null && version !== manifest.version) {
    return failed(name, "AG5007", `AMKO here is ${version}, the manifest says ${manifest.version}`);
  }
  const leads = leadership.kind === "leader" && leadership.cluster === self;
  if (leadership.kind === "leader" && !leads && !members.has(self)) {
    return warned(name, "AG5005", `${self} is not in the leader's spec.clusters: it applies nothing`);
  }
  return passed(name, `AMKO ${manifest.version}, ${leads ? "leader" : "follower"}`);
}

/**
 * Whether the agent has pushed its own refs. Trying out a push would write a ref that the design does not know, with
 * the credentials of whoever calls and not the agent's: what the agent has pushed tells more.
 */
function checkReports(refs: ReadonlyMap<string, CommitId>, self: ClusterName): CheckItem {
  const name = "rights-to-push";
  if (refs.has(clusterRef("applied", self)) || refs.has(clusterRef("identity", self))) {
    return passed(name, "the agent has pushed its own refs");
  }
  const remedy = "If the agent runs already, give its git identity the right to push its own refs.";
  return warned(name, "AG5028", `no ref of ${self} is there: its agent has not run, or may not push`, remedy);
}

function checkMembers({ members }: FederationView): CheckItem {
  const name = "members";
  const excluded = [...members.values()].filter(({ problem }) => problem !== null);
  if (excluded.length === 0) return passed(name, `${members.size} followers, with the leader's version`);
  const told = excluded.map(({ cluster, problem }) => `${cluster}: ${problem?.message}`).join("; ");
  return warned(name, "AG5010", told, "Mend their manifests; the other members go on.");
}
