import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  DELETED_ANNOTATION,
  FEDERATED_KINDS,
  type FederatedKind,
  type Json,
  type Problem,
  type Snapshot,
  UUID_ANNOTATION,
} from "../../src/core/model.ts";
import {
  contentOf,
  equalContent,
  isObjectName,
  normalizeContent,
  readSnapshot,
  snapshotOf,
  snapshotPath,
  writeSnapshot,
} from "../../src/core/snapshot.ts";
import {
  file,
  globalDeploymentPolicy,
  gslbConfig,
  live,
  notAFile,
  schemas,
  snapshotFile,
  UUID,
} from "../support/builders.ts";

const GC = "federation/gslbconfig/gc-1.yaml";
const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";

function read(path: string, content: string) {
  return readSnapshot(file(path, content), schemas());
}

const SPEC = "spec:\n  ttl: 10\n  trafficSplit: [{cluster: cluster1, weight: 8}]\n";

/** A GDP as a person writes it, with one text replaced. */
function written(search = "", replacement = ""): string {
  return [
    "# The policy of all sites.",
    "kind: GlobalDeploymentPolicy",
    "apiVersion: amko.vmware.com/v1alpha2",
    "metadata:",
    "  namespace: avi-system",
    "  name: global-gdp",
    SPEC,
  ]
    .join("\n")
    .replace(search, replacement);
}

function problemsOf(result: ReturnType<typeof readSnapshot>): readonly Problem[] {
  return result.ok ? result.warnings : result.problems;
}

describe("a snapshot that a person wrote", () => {
  it("is read", () => {
    expect(read(GDP, written())).toEqual({
      ok: true,
      snapshot: globalDeploymentPolicy({ spec: { ttl: 10, trafficSplit: [{ cluster: "cluster1", weight: 8 }] } }),
      warnings: [],
    });
  });

  it.each<[string, string, number, string, string]>([
    ["holds another kind", "AG1009", 2, "kind: GlobalDeploymentPolicy", "kind: GSLBConfig"],
    ["holds a kind spelled otherwise", "AG1009", 2, "kind: GlobalDeploymentPolicy", "kind: globaldeploymentpolicy"],
    ["holds another version of the kind", "AG1009", 3, "v1alpha2", "v1alpha1"],
    ["is in another namespace", "AG1010", 5, "avi-system", "default"],
    ["is in no namespace", "AG1010", 4, "  namespace: avi-system\n", ""],
    ["has another name than its file", "AG1011", 6, "name: global-gdp", "name: other"],
    ["has no name", "AG1011", 4, "  name: global-gdp\n", ""],
    ["has a name that Kubernetes refuses", "AG1011", 6, "name: global-gdp", "name: ../Global"],
    ["breaks a limit of the schema", "AG1012", 8, "ttl: 10", "ttl: 86401"],
    ["has a field of a wrong type", "AG1012", 8, "ttl: 10", 'ttl: "10"'],
    ["has no spec", "AG1012", 2, SPEC, ""],
    [
      "has an annotation that is no text",
      "AG1012",
      5,
      "metadata:\n",
      "metadata:\n  annotations: {amko.vmware.com/a: 1}\n",
    ],
    ["is malformed", "AG1005", 8, "ttl: 10", "ttl: 'a' b"],
  ])("is refused when it %s (%s)", (_, code, line, search, replacement) => {
    const result = read(GDP, written(search, replacement));
    expect(result.ok).toBe(false);
    expect(problemsOf(result)).toMatchObject([{ code, severity: "error", path: GDP, line }]);
  });

  it.each([
    ["status", "AG1023", "spec:", "status: {errorStatus: x}\nspec:"],
    ["labels", "AG1023", "  name:", "  labels: {a: b}\n  name:"],
    ["what the server writes", "AG1023", "  name:", "  resourceVersion: '12'\n  name:"],
    ["other annotations", "AG1023", "  name:", "  annotations: {kubectl.kubernetes.io/x: z}\n  name:"],
    ["the agent's own annotations", "AG1023", "  name:", "  annotations: {amko-gitops.io/base: main@sha1}\n  name:"],
  ])("is read without %s, with a warning", (_, code, search, replacement) => {
    const result = read(GDP, written(search, replacement));
    expect(result).toMatchObject({ ok: true, snapshot: { annotations: {} } });
    expect(problemsOf(result)).toMatchObject([{ code, severity: "warning", path: GDP }]);
  });

  it("keeps a field that the schema does not know, with a warning", () => {
    const result = read(GDP, written("  ttl: 10", "  ttl: 10\n  newField: {a: [1]}"));
    expect(result).toMatchObject({ ok: true, snapshot: { spec: { ttl: 10, newField: { a: [1] } } } });
    expect(problemsOf(result)).toMatchObject([{ code: "AG1013", severity: "warning", line: 9 }]);
  });

  it("may hold nulls, as an API server accepts them", () => {
    expect(read(GDP, written("ttl: 10", "ttl:"))).toMatchObject({ ok: true, snapshot: { spec: { ttl: null } } });
  });

  it("is a tombstone when it is annotated so, whatever the text", () => {
    const annotated = (text: string) => written("  name:", `  annotations: {${DELETED_ANNOTATION}: ${text}}\n  name:`);
    expect(read(GDP, annotated('"CHG-1"'))).toMatchObject({
      ok: true,
      snapshot: { deleted: "CHG-1", annotations: {} },
    });
    expect(read(GDP, annotated('""'))).toMatchObject({ ok: true, snapshot: { deleted: "" } });
    expect(read(GDP, annotated("true"))).toMatchObject({ ok: false });
  });

  it.each([
    ["ends in .yml", "federation/globaldeploymentpolicy/global-gdp.yml", "AG1011"],
    ["stands in another kind's folder", "federation/gslbconfig/global-gdp.yaml", "AG1009"],
    ["stands in no kind's folder", "federation/gdp/global-gdp.yaml", "AG1009"],
  ])("is refused when its file %s", (_, path, code) => {
    expect(read(path, written())).toMatchObject({ ok: false, problems: [{ code, path }] });
  });

  it("is refused when it is no regular file", () => {
    expect(readSnapshot(notAFile(GDP, "symlink"), schemas())).toMatchObject({
      ok: false,
      problems: [{ code: "AG1001" }],
    });
  });

  it.each(["", "[]", "text", "null"])("is refused when it holds no object: %j", (text) => {
    expect(read(GC, text)).toMatchObject({ ok: false, problems: [{ code: "AG1009" }] });
  });
});

