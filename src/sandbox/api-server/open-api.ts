import { createHash } from "node:crypto";
import type { JsonObject } from "../../core/model.ts";
import { OBJECT_META_OPENAPI } from "./object-meta.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";

const OBJECT_META_NAME = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** OpenAPI v3 documents, one for each group and version, and their index; undefined for another path. */
export function openApiDocument(path: string, types: readonly ResourceType[]): JsonObject | undefined {
  const documents = documentsOf(types);
  if (path !== "/openapi/v3") return documents.get(path);
  const paths = [...documents].map(([address, document]) => {
    // Clients keep a document for as long as its hash is the same.
    const hash = createHash("sha256").update(JSON.stringify(document)).digest("hex");
    return [address.slice("/openapi/v3/".length), { serverRelativeURL: `${address}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(paths) };
}

function documentsOf(types: readonly ResourceType[]): ReadonlyMap<string, JsonObject> {
  const byVersion = Map.groupBy(types, rootOf);
  return new Map([...byVersion].map(([root, members]) => [`/openapi/v3${root}`, documentOf(members)]));
}

function rootOf(type: ResourceType): string {
  return type.group === "" ? `/api/${type.version}` : `/apis/${apiVersionOf(type)}`;
}

function documentOf(types: readonly ResourceType[]): JsonObject {
  const schemas = types.map((type) => [schemaName(type), schemaOf(type)]);
  return {
    openapi: "3.0.0",
    info: { title: "amko-gitops sandbox", version: "v1.30.0" },
    paths: Object.fromEntries(types.flatMap(pathsOf)),
    components: { schemas: { ...Object.fromEntries(schemas), [OBJECT_META_NAME]: OBJECT_META_OPENAPI } },
  };
}

/** `com.vmware.amko.v1alpha2.GlobalDeploymentPolicy` */
function schemaName({ group, version, kind }: ResourceType): string {
  const domain = group === "" ? ["io", "k8s", "api", "core"] : group.split(".").toReversed();
  return [...domain, version, kind].join(".");
}

function schemaOf(type: ResourceType): JsonObject {
  const { properties } = type.openApiSchema as { readonly properties?: JsonObject };
  return {
    ...type.openApiSchema,
    properties: {
      apiVersion: { description: "Group and version that the object is written in.", type: "string" },
      kind: { description: "The kind of object.", type: "string" },
      ...properties,
      metadata: {
        description: "What every object has.",
        allOf: [{ $ref: `#/components/schemas/${OBJECT_META_NAME}` }],
        default: {},
      },
    },
    "x-kubernetes-group-version-kind": [kindOf(type)],
  };
}

function kindOf({ group, version, kind }: ResourceType): JsonObject {
  return { group, version, kind };
}

/** kubectl looks here whether a type's patches take `dryRun` and `fieldValidation`. */
export const PATCH_PARAMETERS = ["dryRun", "fieldManager", "fieldValidation", "force"].map((name) => ({
  name,
  in: "query",
  schema: { type: name === "force" ? "boolean" : "string", uniqueItems: true },
}));

/** `/apis/amko.vmware.com/v1alpha2/namespaces/{namespace}/globaldeploymentpolicies` */
export function pathOf(type: ResourceType): string {
  return `${rootOf(type)}${type.namespaced ? "/namespaces/{namespace}" : ""}/${type.plural}`;
}

function pathsOf(type: ResourceType): readonly (readonly [string, JsonObject])[] {
  const collection = pathOf(type);
  const operation = (action: string): JsonObject => ({
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": kindOf(type),
    responses: {
      200: {
        description: "OK",
        content: { "application/json": { schema: { $ref: `#/components/schemas/${schemaName(type)}` } } },
      },
    },
  });
  const body = { content: { "application/json": { schema: { type: "object" } } }, required: true };
  return [
    [collection, { get: operation("list"), post: { ...operation("post"), requestBody: body } }],
    [
      `${collection}/{name}`,
      {
        get: operation("get"),
        put: { ...operation("put"), requestBody: body },
        patch: { ...operation("patch"), parameters: PATCH_PARAMETERS, requestBody: body },
        delete: operation("delete"),
      },
    ],
  ];
}
