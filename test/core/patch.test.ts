import fc from "fast-check";
import jsonPatch, { type Operation } from "fast-json-patch";
import { describe, expect, it, test } from "vitest";
import type { JsonObject, LiveObject, Snapshot } from "../../src/core/model.ts";
import {
  annotationPatch,
  escapePointer,
  objectOf,
  type PatchOperation,
  snapshotPatch,
  specPatch,
} from "../../src/core/patch.ts";
import { contentOf } from "../../src/core/snapshot.ts";
import { globalDeploymentPolicy, gslbConfig, live, liveOf, UUID } from "../support/builders.ts";

const BASE = `main@sha1:${"a".repeat(40)}`;
const BASE_NAME = "amko-gitops.io/base";
const UUID_NAME = "amko.vmware.com/amko-uuid";

/** As an API server would, with the library that the sandbox's server uses. */
function apply(object: LiveObject, patch: readonly PatchOperation[]): LiveObject {
  return jsonPatch.applyPatch(structuredClone(object), patch as Operation[], true).newDocument;
}

const annotationsOf = (object: LiveObject): Readonly<Record<string, string>> => object.metadata.annotations ?? {};

describe("a snapshot", () => {
  it("makes a live object equal, and leaves to others what is theirs", () => {
    const snapshot = globalDeploymentPolicy({ annotations: { "amko.vmware.com/a": "new" } });
    const object = live("GlobalDeploymentPolicy", {
      name: "global-gdp",
      labels: { team: "glb" },
      annotations: {
        "amko.vmware.com/a": "old",
        "amko.vmware.com/b": "gone",
        "amko-gitops.io/export-id": "e1",
        "amko-gitops.io/supersedes": "x",
        "example.com/note": "kept",
      },
      spec: { ...snapshot.spec, added: { by: "hand" } },
    });
    const patched = apply(object, snapshotPatch(object, snapshot, BASE));
    expect(patched.spec).toEqual(snapshot.spec);
    expect(annotationsOf(patched)).toEqual({
      "amko.vmware.com/a": "new",
      "example.com/note": "kept",
      [BASE_NAME]: BASE,
    });
    expect(patched.metadata.labels).toEqual({ team: "glb" });
  });

  it("never takes the UUID off, and gives it where it is missing", () => {
    const bare = gslbConfig({ annotations: {} });
    const kept = apply(liveOf(gslbConfig()), snapshotPatch(liveOf(gslbConfig()), bare, BASE));
    expect(annotationsOf(kept)[UUID_NAME]).toBe(UUID);
    const given = apply(liveOf(bare), snapshotPatch(liveOf(bare), gslbConfig(), BASE));
    expect(annotationsOf(given)[UUID_NAME]).toBe(UUID);
  });

  it("says beside a merge which commits it overrides", () => {
    const object = liveOf(gslbConfig());
    const patched = apply(object, snapshotPatch(object, gslbConfig(), BASE, "c1,c2"));
    expect(annotationsOf(patched)["amko-gitops.io/supersedes"]).toBe("c1,c2");
  });

  it("changes nothing where everything is so already", () => {
    const object = liveOf(gslbConfig());
    const settled = apply(object, snapshotPatch(object, gslbConfig(), BASE));
    expect(snapshotPatch(settled, gslbConfig(), BASE)).toEqual([]);
  });

  it("applies to an object without annotations and without spec", () => {
    const { metadata, ...rest } = liveOf(gslbConfig());
    const { annotations: _, ...bare } = metadata;
    const { spec: __, ...object } = { ...rest, metadata: bare };
    const patched = apply(object, snapshotPatch(object, gslbConfig(), BASE));
    expect(contentOf(patched)).toEqual(contentOf(liveOf(gslbConfig())));
  });

  it("creates an object that carries its base, and no status", () => {
    expect(objectOf(gslbConfig(), BASE)).toEqual({
      apiVersion: "amko.vmware.com/v1alpha1",
      kind: "GSLBConfig",
      metadata: { name: "gc-1", namespace: "avi-system", annotations: { [UUID_NAME]: UUID, [BASE_NAME]: BASE } },
      spec: gslbConfig().spec,
    });
  });

  test("makes any live object equal, and keeps every label and annotation of others", () =>
    fc.assert(
      fc.property(liveObjects(), snapshots(), (object, snapshot) => {
        const patched = apply(object, snapshotPatch(object, snapshot, BASE));
        const uuid = annotationsOf(object)[UUID_NAME];
        const sticky = uuid === undefined ? {} : { [UUID_NAME]: uuid };
        expect(contentOf(patched)).toEqual({
          annotations: { ...sticky, ...snapshot.annotations },
          spec: snapshot.spec,
        });
        const foreign = ([name]: readonly [string, unknown]): boolean =>
          !/^amko(\.vmware\.com|-gitops\.io)\//.test(name);
        expect(Object.entries(annotationsOf(patched)).filter(foreign)).toEqual(
          Object.entries(annotationsOf(object)).filter(foreign),
        );
        expect(annotationsOf(patched)[BASE_NAME]).toBe(BASE);
        expect({ ...patched.metadata, annotations: null }).toEqual({ ...object.metadata, annotations: null });
        expect(snapshotPatch(patched, snapshot, BASE)).toEqual([]);
      }),
    ));
});

