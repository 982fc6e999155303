import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amkoCluster, type asking, CLUSTERS, CONFIG_MAPS, configMap, freshServer, GDPS, gdp } from "./support.ts";

let server: Awaited<ReturnType<typeof freshServer>>;
beforeAll(async () => {
  server = await freshServer();
});
afterAll(() => server.stop({ abruptly: true }));

const ask: ReturnType<typeof asking> = (...request) => server.ask(...request);
const MERGE = { contentType: "application/merge-patch+json" };

describe("creating", () => {
  test("gives an object its identity, its defaults, and generation 1", async () => {
    const { code, body } = await ask("POST", GDPS, gdp("fresh", { trafficSplit: [{ cluster: "c1" }] }));
    expect(code).toBe(201);
    expect(body.spec.trafficSplit).toEqual([{ cluster: "c1", weight: 1, priority: 10 }]);
    expect(body.metadata).toMatchObject({
      name: "fresh",
      namespace: "avi-system",
      generation: 1,
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      resourceVersion: expect.stringMatching(/^\d+$/),
      creationTimestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await ask("GET", `${GDPS}/fresh`)).body).toEqual(body);
  });

  test("completes generateName", async () => {
    const { body } = await ask("POST", GDPS, gdp("", {}, { generateName: "made-" }));
    expect(body.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
  });

  test("needs to be told kind and apiVersion of custom resources only", async () => {
    const { body } = await ask("POST", CONFIG_MAPS, { metadata: { name: "unsaid" } });
    expect(body).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
    expect((await ask("POST", GDPS, { metadata: { name: "unsaid" }, spec: {} })).code).toBe(400);
  });

  test("does not take a status where it is a subresource", async () => {
    const { body } = await ask("POST", CLUSTERS, { ...amkoCluster("no-status"), status: { conditions: [] } });
    expect(body.status).toBeUndefined();
  });

  test.each([
    { what: "twice", path: GDPS, body: gdp("twice"), code: 409, reason: "AlreadyExists" },
    {
      what: "into no namespace",
      path: GDPS.replace("avi-system", "nowhere"),
      body: gdp("x"),
      code: 404,
      reason: "NotFound",
    },
    {
      what: "into another namespace than it names",
      path: GDPS,
      body: gdp("x", {}, { namespace: "default" }),
      code: 400,
      reason: "BadRequest",
    },
    { what: "under an impossible name", path: GDPS, body: gdp("Not_A_Name"), code: 422, reason: "Invalid" },
    { what: "without a name", path: GDPS, body: gdp(""), code: 422, reason: "Invalid" },
    { what: "of another kind", path: GDPS, body: amkoCluster("x"), code: 400, reason: "BadRequest" },
    {
      what: "with a resourceVersion",
      path: GDPS,
      body: gdp("x", {}, { resourceVersion: "1" }),
      code: 400,
      reason: "BadRequest",
    },
    {
      what: "with labels that are no text",
      path: GDPS,
      body: gdp("x", {}, { labels: { a: 1 } }),
      code: 400,
      reason: "BadRequest",
    },
    { what: "that is no JSON", path: GDPS, body: "{", code: 400, reason: "BadRequest" },
    {
      what: "that is too large",
      path: CONFIG_MAPS,
      body: configMap("x", { a: "x".repeat(16 * 1024 * 1024) }),
      code: 413,
      reason: "RequestEntityTooLarge",
    },
    { what: "where its type is not served", path: "/apis/x/v1/ys", body: {}, code: 404, reason: "NotFound" },
  ])("refuses an object $what", async ({ what, path, body, code, reason }) => {
    if (what === "twice") await ask("POST", path, body);
    const answer = await ask("POST", path, body);
    expect(answer).toMatchObject({ code, body: { kind: "Status", status: "Failure", code, reason } });
  });

  test("names every field that its schema refuses", async () => {
    const { code, body } = await ask("POST", GDPS, gdp("bad", { ttl: -1, downResponse: {}, controlPlaneHmOnly: "no" }));
    expect(code).toBe(422);
    expect(body.details).toMatchObject({ name: "bad", group: "amko.vmware.com", kind: "GlobalDeploymentPolicy" });
    const causes = body.details.causes.map(({ field, reason }: { field: string; reason: string }) => [field, reason]);
    expect(causes.toSorted()).toEqual([
      ["spec.controlPlaneHmOnly", "FieldValueTypeInvalid"],
      ["spec.downResponse.type", "FieldValueRequired"],
      ["spec.ttl", "FieldValueInvalid"],
    ]);
  });

  test.each([
    { fieldValidation: "Strict", code: 400, warning: null },
    { fieldValidation: "Warn", code: 201, warning: '299 - "unknown field \\"spec.tll\\""' },
    { fieldValidation: "Ignore", code: 201, warning: null },
  ])("with fieldValidation=$fieldValidation answers $code to an unknown field", async (expected) => {
    const { fieldValidation, code, warning } = expected;
    const name = `unknown-${fieldValidation.toLowerCase()}`;
    const answer = await ask("POST", `${GDPS}?fieldValidation=${fieldValidation}`, gdp(name, { tll: 1, ttl: 2 }));
    expect(answer.code).toBe(code);
    expect(answer.headers.get("warning")).toBe(warning);
    if (code === 201) expect(answer.body.spec).toEqual({ ttl: 2 });
  });
});

describe("updating", () => {
  test("takes the current resourceVersion only", async () => {
    const { body } = await ask("POST", GDPS, gdp("raced"));
    expect((await ask("PUT", `${GDPS}/raced`, { ...body, spec: { ttl: 11 } })).code).toBe(200);
    expect(await ask("PUT", `${GDPS}/raced`, { ...body, spec: { ttl: 12 } })).toMatchObject({
      code: 409,
      body: { reason: "Conflict", details: { name: "raced", kind: "globaldeploymentpolicies" } },
    });
    expect((await ask("PUT", `${GDPS}/raced`, gdp("raced"))).body.details.causes[0].field).toBe(
      "metadata.resourceVersion",
    );
    expect((await ask("GET", `${GDPS}/raced`)).body.spec).toEqual({ ttl: 11 });
  });

  test("needs no resourceVersion for built-in objects", async () => {
    await ask("POST", CONFIG_MAPS, configMap("free"));
    expect((await ask("PUT", `${CONFIG_MAPS}/free`, configMap("free", { a: "b" }))).body.data).toEqual({ a: "b" });
  });

  test("never changes who the object is", async () => {
    const { body } = await ask("POST", GDPS, gdp("same"));
    const metadata = { ...body.metadata, creationTimestamp: "2001-01-01T00:00:00Z", generation: 99 };
    const updated = (await ask("PUT", `${GDPS}/same`, { ...body, metadata, spec: { ttl: 1 } })).body;
    expect(updated.metadata).toMatchObject({ creationTimestamp: body.metadata.creationTimestamp, generation: 2 });
    const stranger = { ...updated, metadata: { ...updated.metadata, uid: "another" } };
    expect((await ask("PUT", `${GDPS}/same`, stranger)).code).toBe(409);
  });

  test("that changes nothing writes nothing", async () => {
    const { body } = await ask("POST", GDPS, gdp("idle"));
    expect((await ask("PUT", `${GDPS}/idle`, body)).body).toEqual(body);
  });

  test("counts generations of the spec, and of all but metadata where status is no subresource", async () => {
    const generation = async (path: string) => (await ask("GET", path)).body.metadata.generation;
    await ask("POST", CLUSTERS, amkoCluster("counted"));
    const cluster = `${CLUSTERS}/counted`;
    await ask("PATCH", cluster, { metadata: { labels: { a: "b" } } }, MERGE);
    await ask("PATCH", `${cluster}/status`, { status: { conditions: [{ type: "x" }] } }, MERGE);
    expect(await generation(cluster)).toBe(1);
    await ask("PATCH", cluster, { spec: { isLeader: true } }, MERGE);
    expect(await generation(cluster)).toBe(2);

    await ask("POST", GDPS, gdp("counted"));
    await ask("PATCH", `${GDPS}/counted`, { metadata: { labels: { a: "b" } } }, MERGE);
    expect(await generation(`${GDPS}/counted`)).toBe(1);
    await ask("PATCH", `${GDPS}/counted`, { status: { errorStatus: "success" } }, MERGE);
    expect(await generation(`${GDPS}/counted`)).toBe(2);
  });

  test("keeps status and the rest apart where status is a subresource", async () => {
    await ask("POST", CLUSTERS, amkoCluster("apart", { version: "1" }));
    const both = { spec: { version: "2" }, status: { conditions: [{ type: "x" }] } };
    const main = (await ask("PATCH", `${CLUSTERS}/apart`, both, MERGE)).body;
    expect([main.spec.version, main.status]).toEqual(["2", undefined]);
    const again = { spec: { version: "3" }, status: { conditions: [{ type: "y" }] } };
    const status = (await ask("PATCH", `${CLUSTERS}/apart/status`, again, MERGE)).body;
    expect([status.spec.version, status.status.conditions]).toEqual(["2", [{ type: "y" }]]);
    expect((await ask("PATCH", `${GDPS}/apart/status`, again, MERGE)).code).toBe(404);
  });
});

test("a deletion whose body has options is a dry run only if they say so, whatever the query says", async () => {
  const { uid } = (await ask("POST", GDPS, gdp("doomed"))).body.metadata;
  expect((await ask("DELETE", `${GDPS}/doomed?dryRun=All`, { preconditions: { uid } })).code).toBe(200);
  expect((await ask("GET", `${GDPS}/doomed`)).code).toBe(404);
});

test("every write has a dry run that answers the same and leaves no trace", async () => {
  const revision = async () => (await ask("GET", GDPS)).body.metadata.resourceVersion;
  await ask("POST", GDPS, gdp("dry"));
  const before = await revision();
  const created = await ask("POST", `${GDPS}?dryRun=All`, gdp("drier", { trafficSplit: [{}] }));
  expect(created).toMatchObject({ code: 201, body: { spec: { trafficSplit: [{ weight: 1, priority: 10 }] } } });
  expect((await ask("PATCH", `${GDPS}/dry?dryRun=All`, { spec: { ttl: 5 } }, MERGE)).body.spec.ttl).toBe(5);
  expect((await ask("DELETE", `${GDPS}/dry?dryRun=All`)).body.status).toBe("Success");
  expect((await ask("DELETE", `${GDPS}/dry`, { dryRun: ["All"] })).body.status).toBe("Success");
  expect((await ask("POST", `${GDPS}?dryRun=All`, gdp("dry"))).code).toBe(409);
  expect((await ask("PATCH", `${GDPS}/dry?dryRun=All`, { spec: { ttl: -5 } }, MERGE)).code).toBe(422);
  expect((await ask("GET", `${GDPS}/dry`)).body.spec.ttl).toBe(10);
  expect(await revision()).toBe(before);
});

test("events are the same whichever group they are written and read through", async () => {
  const core = "/api/v1/namespaces/avi-system/events";
  const modern = "/apis/events.k8s.io/v1/namespaces/avi-system/events";
  const event = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "e1" },
    eventTime: "2026-01-01T00:00:00.000000Z",
    regarding: { kind: "AMKOCluster", name: "a" },
    note: "hello",
    reason: "Said",
    type: "Normal",
  };
  expect((await ask("POST", modern, event)).body).toMatchObject({ note: "hello", apiVersion: "events.k8s.io/v1" });
  const [read] = (await ask("GET", `${core}?fieldSelector=involvedObject.name=a`)).body.items;
  expect(read).toMatchObject({ apiVersion: "v1", message: "hello", involvedObject: { name: "a" } });
  expect((await ask("GET", `${modern}?fieldSelector=regarding.name=a`)).body.items[0].note).toBe("hello");
});

