import { type AmkoKind, KINDS, NAMESPACE } from "../../src/core/model.ts";

/** An object that somebody might send to an API server, and what becomes of it. */
export interface Specimen {
  readonly what: string;
  readonly kind: AmkoKind;
  /** The object as JSON text: some of it is what JavaScript would never write. */
  readonly text: string;
  readonly then: "kept" | "refused";
}

export const SPECIMEN_NAME = "specimen";

type Row = readonly [what: string, spec: unknown, then: Specimen["then"]];

const LB = ["GSLB_ALGORITHM_CONSISTENT_HASH", "GSLB_ALGORITHM_ROUND_ROBIN"] as const;
const DOWN = "GSLB_SERVICE_DOWN_RESPONSE_FALLBACK_IP";

const POLICIES: readonly Row[] = [
  ["nothing", {}, "kept"],
  ["null for the whole spec", null, "refused"],
  ["a list for the whole spec", [], "refused"],
  ["a text for the whole spec", "spec", "refused"],
  ["the least ttl", { ttl: 0 }, "kept"],
  ["the greatest ttl", { ttl: 86_400 }, "kept"],
  ["a ttl above the greatest", { ttl: 86_401 }, "refused"],
  ["a ttl below the least", { ttl: -1 }, "refused"],
  ["a ttl in quotes", { ttl: "10" }, "refused"],
  ["a ttl with a fraction", { ttl: 10.5 }, "refused"],
  ["a ttl that is null", { ttl: null }, "kept"],
  ["a ttl that is a truth value", { ttl: true }, "refused"],
  ["a field that nobody knows", { ttl: 10, invented: true }, "kept"],
  ["a field that nobody knows, with content", { invented: { deep: [{ er: 1 }] } }, "kept"],
  ["a field that differs in case", { TTL: 10 }, "kept"],
  ["fields with names that JavaScript knows", { constructor: 1, toString: 2, hasOwnProperty: {} }, "kept"],
  ["no traffic", { trafficSplit: [] }, "kept"],
  ["traffic that is null", { trafficSplit: null }, "kept"],
  ["traffic that is no list", { trafficSplit: {} }, "refused"],
  ["traffic with an empty entry", { trafficSplit: [{}] }, "kept"],
  ["traffic with a null entry", { trafficSplit: [null] }, "refused"],
  ["traffic with a text entry", { trafficSplit: ["cluster1"] }, "refused"],
  ["traffic that leaves weight and priority to their defaults", { trafficSplit: [{ cluster: "c1" }] }, "kept"],
  ["traffic that leaves one to its default", { trafficSplit: [{ cluster: "c1", weight: 7 }] }, "kept"],
  ["traffic that says the defaults", { trafficSplit: [{ cluster: "c1", weight: 1, priority: 10 }] }, "kept"],
  [
    "traffic with nulls where defaults are",
    { trafficSplit: [{ cluster: "c1", weight: null, priority: null }] },
    "kept",
  ],
  ["traffic without a cluster's name", { trafficSplit: [{ cluster: null, weight: 2 }] }, "kept"],
  ["the greatest weight and priority", { trafficSplit: [{ cluster: "c1", weight: 20, priority: 100 }] }, "kept"],
  ["the least weight and priority", { trafficSplit: [{ cluster: "c1", weight: 1, priority: 0 }] }, "kept"],
  ["a weight of zero", { trafficSplit: [{ cluster: "c1", weight: 0 }] }, "refused"],
  ["a weight above the greatest", { trafficSplit: [{ cluster: "c1", weight: 21 }] }, "refused"],
  ["a priority below the least", { trafficSplit: [{ cluster: "c1", priority: -1 }] }, "refused"],
  ["a priority above the greatest", { trafficSplit: [{ cluster: "c1", priority: 101 }] }, "refused"],
  ["the same cluster twice", { trafficSplit: [{ cluster: "c1" }, { cluster: "c1" }] }, "kept"],
  ["an unknown field in an entry", { trafficSplit: [{ cluster: "c1", share: 50 }] }, "kept"],
  ["several faults at once", { ttl: -1, trafficSplit: [{ weight: 0 }, { priority: 1000 }] }, "refused"],
  ["empty selectors", { matchRules: { appSelector: {}, namespaceSelector: {} } }, "kept"],
  ["an empty label map", { matchRules: { appSelector: { label: {} } } }, "kept"],
  ["labels", { matchRules: { appSelector: { label: { app: "gslb", "": "", "a b": "c d" } } } }, "kept"],
  ["a label map that is null", { matchRules: { appSelector: { label: null } } }, "kept"],
  ["a label that is null", { matchRules: { appSelector: { label: { app: null } } } }, "kept"],
  ["a label that is a number", { matchRules: { appSelector: { label: { app: 1 } } } }, "refused"],
  ["selectors that are null", { matchRules: null }, "kept"],
  ["a label with JavaScript's own names", { matchRules: { appSelector: { label: { constructor: "x" } } } }, "kept"],
  ["clusters", { matchClusters: [{ cluster: "c1", syncVipOnly: true }, { cluster: "c2" }] }, "kept"],
  ["a truth value in quotes", { matchClusters: [{ cluster: "c1", syncVipOnly: "true" }] }, "refused"],
  ["a truth value that is null", { controlPlaneHmOnly: null }, "kept"],
  ["a truth value that is a number", { controlPlaneHmOnly: 1 }, "refused"],
  ["health monitors", { healthMonitorRefs: ["hm-1", "", "hm-1"] }, "kept"],
  ["a health monitor that is null", { healthMonitorRefs: ["hm-1", null] }, "refused"],
  ["texts of all kinds", { defaultDomain: "日本語 🙂 \u0000\u2028\ufeff", sitePersistenceRef: "" }, "kept"],
  ["an algorithm", { poolAlgorithmSettings: { lbAlgorithm: LB[0], hashMask: 31 } }, "kept"],
  ["an algorithm that does not exist", { poolAlgorithmSettings: { lbAlgorithm: "ROUND_ROBIN" } }, "refused"],
  ["an algorithm in the wrong case", { poolAlgorithmSettings: { lbAlgorithm: LB[1].toLowerCase() } }, "refused"],
  ["an empty algorithm", { poolAlgorithmSettings: { lbAlgorithm: "" } }, "refused"],
  ["an algorithm that is null", { poolAlgorithmSettings: { lbAlgorithm: null } }, "kept"],
  ["a hash mask below the least", { poolAlgorithmSettings: { hashMask: 0 } }, "refused"],
  ["a hash mask above the greatest", { poolAlgorithmSettings: { geoFallback: { hashMask: 32 } } }, "refused"],
  ["a fallback", { poolAlgorithmSettings: { geoFallback: { lbAlgorithm: LB[1], hashMask: 1 } } }, "kept"],
  ["a fallback that a fallback may not be", geoFallback("GSLB_ALGORITHM_GEO"), "refused"],
  ["an answer when all is down", { downResponse: { type: DOWN, fallbackIP: "192.0.2.1" } }, "kept"],
  ["an answer without its kind", { downResponse: { fallbackIP: "192.0.2.1" } }, "refused"],
  ["an answer whose kind is null", { downResponse: { type: null } }, "refused"],
  ["an empty answer", { downResponse: {} }, "refused"],
  ["an answer that is null", { downResponse: null }, "kept"],
];

