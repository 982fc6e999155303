import type { JsonObject } from "../../core/model.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";

/** Claimed where clients ask: everything that this version's clients need is here. */
export const SERVER_VERSION: JsonObject = {
  major: "1",
  minor: "30",
  gitVersion: "v1.30.0+sandbox",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2024-04-17T00:00:00Z",
  goVersion: "",
  compiler: "node",
  platform: "linux/amd64",
};

/** In the order in which a real server tells them, and kubectl shows them. */
const CUSTOM_VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS_VERBS = ["get", "patch", "update"];

/** The documents by which clients find types in the form they had before aggregation; undefined for another path. */
export function discoveryDocument(path: string, types: readonly ResourceType[]): JsonObject | undefined {
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (path === "/apis") return groupList(types);
  const [root, group = "", version] = path.slice(1).split("/");
  if (root === "api") return resourceList(types.filter((type) => type.group === "" && type.version === group));
  if (root !== "apis") return undefined;
  const inGroup = types.filter((type) => type.group === group);
  if (version !== undefined) return resourceList(inGroup.filter((type) => type.version === version));
  const [found] = groupsOf(inGroup);
  return found === undefined ? undefined : { kind: "APIGroup", apiVersion: "v1", ...describeGroup(found) };
}

/** Every group but the core one, which has a root of its own. */
function groupList(types: readonly ResourceType[]): JsonObject {
  const named = types.filter(({ group }) => group !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: groupsOf(named).map(describeGroup) };
}

/** All types in one answer. `apiVersion` is that of the form which the client asked for. */
export function aggregatedDiscovery(
  path: "/api" | "/apis",
  types: readonly ResourceType[],
  apiVersion: string,
): JsonObject {
  const offered = types.filter(({ group }) => (group === "") === (path === "/api"));
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion,
    metadata: {},
    items: groupsOf(offered).map(({ group, versions }) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        freshness: "Current",
        resources: offered.filter((type) => type.group === group && type.version === version).map(describeType),
      })),
    })),
  };
}

interface Group {
  readonly group: string;
  readonly versions: readonly string[];
}

function groupsOf(types: readonly ResourceType[]): readonly Group[] {
  const byGroup = Map.groupBy(types, ({ group }) => group);
  return [...byGroup].map(([group, members]) => ({
    group,
    versions: [...new Set(members.map(({ version }) => version))].toSorted().toReversed(),
  }));
}

function describeGroup({ group, versions }: Group): JsonObject {
  const described = versions.map((version) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions: described, preferredVersion: described[0] ?? null };
}

function resourceList(types: readonly ResourceType[]): JsonObject | undefined {
  const [first] = types;
  if (first === undefined) return undefined;
  const resources = types.flatMap((type): JsonObject[] => {
    const { plural, singular, namespaced, kind, shortNames, categories, statusSubresource } = type;
    const named = { name: plural, singularName: singular, namespaced, kind, verbs: verbsOf(type) };
    const optional = {
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
    };
    const status = { name: `${plural}/status`, singularName: "", namespaced, kind, verbs: STATUS_VERBS };
    return [{ ...named, ...optional }, ...(statusSubresource ? [status] : [])];
  });
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersionOf(first), resources };
}

function verbsOf({ custom }: ResourceType): readonly string[] {
  return custom ? CUSTOM_VERBS : VERBS;
}

function describeType(type: ResourceType): JsonObject {
  const { group, version, kind, plural, singular, namespaced, shortNames, categories, statusSubresource } = type;
  const responseKind = { group, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs: verbsOf(type),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(statusSubresource ? { subresources: [{ subresource: "status", responseKind, verbs: STATUS_VERBS }] } : {}),
  };
}
