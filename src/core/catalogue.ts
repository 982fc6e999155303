import type { Problem } from "./model.ts";

/**
 * How an error wants to be retried: `now` with fresh facts, later with `backoff`, or only when something `change`s
 * (git, the cluster, a mounted file), which the agent notices by itself.
 */
export type Retry = "now" | "backoff" | "change";

interface CatalogueEntry {
  readonly title: string;
  readonly remedy: string;
  readonly retry: Retry;
}

/**
 * Every error of the product. A code is never reused. Its first digit says whose turn it is:
 * 1 what people committed, 2 the git server, 3 the cluster, 4 how it was started, 5 the federation as a whole, 9 us.
 */
export const CATALOGUE = {
  AG1001: entry("file is no regular file", "Commit a regular file in its place."),
  AG1002: entry("file is too large", "Keep files of the federation under 1 MiB."),
  AG1003: entry("file is a Git LFS pointer", "Take the file out of Git LFS and commit its content."),
  AG1004: entry("file is not UTF-8", "Save the file as UTF-8 without other bytes."),
  AG1005: entry("YAML is malformed", "Mend the YAML at the line that is named."),
  AG1006: entry("YAML holds several documents", "Put one object into one file."),
  AG1007: entry("YAML holds a duplicate key", "Remove one of the two."),
  AG1008: entry("YAML uses anchors or aliases", "Write the value out in both places."),
  AG1009: entry("file holds another kind", "Correct apiVersion and kind, or move the file elsewhere."),
  AG1010: entry("object is in a wrong namespace", "Set metadata.namespace to avi-system."),
  AG1011: entry("object's name and file's name differ", "Name the file as metadata.name says, ending in .yaml."),
  AG1012: entry("object does not fit its schema", "Correct the field that is named."),
  AG1013: entry("field is unknown to the schema", "Check the spelling; if AMKO here is newer, nothing need be done."),
  AG1014: entry("number cannot be kept exactly", "Use an integer within plus or minus 2^53 - 1."),
  AG1015: entry("more than one object of a kind", "Keep one file of the kind; AMKO allows one object."),
  AG1016: entry("cluster folder has an unsafe or unusual name", "Name the folder as the message spells it."),
  AG1017: entry(
    "cluster folders differ only in case",
    "Rename one of the clusters; file systems and git hosts mix them up.",
  ),
  AG1018: entry("two manifests for one cluster", "Keep one AMKOCluster manifest in the folder."),
  AG1019: entry("invalid AMKOCluster object", "Correct the field that is named."),
  AG1020: entry(
    "manifest cannot be read",
    "Mend the file; until then every cluster holds, since it may claim leadership.",
  ),
  AG1021: entry("lists of clusters differ", "Give every manifest the leader's spec.clusters."),
  AG1022: entry("too many files", "Give the federation a repository or a folder of its own."),
  AG1023: entry("field is not federated", "Remove it: only spec and annotations under amko.vmware.com/ are federated."),
  AG1024: entry(
    "snapshot's file was removed",
    "Put the file back. To delete the object everywhere, annotate it with amko-gitops.io/deleted and keep the file.",
  ),
  AG1025: entry(
    "UUID was lost or changed",
    "Put the annotation amko.vmware.com/amko-uuid back as it was: it is AMKO's identity at the Avi controller.",
  ),
  AG1026: entry(
    "exported by a cluster that does not lead",
    "Close the proposal; what its cluster holds can be proposed anew with amko-gitops adopt.",
  ),
  AG1027: entry(
    "handover-without on a manifest that does not lead",
    "Remove the annotation amko-gitops.io/handover-without: it belongs to the commit that makes this cluster the leader.",
  ),

  AG2001: entry(
    "git server cannot be reached",
    "Check the network, the URL and the proxy; it is tried again.",
    "backoff",
  ),
  AG2002: entry(
    "git server refused the credentials",
    "Check the mounted Secret and its rights to the repository.",
    "backoff",
  ),
  AG2003: entry("tracked branch moved", "Nothing to do: the next attempt starts from the new head.", "now"),
  AG2004: entry(
    "git server refused the push",
    "Allow the agent to push here, or run it with --publish propose.",
    "backoff",
  ),
  AG2005: entry(
    "repository has no commit on the tracked branch",
    "Run amko-gitops init, or push the first commit.",
    "backoff",
  ),
  AG2006: entry(
    "repository was not found",
    "Check --repo; some hosts answer so when credentials may not read.",
    "backoff",
  ),
  AG2007: entry("tracked branch was rewritten", "Put the branch back, or run amko-gitops accept-rewrite.", "change"),
  AG2008: entry(
    "git server's answer is incomplete or no git",
    "Check what stands between; it is tried again.",
    "backoff",
  ),
  AG2009: entry("git server's answer is too large", "Give the federation a repository of its own.", "backoff"),
  AG2010: entry("git server did not answer in time", "Check the server's health, or raise --git-timeout.", "backoff"),
  AG2011: entry("ref is not where it was read", "Nothing to do: it is read again.", "now"),
  AG2012: entry(
    "history ends before the revision that is needed",
    "Let the agent fetch the whole history of the branch.",
    "backoff",
  ),
  AG2013: entry(
    "agent may only read the repository",
    "Give the agent's git identity the right to push its own refs.",
    "backoff",
  ),
  AG2014: entry("clone is shallow", "Run git fetch --unshallow."),

  AG3001: entry("API server cannot be reached", "Check the API server; it is tried again.", "backoff"),
  AG3002: entry("API server refused the credentials", "Check the ServiceAccount and its token.", "backoff"),
  AG3003: entry("API server denied the request", "Apply the Role that deploy/ ships.", "backoff"),
  AG3004: entry("object was changed meanwhile", "Nothing to do: it is read again.", "now"),
  AG3005: entry(
    "custom resource definition is not installed",
    "Install AMKO's CRDs; the agent waits for them.",
    "backoff",
  ),
  AG3006: entry(
    "API server did not answer in time",
    "Check the API server's health, or raise --kube-timeout.",
    "backoff",
  ),
  AG3007: entry(
    "API server refused the object",
    "Correct the object in git, or the admission policy that refuses it.",
    "backoff",
  ),
  AG3008: entry(
    "this cluster's CRD drops a field",
    "Install the CRDs of the AMKO version that the federation runs.",
    "backoff",
  ),
  AG3009: entry("API server asks to wait", "Nothing to do: the agent waits as long as it was told.", "backoff"),
  AG3010: entry("object does not exist", "Nothing to do: it is read again.", "now"),
  AG3011: entry("no AMKOCluster here", "Install AMKO in this cluster; the agent waits for it.", "change"),
  AG3012: entry("more than one AMKOCluster here", "Delete all but one AMKOCluster in avi-system.", "change"),
  AG3013: entry("more than one object of a kind here", "Delete all but one object of the kind.", "change"),
  AG3014: entry(
    "API server's answer makes no sense",
    "Check what stands between the agent and the API server.",
    "backoff",
  ),
  AG3015: entry("namespace is missing or being deleted", "Nothing to do while avi-system is being removed.", "change"),
  AG3016: entry("object exists already", "Nothing to do: it is read again.", "now"),

  AG3017: entry("object is being deleted", "Let whoever set the finalizers finish, or remove them.", "backoff"),
  AG3018: entry("clocks differ", "Synchronise both clocks (NTP): tokens and suspensions end by them."),

  AG4001: entry("Node is too old", "Install Node 24 or newer."),
  AG4002: entry("wrong setting", "Correct the setting that is named."),
  AG4003: entry("repository URL cannot be used", "Use an http or https URL without credentials; mount those as files."),
  AG4004: entry("credentials cannot be read from files", "Check the mounted Secret's keys.", "backoff"),
  AG4005: entry("kubeconfig cannot be used", "Check --kubeconfig and --context."),
  AG4006: entry("a tool that is needed is not here", "Install the tool that is named."),
  AG4007: entry(
    "members' kubeconfig cannot be used",
    "Correct key gslb-members of Secret gslb-config-secret (or the file): tokens and certificates stand in it, with no programs and no files; or run the agent with --member-credentials ignore.",
  ),
  AG4008: entry(
    "folder is no git repository",
    "Call it in a clone of the federation repository, or name one with --repo.",
  ),
  AG4009: entry(
    "no such revision",
    "Name a branch, a tag or a commit of the federation repository; git log lists them.",
  ),
  AG4010: entry("something stands here already", "Name an empty folder, or a branch that does not exist yet."),
  AG4011: entry(
    "webhook delivery is not signed with the secret",
    "Give the git host's webhook the secret that stands in the file of --webhook-secret, or find out who else sends here.",
  ),

  AG5001: entry("nobody leads", "Merge a commit that sets isLeader: true in one manifest."),
  AG5002: entry("conflicting leaders", "Leave isLeader: true in one manifest only."),
  AG5003: entry("leadership is unknown", "Mend the manifests that cannot be read."),
  AG5004: entry("leader's manifest is invalid", "Mend the leader's manifest."),
  AG5005: entry("not a member of the federation", "Add the cluster to the leader's spec.clusters."),
  AG5006: entry(
    "member has no manifest",
    "Commit clusters/<cluster>/amkocluster.yaml for it, or drop it from spec.clusters.",
  ),
  AG5007: entry("version mismatch", "Bring AMKO to the same version in all clusters, and mend the manifests."),
  AG5008: entry(
    "another cluster uses this name",
    "Correct clusterContext, or run amko-gitops accept-identity after a rebuild.",
  ),
  AG5009: entry("prefix serves another branch or path", "Give each federation its own --ref-prefix."),
  AG5010: entry("member's manifest is invalid", "Mend the manifest; the other members go on."),
  AG5011: entry("leadership is moving", "Wait, or look at amko/leading/ to see who has not confirmed.", "change"),
  AG5012: entry("not handled yet", "Change it back, or wait for the release that handles it.", "change"),
  AG5013: entry(
    "object was changed in a follower",
    "Change it in the leader's cluster or in git; run amko-gitops adopt to propose this one.",
  ),

  AG5014: entry("object never came from git", "Delete it by hand, or re-create the object in git."),
  AG5015: entry("agent is suspended", "Wait for its end, or run amko-gitops resume."),
  AG5016: entry("change waits for its review", "Merge the proposal, or change the object back."),
  AG5017: entry("proposal was changed by people", "Merge or delete the branch; then the agent goes on."),
  AG5018: entry("proposal was closed", "Change the object back, or change it again to propose it anew."),
  AG5019: entry(
    "somebody keeps changing an object back",
    "Find out who writes it (managedFields) and stop them, or suspend the agent.",
    "backoff",
  ),
  AG5020: entry(
    "designation is made in git",
    "Merge the proposal that the agent made, or put a flip of your own on the branch.",
  ),

  AG5021: entry(
    "AMKO's own federator runs here",
    "Take the container amko-federator out of StatefulSet amko in avi-system: install AMKO's chart with the post-renderer that deploy/helm ships.",
  ),
  AG5022: entry(
    "member is missing in the members' kubeconfig",
    "Add the context to key gslb-members of Secret gslb-config-secret, drop the cluster from spec.clusters, or run the agent with --member-credentials ignore.",
  ),
  AG5023: entry(
    "AMKO in another cluster is also a leader",
    "Set isLeader: false in that cluster's AMKOCluster, and find out why its agent does not.",
  ),
  AG5024: entry(
    "former leader has not confirmed that it stepped down",
    "Run the command that is named, or let the agent there read the branch again; if that cluster is gone for good, delete its branch under leading/.",
  ),
  AG5025: entry(
    "object was edited while git cannot be read",
    "Nothing to do. The annotations amko-gitops.io/suspended-until and amko-gitops.io/suspend-reason on the AMKOCluster keep the agent away, also without git.",
  ),
  AG5026: entry(
    "cluster does not hold the newest revision",
    "Wait until it does (amko-gitops status --watch), or use --force if it can catch up later.",
  ),
  AG5027: entry("cluster cannot apply", "Mend what its agent reports (amko-gitops status), or use --force."),
  AG5028: entry(
    "cluster has never reported",
    "Let its agent reach the repository and push its own refs: without that it cannot take office.",
  ),
  AG5029: entry("cluster leads already", "Nothing to do: name another cluster to move the leadership."),
  AG5030: entry(
    "no GSLBConfig can be changed",
    "Leave --controller-ip out, and change the object when it is there and valid.",
  ),
  AG5031: entry(
    "context and clusterContext differ",
    "Give the kubeconfig's context the name that spec.clusterContext of the AMKOCluster there has, or correct that.",
  ),
  AG5032: entry(
    "pusher is nobody that is known here",
    "Map the pusher to a cluster or to people in the file that --pushers names.",
  ),
  AG5033: entry("ref belongs to somebody else", "Push your own refs only."),
  AG5034: entry(
    "cluster does not lead",
    "Read the branch again: only the agent of the cluster that leads it may move it.",
  ),
  AG5035: entry("agents change snapshots only", "Let people make this change, in a pull request or by a push."),
  AG5036: entry(
    "tracked branch only moves forward",
    "Put a commit on top that undoes what is wrong: amko-gitops rollback makes one.",
  ),
  AG5037: entry(
    "cluster may be in office",
    "Fail over to another cluster first (amko-gitops failover); the claim of a cluster that is gone can be deleted then.",
  ),
  AG5038: entry(
    "history began elsewhere",
    "Copy the files into a commit on top of the branch, instead of merging what has no past in common with it.",
  ),

  AG9001: entry("unexpected error", "Report it with the log; the agent tries again.", "backoff"),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;

function entry(title: string, remedy: string, retry: Retry = "change"): CatalogueEntry {
  return { title, remedy, retry };
}

/** Makes a problem whose remedy is the catalogue's. */
export function problem(
  code: ErrorCode,
  message: string,
  { severity = "error", path = null, line = null }: Partial<Pick<Problem, "severity" | "path" | "line">> = {},
): Problem {
  return { code, severity, message, remedy: CATALOGUE[code].remedy, path, line };
}
