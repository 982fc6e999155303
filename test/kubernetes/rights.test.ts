import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { type AmkoKind, FEDERATED_KINDS, NAMESPACE } from "../../src/core/model.ts";
import { createRequests } from "../../src/kubernetes/requests.ts";
import { uid, version } from "./support.ts";

/** The Role that `deploy/` ships grants what the agent asks for, and nothing else. */

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const requests = createRequests("http://server");
const real = { dryRun: false };
const page = { limit: 1, token: null };
const from = { version: version("1"), lifetimeS: 1 };
const only = { uid: uid("u"), resourceVersion: version("1") };
const object = (kind: AmkoKind) => ({ apiVersion: "", kind, metadata: { name: "x" } });
const event = { metadata: {}, involvedObject: {} };

/** Everything that an agent ever asks of its own API server. */
const ASKED = [
  requests.list("AMKOCluster", page),
  requests.watch("AMKOCluster", from),
  requests.patch("AMKOCluster", "x", [], real),
  requests.patchStatus("AMKOCluster", "x", []),
  ...FEDERATED_KINDS.flatMap((kind) => [
    requests.list(kind, page),
    requests.watch(kind, from),
    requests.create(kind, object(kind), real),
    requests.patch(kind, "x", [], real),
    requests.remove(kind, "x", only, real),
  ]),
  requests.createEvent(event),
  requests.patchEvent("x", []),
  requests.createConfigMap({}),
  requests.readConfigMap(),
  requests.patchConfigMap([]),
  requests.readMembersSecret(),
  requests.readStatefulSet(),
  requests.readNamespace(),
];

/** Those whose name is any. */
const ANY_NAME = "x";

it("is asked for as often as it is granted", async () => {
  const asked = (await Promise.all(ASKED)).map((context) =>
    rightFor(context.getHttpMethod(), new URL(context.getUrl())),
  );
  expect([...new Set(asked)].toSorted()).toEqual(granted().toSorted());
});

/** `patch amko.vmware.com amkoclusters/status`, with the object's name where it is always the same. */
function rightFor(method: string, { pathname, searchParams }: URL): string {
  const { group, resource, name, part } =
    /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+\/namespaces\/(?:avi-system\/)?(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<part>.+))?$/.exec(
      pathname === `/api/v1/namespaces/${NAMESPACE}` ? `/api/v1/namespaces/namespaces/${NAMESPACE}` : pathname,
    )?.groups ?? {};
  const verbs: Readonly<Record<string, string>> = { POST: "create", PATCH: "patch", DELETE: "delete" };
  const reading = searchParams.has("watch") ? "watch" : name === undefined ? "list" : "get";
  const what = part === undefined ? resource : `${resource}/${part}`;
  return right(verbs[method] ?? reading, group ?? "", what ?? "", name === ANY_NAME ? "" : (name ?? ""));
}

function granted(): readonly string[] {
  const text = readFileSync(new URL("../../deploy/kustomize/rbac.yaml", import.meta.url), "utf8");
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  const role = objects.find(({ kind }) => kind === "Role");
  return (role.rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames = [""], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => right(verb, group, resource, name))),
      ),
    ),
  );
}

function right(verb: string, group: string, resource: string, name: string): string {
  return [verb, group, resource, name].filter((word) => word !== "").join(" ");
}
