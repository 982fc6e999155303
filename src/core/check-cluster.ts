import { type CheckItem, failed, passed, warned } from "./check-item.ts";
import { isObject } from "./json.ts";
import { type AmkoKind, type Json, KINDS, type LiveObject, type Problem } from "./model.ts";
import { describeRight, isOptional, type Right } from "./rights.ts";
import type { Schema } from "./schema.ts";
import { schemaGaps } from "./schema-gaps.ts";

const SKEW_MAX_MS = 60_000;
const GAPS_SHOWN_MAX = 5;
/** In StatefulSet `amko`, where AMKO's chart puts it. */
export const FEDERATOR_CONTAINER = "amko-federator";

/** Clocks that differ make tokens, certificates and suspensions end at a wrong time. */
export function checkClock(serverMs: number | null, nowMs: number): CheckItem {
  const name = "clock";
  if (serverMs === null) return passed(name, "the API server does not tell its time");
  const skewMs = Math.abs(serverMs - nowMs);
  const seconds = Math.round(skewMs / 1000);
  if (skewMs <= SKEW_MAX_MS) return passed(name, "within a minute of the API server's");
  return warned(name, "AG3018", `it differs from the API server's by ${seconds} s`);
}

export function checkNamespace(state: { readonly terminating: boolean } | null): CheckItem {
  const name = "namespace";
  if (state === null) return failed(name, "AG3015", "avi-system does not exist", "Install AMKO in this cluster.");
  if (state.terminating) return failed(name, "AG3015", "avi-system is being deleted");
  return passed(name, "avi-system exists");
}

/** Compares what the server publishes with what is federated. */
export function checkDefinition(kind: AmkoKind, wanted: Schema, published: Json | null): CheckItem {
  const name = `crd-${KINDS[kind].plural}`;
  const version = KINDS[kind].apiVersion;
  if (published === null) return failed(name, "AG3005", `${kind} of ${version} is not installed`);
  const spec = wanted.properties.get("spec");
  const found = isObject(published) && isObject(published["properties"]) ? published["properties"]["spec"] : undefined;
  const gaps = spec === undefined ? [] : schemaGaps(spec, found ?? {}, "spec");
  if (gaps.length === 0) return passed(name, `${version}, with every field`);
  const more = gaps.length > GAPS_SHOWN_MAX ? ` and ${gaps.length - GAPS_SHOWN_MAX} more` : "";
  return failed(name, "AG3008", `it lacks ${gaps.slice(0, GAPS_SHOWN_MAX).join(", ")}${more}`);
}

/** The one AMKOCluster, and whether AMKO and the agent can live with it. */
export function checkAmkoCluster(found: readonly LiveObject[]): CheckItem {
  const name = "amkocluster";
  const [only] = found;
  if (only === undefined) return failed(name, "AG3011", "there is none in avi-system");
  if (found.length > 1) return failed(name, "AG3012", `there are ${found.length} in avi-system`);
  const { cluster, clusters, version, isLeader } = amkoFields(only);
  if (cluster === "") return failed(name, "AG1019", "spec.clusterContext is empty", "Set it to this context's name.");
  if (version === "") return failed(name, "AG1019", "spec.version is empty", "Set it to AMKO's version.");
  if (!clusters.includes(cluster)) {
    const remedy = "Add it: AMKO panics at its start otherwise.";
    return failed(name, "AG1019", `spec.clusters does not name ${cluster} itself`, remedy);
  }
  return passed(name, `${cluster}, ${isLeader ? "leader" : "follower"}, AMKO ${version}`);
}

export function amkoFields({ spec }: LiveObject) {
  const fields = isObject(spec) ? spec : {};
  const text = (field: string): string => (typeof fields[field] === "string" ? fields[field] : "");
  const listed = fields["clusters"];
  const clusters = (Array.isArray(listed) ? (listed as readonly Json[]) : []).filter((one) => typeof one === "string");
  return { cluster: text("clusterContext"), version: text("version"), isLeader: fields["isLeader"] === true, clusters };
}

export function checkRights(missing: readonly Right[], count: number): CheckItem {
  const name = "permissions";
  const needed = missing.filter((right) => !isOptional(right));
  if (missing.length === 0) return passed(name, `all ${count} rights of the agent's Role`);
  const remedy = "Apply the Role that deploy/ ships, and ask as the agent's ServiceAccount.";
  if (needed.length > 0) return failed(name, "AG3003", `missing: ${needed.map(describeRight).join(", ")}`, remedy);
  const optional = "Apply the whole Role, or run the agent with --member-credentials ignore.";
  return warned(name, "AG3003", `missing: ${missing.map(describeRight).join(", ")}`, optional);
}

export function checkFederator(workload: { readonly containers: readonly string[] } | null, leads: boolean): CheckItem {
  const name = "federator";
  if (workload === null) return warned(name, "AG3010", "StatefulSet amko is not here", "Install AMKO in this cluster.");
  if (!workload.containers.includes(FEDERATOR_CONTAINER)) return passed(name, "AMKO's own does not run here");
  const text = `container ${FEDERATOR_CONTAINER} is in StatefulSet amko`;
  return leads ? failed(name, "AG5021", text) : warned(name, "AG5021", `${text}: it would act as soon as this leads`);
}

/** Whether the leader could look at its members; it leads without that, too. */
export function checkMemberCredentials(
  contexts: ReadonlyMap<string, Problem | null> | null,
  {
    cluster,
    clusters,
    isLeader,
  }: { readonly cluster: string; readonly clusters: readonly string[]; readonly isLeader: boolean },
): CheckItem {
  const name = "member-credentials";
  if (contexts === null) {
    const remedy =
      "Nothing need be done: followers poll. With Secret gslb-config-secret the leader tells them at once.";
    return warned(name, "AG5022", "there is no members' kubeconfig", remedy);
  }
  const members = clusters.filter((one) => one !== cluster);
  const refused = members.map((one) => contexts.get(one) ?? null).find((problem) => problem !== null);
  const absent = members.filter((one) => !contexts.has(one));
  if (refused === undefined && absent.length === 0) return passed(name, `${contexts.size} contexts`);
  const tell = isLeader ? failed : warned;
  if (absent.length > 0) return tell(name, "AG5022", `no context for ${absent.join(", ")}`);
  return tell(name, "AG4007", refused?.message ?? "");
}