describe("a snapshot that is written", () => {
  it("holds apiVersion, kind, metadata and spec, and nothing else", () => {
    expect(
      new TextDecoder().decode(writeSnapshot(gslbConfig({ spec: { logLevel: "INFO" }, deleted: "by hand" }))),
    ).toBe(
      [
        "apiVersion: amko.vmware.com/v1alpha1",
        "kind: GSLBConfig",
        "metadata:",
        "  annotations:",
        "    amko-gitops.io/deleted: by hand",
        `    amko.vmware.com/amko-uuid: ${UUID}`,
        "  name: gc-1",
        "  namespace: avi-system",
        "spec:",
        "  logLevel: INFO",
        "",
      ].join("\n"),
    );
  });

  it.each([gslbConfig(), globalDeploymentPolicy(), globalDeploymentPolicy({ deleted: "cluster1" })])(
    "is read back as it was",
    (snapshot) => {
      expect(readSnapshot(snapshotFile(snapshot), schemas())).toEqual({ ok: true, snapshot, warnings: [] });
    },
  );

  test("always: any valid object gives bytes that give the object, and the same bytes again", () => {
    fc.assert(
      fc.property(snapshots(), (snapshot) => {
        const read = readSnapshot(snapshotFile(snapshot), schemas());
        if (!read.ok) throw new Error(read.problems[0]?.message);
        expect(read.snapshot).toEqual(snapshot);
        expect(writeSnapshot(read.snapshot)).toEqual(writeSnapshot(snapshot));
      }),
    );
  });
});

describe("a snapshot's path", () => {
  it("is made of kind and name", () => {
    expect(snapshotPath("GSLBConfig", "gc-1")).toBe(GC);
    expect(snapshotPath("GlobalDeploymentPolicy", "global-gdp")).toBe(GDP);
  });

  it.each(["", ".", "..", "a/b", "A", "a_b", "-a", "a-", "a..b", "a.", "a\n", "a".repeat(254)])(
    "is never made of %j, which is no object's name",
    (name) => {
      expect(isObjectName(name)).toBe(false);
      expect(() => snapshotPath("GSLBConfig", name)).toThrow(RangeError);
    },
  );
});

