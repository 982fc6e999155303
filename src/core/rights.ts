import { KINDS } from "./model.ts";

/** One right in avi-system, as a Role grants it. */
export interface Right {
  readonly verb: "list" | "watch" | "get" | "create" | "patch" | "delete";
  /** Empty is the core group. */
  readonly group: string;
  /** The plural, and a subresource behind a slash. */
  readonly resource: string;
  /** The one object that it is about; null for any. */
  readonly name: string | null;
}

const AMKO_GROUP = "amko.vmware.com";
const { AMKOCluster, GSLBConfig, GlobalDeploymentPolicy } = KINDS;

/** Everything that an agent asks of its own API server, and nothing else; the Role in `deploy/` grants the same. */
export const RIGHTS: readonly Right[] = [
  ...rights(["list", "watch", "patch"], AMKO_GROUP, AMKOCluster.plural),
  ...rights(["patch"], AMKO_GROUP, `${AMKOCluster.plural}/status`),
  ...[GSLBConfig, GlobalDeploymentPolicy].flatMap(({ plural }) =>
    rights(["list", "watch", "create", "patch", "delete"], AMKO_GROUP, plural),
  ),
  ...rights(["create", "patch"], "", "events"),
  ...rights(["create"], "", "configmaps"),
  ...rights(["get", "patch"], "", "configmaps", "amko-gitops"),
  ...rights(["get"], "", "secrets", "gslb-config-secret"),
  ...rights(["get"], "apps", "statefulsets", "amko"),
  ...rights(["get"], "", "namespaces", "avi-system"),
];

/** `patch amkoclusters.amko.vmware.com/status`, as `kubectl auth can-i` takes it. */
export function describeRight({ verb, group, resource, name }: Right): string {
  const [plural = "", part] = resource.split("/");
  const type = `${plural}${group === "" ? "" : `.${group}`}${part === undefined ? "" : `/${part}`}`;
  return name === null ? `${verb} ${type}` : `${verb} ${type} ${name}`;
}

/** An agent goes on without it: it is about the members' credentials, which may be left out. */
export function isOptional({ resource }: Right): boolean {
  return resource === "secrets";
}

function rights(
  verbs: readonly Right["verb"][],
  group: string,
  resource: string,
  name: string | null = null,
): readonly Right[] {
  return verbs.map((verb) => ({ verb, group, resource, name }));
}