describe("annotations", () => {
  it("are set and taken off only where that changes something", () => {
    const object = live("AMKOCluster", { name: "a", annotations: { same: "1", old: "1", off: "1" } });
    expect(annotationPatch(object, { same: "1", old: "2", off: null, gone: null, "new/~name": "3" })).toEqual([
      { op: "add", path: "/metadata/annotations/old", value: "2" },
      { op: "remove", path: "/metadata/annotations/off" },
      { op: "add", path: "/metadata/annotations/new~1~0name", value: "3" },
    ]);
  });
});

describe("fields of a spec", () => {
  it("are set only where they differ", () => {
    const object = live("AMKOCluster", { name: "a", spec: { isLeader: true, clusters: ["a"] } });
    expect(specPatch(object, { isLeader: true, clusters: ["a", "b"], version: "1" })).toEqual([
      { op: "add", path: "/spec/clusters", value: ["a", "b"] },
      { op: "add", path: "/spec/version", value: "1" },
    ]);
    expect(specPatch(object, { isLeader: true })).toEqual([]);
  });

  it("are set on an object without a spec", () => {
    const { spec: _, ...object } = live("AMKOCluster", { name: "a" });
    expect(apply(object, specPatch(object, { isLeader: false })).spec).toEqual({ isLeader: false });
  });
});

describe("a step of a JSON pointer", () => {
  it.each([
    ["plain", "plain"],
    ["amko.vmware.com/amko-uuid", "amko.vmware.com~1amko-uuid"],
    ["~1", "~01"],
    ["~/", "~0~1"],
    ["", ""],
  ])("%j is written %j", (step, text) => {
    expect(escapePointer(step)).toBe(text);
  });
});

function annotationNames(): fc.Arbitrary<string> {
  const known = [UUID_NAME, "amko.vmware.com/a~b", BASE_NAME, "amko-gitops.io/export-id", "example.com/x", "a~1b", "~"];
  return fc.oneof(fc.constantFrom(...known), fc.stringMatching(/^[a-z]{1,3}(\/[a-z~]{1,3})?$/));
}

function specs(): fc.Arbitrary<JsonObject> {
  const value = fc.jsonValue({ maxDepth: 2 });
  return fc.dictionary(fc.stringMatching(/^[a-z/~]{1,3}$/), value) as fc.Arbitrary<JsonObject>;
}

function liveObjects(): fc.Arbitrary<LiveObject> {
  return fc
    .record({
      annotations: fc.dictionary(annotationNames(), fc.string()),
      labels: fc.dictionary(annotationNames(), fc.string()),
      spec: specs(),
    })
    .map((fields) => live("GSLBConfig", { name: "gc-1", ...fields }));
}

function snapshots(): fc.Arbitrary<Snapshot> {
  const names = fc.constantFrom(UUID_NAME, "amko.vmware.com/a~b", "amko.vmware.com/c");
  return fc
    .record({ annotations: fc.dictionary(names, fc.string()), spec: specs() })
    .map((fields) => gslbConfig(fields));
}