test("keys that every object inherits are data", async () => {
  const data = JSON.parse('{"__proto__":"a","constructor":"b"}');
  const { body } = await ask("POST", CONFIG_MAPS, JSON.stringify(configMap("proto", data)));
  expect(JSON.stringify(body.data)).toBe('{"__proto__":"a","constructor":"b"}');
});

test("a server with a token answers nobody without it", async () => {
  const guarded = await freshServer({ token: "secret" });
  expect(await guarded.ask("GET", GDPS)).toMatchObject({ code: 401, body: { reason: "Unauthorized" } });
  expect((await guarded.ask("GET", GDPS, undefined, { token: "secreT" })).code).toBe(401);
  expect((await guarded.ask("GET", GDPS, undefined, { token: "secret" })).code).toBe(200);
  await guarded.stop({ abruptly: false });
});

test("requests are counted by verb, resource and whether they were meant", async () => {
  const counted = await freshServer();
  await counted.ask("GET", GDPS);
  await counted.ask("GET", GDPS);
  await counted.ask("POST", `${GDPS}?dryRun=All`, gdp("x"));
  await counted.ask("PATCH", `${CLUSTERS}/x/status`, {}, MERGE);
  expect(counted.requests()).toEqual([
    { verb: "list", resource: "globaldeploymentpolicies", dryRun: false, count: 2 },
    { verb: "create", resource: "globaldeploymentpolicies", dryRun: true, count: 1 },
    { verb: "patch", resource: "amkoclusters/status", dryRun: false, count: 1 },
  ]);
  await counted.stop({ abruptly: false });
});
