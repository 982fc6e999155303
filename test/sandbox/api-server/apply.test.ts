import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, amkoCluster, CLUSTERS, freshServer, GDPS, gdp } from "./support.ts";

let server: Awaited<ReturnType<typeof freshServer>>;
beforeAll(async () => {
  server = await freshServer();
});
afterAll(() => server.stop({ abruptly: true }));

function apply(manager: string, name: string, spec: unknown, more = ""): Promise<Answer> {
  return server.ask("PATCH", `${GDPS}/${name}?fieldManager=${manager}${more}`, gdp(name, spec), {
    contentType: "application/apply-patch+yaml",
  });
}

function merge(manager: string, name: string, patch: unknown): Promise<Answer> {
  return server.ask("PATCH", `${GDPS}/${name}`, patch, { contentType: "application/merge-patch+json", manager });
}

/** The fields of each manager, as `fieldsV1` gives them for the spec. */
function ownersOf({ body }: Answer): Record<string, unknown> {
  const { managedFields = [] } = body.metadata;
  return Object.fromEntries(
    managedFields.map((entry: { manager: string; fieldsV1: Record<string, unknown> }) => [
      entry.manager,
      entry.fieldsV1["f:spec"],
    ]),
  );
}

test("creates what is not there, and is recorded as the owner of what it stated", async () => {
  const created = await apply("one", "created", { trafficSplit: [{ cluster: "c1" }], ttl: 1 });
  expect(created.code).toBe(201);
  expect(ownersOf(created)).toEqual({ one: { "f:trafficSplit": {}, "f:ttl": {} } });
  expect(created.body.metadata.managedFields[0]).toMatchObject({
    manager: "one",
    operation: "Apply",
    apiVersion: "amko.vmware.com/v1alpha2",
    fieldsType: "FieldsV1",
  });
  expect((await apply("one", "created", { trafficSplit: [{ cluster: "c1" }], ttl: 1 })).body).toEqual(created.body);
});

test("removes what the same manager stated before and states no longer", async () => {
  await apply("one", "shrunk", { ttl: 1, defaultDomain: "a.b" });
  expect((await apply("one", "shrunk", { ttl: 1 })).body.spec).toEqual({ ttl: 1 });
});

test("leaves what somebody else owns too", async () => {
  await apply("one", "shared", { ttl: 1, defaultDomain: "a.b" });
  await apply("two", "shared", { defaultDomain: "a.b" });
  const given = await apply("one", "shared", { ttl: 1 });
  expect(given.body.spec).toEqual({ ttl: 1, defaultDomain: "a.b" });
  expect(ownersOf(given)).toEqual({ one: { "f:ttl": {} }, two: { "f:defaultDomain": {} } });
});

test("names each field that it would take from somebody, and takes it when forced", async () => {
  await apply("one", "contested", {
    ttl: 1,
    poolAlgorithmSettings: { lbAlgorithm: "GSLB_ALGORITHM_GEO", hashMask: 1 },
  });
  await merge("kubectl-edit", "contested", { spec: { ttl: 2, poolAlgorithmSettings: { hashMask: 2 } } });
  const spec = { ttl: 3, poolAlgorithmSettings: { lbAlgorithm: "GSLB_ALGORITHM_GEO", hashMask: 3 } };
  const refused = await apply("one", "contested", spec);
  expect(refused).toMatchObject({ code: 409, body: { reason: "Conflict" } });
  const message = 'conflict with "kubectl-edit" using amko.vmware.com/v1alpha2';
  expect(refused.body.details.causes).toEqual([
    { reason: "FieldManagerConflict", message, field: ".spec.poolAlgorithmSettings.hashMask" },
    { reason: "FieldManagerConflict", message, field: ".spec.ttl" },
  ]);
  const forced = await apply("one", "contested", spec, "&force=true");
  expect(forced.body.spec).toEqual(spec);
  expect(Object.keys(ownersOf(forced))).toEqual(["one"]);
});

test("agreeing with somebody is no conflict", async () => {
  await apply("one", "agreed", { ttl: 1 });
  const agreed = await apply("two", "agreed", { ttl: 1 });
  expect(ownersOf(agreed)).toEqual({ one: { "f:ttl": {} }, two: { "f:ttl": {} } });
});