describe("the content of a live object", () => {
  const object = live("GSLBConfig", {
    name: "gc-1",
    labels: { app: "x" },
    annotations: { [UUID_ANNOTATION]: UUID, "amko-gitops.io/base": "x", "kubectl.kubernetes.io/last-applied": "{}" },
    spec: { logLevel: "INFO" },
  });

  it("is its spec and what AMKO annotated", () => {
    expect(contentOf(object)).toEqual({ annotations: { [UUID_ANNOTATION]: UUID }, spec: { logLevel: "INFO" } });
    expect(snapshotOf("GSLBConfig", object)).toEqual(gslbConfig({ spec: { logLevel: "INFO" } }));
  });

  it("is empty where there is nothing", () => {
    expect(contentOf({ apiVersion: "v1", kind: "GSLBConfig", metadata: { name: "a" } })).toEqual({
      annotations: {},
      spec: {},
    });
  });
});

describe("equal content", () => {
  const spec = { a: 1, list: [{ cluster: "a" }, { cluster: "b" }] };
  it.each<[string, Partial<Snapshot>, Partial<Snapshot>, boolean]>([
    ["keys in another order", { spec }, { spec: { list: spec.list, a: 1 } }, true],
    ["a list in another order", { spec }, { spec: { ...spec, list: spec.list.toReversed() } }, false],
    ["another UUID", { spec }, { spec, annotations: { [UUID_ANNOTATION]: "other" } }, false],
    ["a default that is written out", { spec: {} }, { spec: { ttl: null } }, false],
  ])("of %s: %s", (_, a, b, equal) => {
    expect(equalContent(gslbConfig(a), gslbConfig(b))).toBe(equal);
  });

  it("is normalized with the schema's defaults, keeping what the schema does not know", () => {
    const content = globalDeploymentPolicy({ spec: { ttl: null, trafficSplit: [{ cluster: "a" }], newField: 1 } });
    expect(normalizeContent(content, "GlobalDeploymentPolicy", schemas())).toEqual({
      annotations: {},
      spec: { trafficSplit: [{ cluster: "a", weight: 1, priority: 10 }], newField: 1 },
    });
  });
});

test("any bytes are a snapshot or a problem, never an exception", () => {
  const lines = written().split("\n");
  const mixed = fc.shuffledSubarray([
    ...lines,
    "  ttl: {}",
    "spec: []",
    "metadata: x",
    "__proto__: {a: 1}",
    "  annotations: [1]",
  ]);
  const contents = fc.oneof(
    mixed.map((some) => some.join("\n")),
    fc.string({ unit: "binary" }),
    fc.json(),
  );
  fc.assert(
    fc.property(fc.constantFrom(GC, GDP, "federation/x", "", "a/b/c/d"), contents, (path, content) => {
      const result = read(path, content);
      expect(result.ok || result.problems.length > 0).toBe(true);
    }),
    { numRuns: 1000 },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** Snapshots that the schema accepts, with fields that it does not know and every kind of text. */
function snapshots(): fc.Arbitrary<Snapshot> {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("---", "yes", "a\n---\nb", "\u0085", " x ", "😀", "\ufeff"),
  );
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
  const spec = {
    GSLBConfig: fc.record(
      { gslbLeader: fc.record({ controllerIP: text, tenant: text }), refreshInterval: fc.maxSafeInteger() },
      { requiredKeys: [] },
    ),
    GlobalDeploymentPolicy: fc.record(
      {
        matchRules: fc.record({ appSelector: fc.record({ label: fc.dictionary(text, text) }) }),
        healthMonitorRefs: fc.array(text),
        ttl: fc.integer({ min: 0, max: 86_400 }),
      },
      { requiredKeys: [] },
    ),
  } satisfies Record<FederatedKind, fc.Arbitrary<Json>>;
  return fc.constantFrom(...FEDERATED_KINDS).chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      name,
      annotations: fc.dictionary(
        text.map((key) => `amko.vmware.com/${key}`),
        text,
      ),
      spec: spec[kind].map((fields) => ({ ...fields })),
      deleted: fc.option(text),
    }),
  );
}
