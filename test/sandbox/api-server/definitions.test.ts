import { afterEach, beforeEach, expect, test } from "vitest";
import { DEFINITION_PATH, DEFINITIONS, freshServer, GDPS, gdp } from "./support.ts";

let server: Awaited<ReturnType<typeof freshServer>>;
beforeEach(async () => {
  server = await freshServer();
});
afterEach(() => server.stop({ abruptly: true }));

const GDP_DEFINITION = `${DEFINITION_PATH}/globaldeploymentpolicies.amko.vmware.com`;

test("are listed, and say that they are served", async () => {
  const { body } = await server.ask("GET", GDP_DEFINITION);
  expect(body.spec.names.shortNames).toEqual(["gdp"]);
  expect(body.status).toMatchObject({
    storedVersions: ["v1alpha2"],
    acceptedNames: { kind: "GlobalDeploymentPolicy" },
  });
  expect(
    body.status.conditions.map(({ type, status }: { type: string; status: string }) => `${type} ${status}`),
  ).toEqual(["NamesAccepted True", "Established True"]);
});

test("can be missing, and be installed later", async () => {
  const bare = await freshServer({ definitions: [] });
  expect((await bare.ask("GET", GDPS)).code).toBe(404);
  for (const definition of DEFINITIONS) await bare.ask("POST", DEFINITION_PATH, definition);
  expect((await bare.ask("GET", GDPS)).body.items).toEqual([]);
  expect((await bare.ask("POST", GDPS, gdp("a"))).code).toBe(201);
  await bare.stop({ abruptly: false });
});

test("take their objects with them when they are deleted, and end watches of them", async () => {
  await server.ask("POST", GDPS, gdp("a"));
  const watching = await fetch(`${server.url}${GDPS}?watch=true`);
  const other = await fetch(`${server.url}/api/v1/namespaces?watch=true`);
  await server.ask("DELETE", GDP_DEFINITION);
  const events = (await watching.text()).trimEnd().split("\n");
  expect(events.map((event) => JSON.parse(event).type)).toEqual(["ADDED", "DELETED"]);
  expect((await server.ask("GET", GDPS)).code).toBe(404);
  const definition = DEFINITIONS.find((manifest) => JSON.stringify(manifest).includes("GlobalDeploymentPolicyList"));
  await server.ask("POST", DEFINITION_PATH, definition);
  expect((await server.ask("GET", GDPS)).body.items).toEqual([]);
  await other.body?.cancel();
});

test("that are changed judge objects from then on", async () => {
  const definition = (await server.ask("GET", GDP_DEFINITION)).body;
  definition.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.ttl.maximum = 5;
  expect((await server.ask("PUT", GDP_DEFINITION, definition)).code).toBe(200);
  expect((await server.ask("POST", GDPS, gdp("a", { ttl: 6 }))).code).toBe(422);
});

test.each([
  { what: "with two served versions", change: "versions", value: [{ served: true }, { served: true }] },
  { what: "under another name than its group and plural", change: "group", value: "example.com" },
])("are refused $what", async ({ change, value }) => {
  const definition = JSON.parse(JSON.stringify(DEFINITIONS[0]));
  definition.metadata.name = "others.example.org";
  definition.spec[change] = value;
  expect(await server.ask("POST", DEFINITION_PATH, definition)).toMatchObject({
    code: 422,
    body: { reason: "Invalid" },
  });
});

test("a malformed one keeps the server from starting", async () => {
  await expect(freshServer({ definitions: [{ kind: "Nonsense" }] })).rejects.toThrow();
});

test("clients find types in the old form of discovery and in the new one", async () => {
  expect((await server.ask("GET", "/api")).body.versions).toEqual(["v1"]);
  const groups = (await server.ask("GET", "/apis")).body.groups.map(({ name }: { name: string }) => name);
  expect(groups.toSorted()).toEqual(["amko.vmware.com", "apiextensions.k8s.io", "apps", "events.k8s.io"]);
  const { body } = await server.ask("GET", "/apis/amko.vmware.com/v1alpha1");
  expect(body.resources.map(({ name }: { name: string }) => name).toSorted()).toEqual([
    "amkoclusters",
    "amkoclusters/status",
    "gslbconfigs",
  ]);
  expect((await server.ask("GET", "/apis/amko.vmware.com/v9")).code).toBe(404);
  for (const version of ["v2", "v2beta1"]) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`;
    const aggregated = await server.ask("GET", "/apis", undefined, { accept });
    expect(aggregated.headers.get("content-type")).toContain(`v=${version};as=APIGroupDiscoveryList`);
    expect(aggregated.body).toMatchObject({
      kind: "APIGroupDiscoveryList",
      apiVersion: `apidiscovery.k8s.io/${version}`,
    });
  }
});

test("OpenAPI documents change their address when a definition changes", async () => {
  const address = async () =>
    (await server.ask("GET", "/openapi/v3")).body.paths["apis/amko.vmware.com/v1alpha2"].serverRelativeURL;
  const before = await address();
  const { body } = await server.ask("GET", before);
  expect(Object.keys(body.components.schemas)).toContain("com.vmware.amko.v1alpha2.GlobalDeploymentPolicy");
  const definition = (await server.ask("GET", GDP_DEFINITION)).body;
  definition.spec.versions[0].schema.openAPIV3Schema.description = "changed";
  await server.ask("PUT", GDP_DEFINITION, definition);
  expect(await address()).not.toBe(before);
});

test("old kubectls find in OpenAPI v2 which parameters a patch takes", async () => {
  const { headers, body } = await server.ask("GET", "/openapi/v2");
  expect(headers.get("content-type")).toBe("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  expect(body).toContain("/apis/amko.vmware.com/v1alpha2/namespaces/{namespace}/globaldeploymentpolicies/{name}");
  expect(body).toContain("fieldValidation");
});