function geoFallback(lbAlgorithm: string): unknown {
  return { poolAlgorithmSettings: { geoFallback: { lbAlgorithm } } };
}

const CONFIGS: readonly Row[] = [
  ["nothing", {}, "kept"],
  ["null for the whole spec", null, "refused"],
  ["a leader", { gslbLeader: { controllerIP: "192.0.2.1", controllerVersion: "22.1.3", tenant: "admin" } }, "kept"],
  ["a version that is a number", { gslbLeader: { controllerVersion: 22.1 } }, "refused"],
  ["a log level", { logLevel: "DEBUG" }, "kept"],
  ["a log level in lower case", { logLevel: "info" }, "refused"],
  ["a log level that is null", { logLevel: null }, "kept"],
  ["members", { memberClusters: [{ clusterContext: "c1" }, {}] }, "kept"],
  ["members by name only", { memberClusters: ["c1"] }, "refused"],
  ["a negative interval", { refreshInterval: -5 }, "kept"],
  ["an interval with a unit", { refreshInterval: "300s" }, "refused"],
  ["a global name", { useCustomGlobalFqdn: true }, "kept"],
];

const AMKO_CLUSTERS: readonly Row[] = [
  ["nothing", {}, "kept"],
  ["null for the whole spec", null, "kept"],
  ["a leader", { isLeader: true, clusterContext: "c1", version: "1.4.2", clusters: ["c1", "c2"] }, "kept"],
  ["a leader in quotes", { isLeader: "true" }, "refused"],
  ["a version that is a number", { version: 1.4 }, "refused"],
  ["no clusters", { clusters: [] }, "kept"],
  ["a cluster that is null", { clusters: [null] }, "refused"],
  ["a field of a newer AMKO", { isLeader: false, federation: { mode: "git" } }, "kept"],
];

