import { problem } from "./catalogue.ts";
import type { ClusterName, Problem } from "./model.ts";
import { encodeClusterName } from "./names.ts";
import type { PushFacts, RefUpdate } from "./push.ts";

/** What agents write below the prefix: one ref for each cluster, or several in a folder of its own. */
const DEPTHS: Readonly<Record<string, "ref" | "folder">> = {
  applied: "ref",
  leading: "ref",
  failed: "ref",
  identity: "ref",
  propose: "folder",
  rescue: "folder",
};
/** What people write there too: a change to review, and their consent to a rebuilt cluster. */
const PEOPLES: ReadonlySet<string> = new Set(["propose", "identity"]);

/** An agent writes its own refs under the prefix, and nothing else. */
export function judgeAgentRef({ update, refPrefix }: PushFacts, cluster: ClusterName): Problem | null {
  const found = below(update.ref, refPrefix);
  if (found?.owner !== encodeClusterName(cluster)) {
    return problem("AG5033", `the agent of ${cluster} writes its own refs under ${refPrefix}/ only, not ${update.ref}`);
  }
  if (found.purpose !== "identity" || update.before === null) return null;
  return problem("AG5033", `${update.ref} is replaced by people only, with amko-gitops accept-identity`);
}

/**
 * People may do what they like to branches, except to put words into an agent's mouth. To delete such a word is the way
 * to bury a cluster, or to have done with what was rescued; a living agent says its word again.
 */
export function judgePeopleRef(facts: PushFacts): Problem | null {
  const { update, branch, refPrefix } = facts;
  const { ref } = update;
  if (!isUnder(ref, refPrefix)) {
    if (!isTooNear(ref, branch, refPrefix)) return null;
    return problem(
      "AG5033",
      `${ref} leaves no room for ${branch} or ${refPrefix}/, or is taken for it where case counts for nothing`,
    );
  }
  const found = below(ref, refPrefix);
  if (update.after === null) return found?.purpose === "leading" ? judgeBurial(facts, found.owner) : null;
  if (found !== null && PEOPLES.has(found.purpose)) return null;
  return problem("AG5033", `${ref} is the word of the agent of ${found?.owner ?? "a cluster"}`);
}

/** Who may be in office keeps its claim: without it another cluster would not wait until this one has stepped down. */
function judgeBurial({ branch, leadership, update }: PushFacts, owner: string): Problem | null {
  if (leadership?.kind === "leader" && encodeClusterName(leadership.cluster) !== owner) return null;
  return problem(
    "AG5037",
    `${update.ref} is the claim of ${owner}, and ${branch} names no other cluster as the leader`,
  );
}

/** Whether {@link judgePush} has to know who leads. */
export function dependsOnLeader({ ref, after }: RefUpdate, refPrefix: string): boolean {
  return after === null && below(ref, refPrefix)?.purpose === "leading";
}

interface AgentRef {
  readonly purpose: string;
  /** A cluster's name as refs spell it. */
  readonly owner: string;
}

/** What an agent's ref is by its name; null where it is none. */
function below(ref: string, refPrefix: string): AgentRef | null {
  if (!isUnder(ref, refPrefix)) return null;
  const [purpose = "", owner = "", ...rest] = ref.slice(rootOf(refPrefix).length).split("/");
  const depth = Object.hasOwn(DEPTHS, purpose) ? DEPTHS[purpose] : undefined;
  const fits = depth === "ref" ? rest.length === 0 : depth === "folder" && rest.length > 0 && !rest.includes("");
  return fits && owner !== "" ? { purpose, owner } : null;
}

function isUnder(ref: string, refPrefix: string): boolean {
  return ref.startsWith(rootOf(refPrefix));
}

function rootOf(refPrefix: string): string {
  return `refs/heads/${refPrefix}/`;
}

/** A branch where git needs a folder; or a name that a file system without case takes for one of those that are guarded. */
function isTooNear(ref: string, branch: string, refPrefix: string): boolean {
  const name = ref.toLowerCase();
  const root = rootOf(refPrefix).toLowerCase();
  return name === `refs/heads/${branch}`.toLowerCase() || `${name}/`.startsWith(root) || root.startsWith(`${name}/`);
}
