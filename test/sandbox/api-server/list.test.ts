import { afterAll, beforeAll, expect, test } from "vitest";
import { type AskOptions, CONFIG_MAPS, configMap, DEFINITION_PATH, freshServer, GDPS, gdp } from "./support.ts";

let server: Awaited<ReturnType<typeof freshServer>>;
beforeAll(async () => {
  server = await freshServer();
  for (const [name, labels] of [
    ["a", { tier: "gold", site: "one" }],
    ["b", { tier: "silver" }],
    ["c", { tier: "gold" }],
    ["d", {}],
  ] as const) {
    await server.ask("POST", GDPS, gdp(name, { ttl: 1 }, { labels }));
  }
});
afterAll(() => server.stop({ abruptly: true }));

async function names(query: string): Promise<readonly string[]> {
  const { code, body } = await server.ask("GET", `${GDPS}?${query}`);
  expect(code).toBe(200);
  return body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
}

test.each([
  { query: "", expected: ["a", "b", "c", "d"] },
  { query: "labelSelector=tier=gold", expected: ["a", "c"] },
  { query: "labelSelector=tier==gold,site", expected: ["a"] },
  { query: "labelSelector=tier!=gold", expected: ["b", "d"] },
  { query: "labelSelector=tier", expected: ["a", "b", "c"] },
  { query: "labelSelector=!tier", expected: ["d"] },
  { query: "labelSelector=tier in (gold,silver),!site", expected: ["b", "c"] },
  { query: "labelSelector=tier notin (gold)", expected: ["b", "d"] },
  { query: "labelSelector=constructor", expected: [] },
  { query: "fieldSelector=metadata.name=c", expected: ["c"] },
  { query: "fieldSelector=metadata.name!=c,metadata.namespace=avi-system", expected: ["a", "b", "d"] },
])("lists with $query", async ({ query, expected }) => {
  expect(await names(query)).toEqual(expected);
});

test.each([
  { query: "labelSelector=a b c" },
  { query: "fieldSelector=spec.ttl=1" },
  { query: "limit=-1" },
  { query: "continue=nonsense" },
])("refuses $query", async ({ query }) => {
  expect((await server.ask("GET", `${GDPS}?${query}`)).code).toBe(400);
});

test("pages show one instant, whatever happens between them", async () => {
  const first = (await server.ask("GET", `${GDPS}?limit=3`)).body;
  expect(first.items).toHaveLength(3);
  expect(first.metadata.remainingItemCount).toBe(1);
  await server.ask("POST", GDPS, gdp("cc"));
  await server.ask("DELETE", `${GDPS}/d`);
  const rest = (await server.ask("GET", `${GDPS}?limit=3&continue=${first.metadata.continue}`)).body;
  expect(rest.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["d"]);
  expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  expect(rest.metadata.continue).toBeUndefined();
  server.compact();
  await server.ask("DELETE", `${GDPS}/cc`);
  await server.ask("POST", GDPS, gdp("d"));
  const late = await server.ask("GET", `${GDPS}?limit=3&continue=${first.metadata.continue}`);
  expect(late).toMatchObject({ code: 410, body: { reason: "Expired" } });
});

test("lists as it was at an exact revision, and waits for none that is yet to come", async () => {
  const then = (await server.ask("GET", GDPS)).body.metadata.resourceVersion;
  await server.ask("POST", GDPS, gdp("e"));
  expect(await names(`resourceVersion=${then}&resourceVersionMatch=Exact`)).not.toContain("e");
  expect(await names(`resourceVersion=${then}`)).toContain("e");
  await server.ask("DELETE", `${GDPS}/e`);
  expect((await server.ask("GET", `${GDPS}?resourceVersion=999999`)).code).toBe(504);
});

const TABLE: AskOptions = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };

test("tables have a column for each thing that people look at", async () => {
  await server.ask("POST", CONFIG_MAPS, configMap("tabled", { a: "1", b: "2" }));
  const { body } = await server.ask("GET", `${CONFIG_MAPS}/tabled`, undefined, TABLE);
  expect(body).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
  expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(["Name", "Data", "Age"]);
  expect(body.rows[0].cells).toEqual(["tabled", "2", expect.stringMatching(/^\d+s$/)]);
  expect(body.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "tabled" } });
  const whole = await server.ask("GET", `${CONFIG_MAPS}?includeObject=Object`, undefined, TABLE);
  expect(whole.body.rows[0].object.data).toEqual({ a: "1", b: "2" });
});

test("metadata alone on demand", async () => {
  const accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
  const { body } = await server.ask("GET", `${GDPS}?limit=1`, undefined, { accept });
  expect(body.kind).toBe("PartialObjectMetadataList");
  expect(Object.keys(body.items[0])).toEqual(["kind", "apiVersion", "metadata"]);
});

test("columns that a CRD asks for", async () => {
  const column = (name: string, jsonPath: string, type = "string") => ({ name, jsonPath, type });
  const additionalPrinterColumns = [
    column("Colour", ".spec.colour"),
    column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
    column("All", ".spec.list[*]"),
    column("Second", ".spec.list[1]"),
    column("Dotted", ".metadata.annotations.example\\.com/x"),
    column("Nothing", ".spec.missing"),
    column("Age", ".metadata.creationTimestamp", "date"),
  ];
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await server.ask("POST", DEFINITION_PATH, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.example.com" },
    spec: {
      group: "example.com",
      scope: "Cluster",
      names: { kind: "Thing", plural: "things" },
      versions: [{ name: "v1", served: true, storage: true, schema, additionalPrinterColumns }],
    },
  });
  await server.ask("POST", "/apis/example.com/v1/things", {
    apiVersion: "example.com/v1",
    kind: "Thing",
    metadata: { name: "t", annotations: { "example.com/x": "y" } },
    spec: { colour: "red", list: ["p", "q"] },
    status: {
      conditions: [
        { type: "Other", status: "No" },
        { type: "Ready", status: "Yes" },
      ],
    },
  });
  const { body } = await server.ask("GET", "/apis/example.com/v1/things", undefined, TABLE);
  expect(body.rows[0].cells).toEqual(["t", "red", "Yes", "p,q", "q", "y", "", expect.stringMatching(/^\d+s$/)]);
});