/** JSON that JavaScript would not write. */
const RAW: readonly (readonly [what: string, kind: AmkoKind, spec: string, then: Specimen["then"]])[] = [
  ["a whole number with a point", "GlobalDeploymentPolicy", '{"ttl":10.0}', "kept"],
  ["a whole number with an exponent", "GlobalDeploymentPolicy", '{"ttl":1e2}', "kept"],
  ["a number with exponent that is out of range", "GlobalDeploymentPolicy", '{"ttl":1e9}', "refused"],
  ["the greatest number of 64 bits", "GSLBConfig", '{"refreshInterval":9223372036854775807}', "kept"],
  ["a key named __proto__", "GlobalDeploymentPolicy", '{"__proto__":{"ttl":1},"ttl":5}', "kept"],
  [
    "a label named __proto__",
    "GlobalDeploymentPolicy",
    '{"matchRules":{"appSelector":{"label":{"__proto__":"x"}}}}',
    "kept",
  ],
];

/** Objects that are odd beside their spec. */
const WHOLE: readonly (readonly [what: string, kind: AmkoKind, object: object, then: Specimen["then"]])[] = [
  ["no spec where one is required", "GlobalDeploymentPolicy", {}, "refused"],
  ["no spec where none is required", "AMKOCluster", {}, "kept"],
  ["an unknown field beside the spec", "GlobalDeploymentPolicy", { spec: {}, data: { a: 1 } }, "kept"],
  ["a status, where it is part of the object", "GSLBConfig", { spec: {}, status: { state: "x", y: 1 } }, "kept"],
  ["a status, where it has a request of its own", "AMKOCluster", { spec: {}, status: { conditions: [] } }, "kept"],
  ["a status of the wrong type", "GlobalDeploymentPolicy", { spec: {}, status: { errorStatus: 1 } }, "refused"],
];

/** Everything that the three kinds are tried with. */
export const CORPUS: readonly Specimen[] = [
  ...rows("GlobalDeploymentPolicy", POLICIES),
  ...rows("GSLBConfig", CONFIGS),
  ...rows("AMKOCluster", AMKO_CLUSTERS),
  ...RAW.map(([what, kind, spec, then]) => ({
    what,
    kind,
    text: JSON.stringify(object(kind, { spec: "SPEC" })).replace('"SPEC"', spec),
    then,
  })),
  ...WHOLE.map(([what, kind, rest, then]) => ({ what, kind, text: JSON.stringify(object(kind, rest)), then })),
];

function rows(kind: AmkoKind, all: readonly Row[]): readonly Specimen[] {
  return all.map(([what, spec, then]) => ({ what, kind, text: JSON.stringify(object(kind, { spec })), then }));
}

function object(kind: AmkoKind, rest: object): object {
  const metadata = { name: SPECIMEN_NAME, namespace: NAMESPACE };
  return { apiVersion: KINDS[kind].apiVersion, kind, metadata, ...rest };
}
