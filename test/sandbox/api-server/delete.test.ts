import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ask, CONFIG_MAPS, configMap, freshServer, GDPS, gdp } from "./support.ts";

let server: Awaited<ReturnType<typeof freshServer>>;
beforeAll(async () => {
  server = await freshServer();
});
afterAll(() => server.stop({ abruptly: true }));

const MERGE = { contentType: "application/merge-patch+json" };
const ask: Ask = (...request) => server.ask(...request);

test("answers with what was deleted", async () => {
  const { body } = await ask("POST", GDPS, gdp("gone"));
  expect(await ask("DELETE", `${GDPS}/gone`)).toMatchObject({
    code: 200,
    body: {
      kind: "Status",
      status: "Success",
      details: { name: "gone", group: "amko.vmware.com", kind: "globaldeploymentpolicies", uid: body.metadata.uid },
    },
  });
  expect((await ask("DELETE", `${GDPS}/gone`)).code).toBe(404);
});

test("deletes exactly the object that was read", async () => {
  const { metadata } = (await ask("POST", GDPS, gdp("exact"))).body;
  const { uid, resourceVersion } = metadata;
  const remove = (preconditions: object) => ask("DELETE", `${GDPS}/exact`, { preconditions });
  expect(await remove({ uid: "another" })).toMatchObject({ code: 409, body: { reason: "Conflict" } });
  expect((await remove({ uid, resourceVersion: "1" })).code).toBe(409);
  expect((await remove({ uid, resourceVersion })).code).toBe(200);
});

test("with finalizers waits for the last of them", async () => {
  await ask("POST", GDPS, gdp("held", {}, { finalizers: ["example.com/a", "example.com/b"] }));
  const { body } = await ask("DELETE", `${GDPS}/held`);
  expect(body).toMatchObject({
    kind: "GlobalDeploymentPolicy",
    metadata: { deletionGracePeriodSeconds: 0, generation: 2 },
  });
  const { deletionTimestamp } = body.metadata;
  expect(deletionTimestamp).toMatch(/Z$/);
  expect((await ask("DELETE", `${GDPS}/held`)).body.metadata.deletionTimestamp).toBe(deletionTimestamp);
  await ask("PATCH", `${GDPS}/held`, { metadata: { finalizers: ["example.com/b"] } }, MERGE);
  expect((await ask("GET", `${GDPS}/held`)).code).toBe(200);
  await ask("PATCH", `${GDPS}/held`, { metadata: { finalizers: [] } }, MERGE);
  expect((await ask("GET", `${GDPS}/held`)).code).toBe(404);
});

test("a collection goes as far as its selector reaches", async () => {
  await ask("POST", CONFIG_MAPS, configMap("x1", {}, { labels: { batch: "x" } }));
  await ask("POST", CONFIG_MAPS, configMap("x2", {}, { labels: { batch: "x" } }));
  await ask("POST", CONFIG_MAPS, configMap("y"));
  expect((await ask("DELETE", `${CONFIG_MAPS}?labelSelector=batch=x&dryRun=All`)).body.items).toHaveLength(2);
  expect((await ask("DELETE", `${CONFIG_MAPS}?labelSelector=batch=x`)).body.items).toHaveLength(2);
  expect(
    (await ask("GET", CONFIG_MAPS)).body.items.map((item: ReturnType<typeof configMap>) => item.metadata.name),
  ).toEqual(["y"]);
});

test("a namespace is terminating until the last object in it is gone, and takes nothing new", async () => {
  const maps = "/api/v1/namespaces/leaving/configmaps";
  await ask("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "leaving" } });
  await ask("POST", maps, configMap("free"));
  await ask("POST", maps, configMap("held", {}, { finalizers: ["example.com/hold"] }));
  await ask("DELETE", "/api/v1/namespaces/leaving");
  const { body } = await ask("GET", "/api/v1/namespaces/leaving");
  expect(body).toMatchObject({ status: { phase: "Terminating" }, metadata: { deletionTimestamp: expect.any(String) } });
  expect((await ask("GET", `${maps}/free`)).code).toBe(404);
  expect(await ask("POST", maps, configMap("late"))).toMatchObject({
    code: 403,
    body: { reason: "Forbidden", details: { causes: [{ reason: "NamespaceTerminating" }] } },
  });
  await ask("PATCH", `${maps}/held`, { metadata: { finalizers: null } }, MERGE);
  expect((await ask("GET", "/api/v1/namespaces/leaving")).code).toBe(404);
});