test("an object that nobody is recorded for belongs to whoever came before", async () => {
  const { body } = await server.ask("POST", GDPS, gdp("ancient", { ttl: 1 }));
  await server.ask("PUT", `${GDPS}/ancient`, { ...body, metadata: { ...body.metadata, managedFields: [{}] } });
  const refused = await apply("one", "ancient", { ttl: 2 });
  expect(refused.body.message).toContain('conflict with "before-first-apply"');
});

test("needs a field manager, and no managed fields", async () => {
  expect(await apply("", "unnamed", {})).toMatchObject({ code: 422 });
  const sent = gdp("managed", {}, { managedFields: [{ manager: "x" }] });
  const options = { contentType: "application/apply-patch+yaml" };
  expect((await server.ask("PATCH", `${GDPS}/managed?fieldManager=one`, sent, options)).code).toBe(400);
});

test("takes YAML", async () => {
  const yaml =
    "apiVersion: amko.vmware.com/v1alpha2\nkind: GlobalDeploymentPolicy\nmetadata: {name: yaml}\nspec: {ttl: 7}\n";
  const options = { contentType: "application/apply-patch+yaml" };
  expect((await server.ask("PATCH", `${GDPS}/yaml?fieldManager=one`, yaml, options)).body.spec).toEqual({ ttl: 7 });
});

test("a dry run finds conflicts and changes nothing", async () => {
  await apply("one", "dry", { ttl: 1 });
  expect((await apply("two", "dry", { ttl: 2 }, "&dryRun=All")).code).toBe(409);
  expect((await apply("two", "dry", { ttl: 2 }, "&dryRun=All&force=true")).body.spec.ttl).toBe(2);
  expect((await apply("three", "undone", { ttl: 2 }, "&dryRun=All")).code).toBe(201);
  expect((await server.ask("GET", `${GDPS}/dry`)).body.spec.ttl).toBe(1);
  expect((await server.ask("GET", `${GDPS}/undone`)).code).toBe(404);
});

test("status is applied through its subresource, under a record of its own", async () => {
  await server.ask("POST", CLUSTERS, amkoCluster("applied", { version: "1" }));
  const status = { conditions: [{ type: "x", status: "y" }] };
  const sent = { ...amkoCluster("applied", { version: "2" }), status };
  const options = { contentType: "application/apply-patch+yaml" };
  const { body } = await server.ask("PATCH", `${CLUSTERS}/applied/status?fieldManager=one`, sent, options);
  expect([body.spec.version, body.status]).toEqual(["1", status]);
  expect(body.metadata.managedFields.at(-1)).toMatchObject({ manager: "one", subresource: "status" });
});

test("an update takes ownership of what it changed, and only of that", async () => {
  await server.ask("POST", GDPS, gdp("updated", { ttl: 1, defaultDomain: "a.b" }), { manager: "creator" });
  const updated = await merge("kubectl-patch", "updated", { spec: { ttl: 2 } });
  expect(ownersOf(updated)).toEqual({
    creator: { ".": {}, "f:defaultDomain": {} },
    "kubectl-patch": { "f:ttl": {} },
  });
  const removed = await merge("remover", "updated", { spec: { defaultDomain: null } });
  expect(ownersOf(removed)).toEqual({ creator: {}, "kubectl-patch": { "f:ttl": {} } });
});

test("the manager is the parameter, else the first word of the user agent", async () => {
  const { body } = await server.ask("POST", `${GDPS}?fieldManager=parameter`, gdp("named"), { manager: "agent" });
  expect(body.metadata.managedFields[0].manager).toBe("parameter");
  const other = await server.ask("POST", GDPS, gdp("agented"), { manager: "agent" });
  expect(other.body.metadata.managedFields[0].manager).toBe("agent");
});

test("more managers than an object should have are folded into one", async () => {
  await server.ask("POST", GDPS, gdp("crowded", { ttl: 0 }));
  for (let index = 0; index < 15; index += 1) {
    await merge(`m${index}`, "crowded", { metadata: { annotations: { [`k${index}`]: "v" } } });
  }
  const { metadata } = (await server.ask("GET", `${GDPS}/crowded`)).body;
  expect(metadata.managedFields.length).toBeLessThanOrEqual(10);
  expect(metadata.managedFields[0].manager).toBe("ancient-changes");
});
