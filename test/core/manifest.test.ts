import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { readManifest } from "../../src/core/manifest.ts";
import type { RevisionFile } from "../../src/core/model.ts";
import { CLUSTERS, cluster, file, manifest, notAFile, schemas } from "../support/builders.ts";

const PATH = "clusters/cluster1/amkocluster.yaml";
const TEXT = `# Site 1
apiVersion: amko.vmware.com/v1alpha1
kind: AMKOCluster
metadata:
  name: amkocluster-federation
  namespace: avi-system
spec:
  clusterContext: cluster1
  isLeader: true
  version: 1.4.2
  clusters: [cluster1, cluster2, cluster3]
`;

function read(revisionFile: RevisionFile) {
  return readManifest(revisionFile, schemas());
}

/** The manifest above with one text replaced, at a path. */
function written(search = "", replacement = "", path = PATH) {
  return read(file(path, TEXT.replace(search, replacement)));
}

describe("a manifest", () => {
  it("is read with the lines that verdicts point to", () => {
    expect(written()).toEqual({
      kind: "manifest",
      manifest: {
        cluster: "cluster1",
        path: PATH,
        isLeader: true,
        version: "1.4.2",
        clusters: CLUSTERS,
        annotations: {},
        problem: null,
      },
      problems: [],
      lines: { isLeader: 9, version: 10, clusters: 11 },
      federationSet: '["cluster1","cluster2","cluster3"]',
    });
  });

  it.each([
    ["another file name", "clusters/cluster1/anything.yml"],
    ["a hidden file", "clusters/cluster1/.yaml"],
  ])("may have %s", (_, path) => {
    expect(written("", "", path)).toMatchObject({ kind: "manifest", manifest: { path, problem: null } });
  });

  it("belongs to the cluster that its folder names", () => {
    const name = "arn:aws:eks:eu-west-1:1:cluster/a";
    expect(read(manifest(name))).toMatchObject({ kind: "manifest", manifest: { cluster: name, problem: null } });
  });

  it.each([
    ["true", true],
    ["yes", true],
    ["on", true],
    ["false", false],
    ["null", false],
    ["", false],
  ])("with isLeader: %s claims as Kubernetes reads it: %s", (text, isLeader) => {
    expect(written("isLeader: true", `isLeader: ${text}`)).toMatchObject({ manifest: { isLeader, problem: null } });
  });

  it("claims nothing where isLeader is left out", () => {
    expect(read(manifest("cluster1", { isLeader: undefined }))).toMatchObject({ manifest: { isLeader: false } });
  });

  it("keeps its annotations, which carry people's consent", () => {
    const annotated = written("  name:", "  annotations: {amko-gitops.io/handover-without: cluster2}\n  name:");
    expect(annotated).toMatchObject({ manifest: { annotations: { "amko-gitops.io/handover-without": "cluster2" } } });
  });
});

describe("an invalid manifest still claims", () => {
  it.each<[string, string, number, string, string, string]>([
    ["a namespace that is not AMKO's", "AG1010", 6, "metadata.namespace", "avi-system", "default"],
    ["no namespace", "AG1010", 4, "metadata.namespace", "  namespace: avi-system\n", ""],
    ["an empty context", "AG1019", 8, "spec.clusterContext", "clusterContext: cluster1", 'clusterContext: ""'],
    ["no context", "AG1019", 7, "spec.clusterContext", "  clusterContext: cluster1\n", ""],
    ["another context than its folder's", "AG1019", 8, "spec.clusterContext", "Context: cluster1", "Context: cluster2"],
    ["an empty version", "AG1019", 10, "spec.version", "1.4.2", '" "'],
    ["no version", "AG1019", 7, "spec.version", "  version: 1.4.2\n", ""],
    ["a version that YAML reads as a number", "AG1019", 10, "spec.version", "1.4.2", "1.4"],
    ["a list that is none", "AG1019", 11, "spec.clusters", "[cluster1, cluster2, cluster3]", "cluster2"],
    ["a list with a number", "AG1019", 11, "spec.clusters[2]", "cluster3", "3"],
    [
      "an annotation that is no text",
      "AG1019",
      5,
      'metadata.annotations["a.b/c"]',
      "  name:",
      "  annotations: {a.b/c: 1}\n  name:",
    ],
  ])("with %s (%s)", (_, code, line, beginning, search, replacement) => {
    const result = written(search, replacement);
    expect(result).toMatchObject({
      kind: "manifest",
      manifest: { isLeader: true, problem: { code, line, path: PATH } },
    });
    expect(result).toMatchObject({ problems: [{ code, severity: "error" }] });
    expect(result.kind === "manifest" && result.manifest.problem?.message.startsWith(beginning)).toBe(true);
  });

  it("with no spec at all claims nothing and is invalid", () => {
    expect(written(TEXT.slice(TEXT.indexOf("spec:")), "")).toMatchObject({
      manifest: { isLeader: false, version: "", clusters: [], problem: { code: "AG1019" } },
    });
  });

  it("is not made by an entry that can be no cluster's name, which only costs that entry", () => {
    expect(written("cluster3", '""')).toMatchObject({
      manifest: { problem: null, clusters: ["cluster1", "cluster2", ""] },
      problems: [{ code: "AG1019", severity: "error", line: 11 }],
    });
  });

  it("is not made by a field that the schema does not know", () => {
    expect(written("  isLeader", "  newField: 1\n  isLeader")).toMatchObject({
      manifest: { problem: null },
      problems: [{ code: "AG1013", severity: "warning", line: 9 }],
    });
  });
});

describe("a file that may be a claim and cannot be read", () => {
  it.each<[string, string, number | null, string, string, string]>([
    ["isLeader is a text", "AG1020", 9, PATH, "isLeader: true", 'isLeader: "true"'],
    ["isLeader is a number", "AG1020", 9, PATH, "isLeader: true", "isLeader: 1"],
    ["isLeader is a list", "AG1020", 9, PATH, "isLeader: true", "isLeader: [true]"],
    ["the kind is spelled otherwise", "AG1020", 3, "clusters/cluster1/a.yaml", "AMKOCluster", "AmkoCluster"],
    ["the version of the kind is unknown", "AG1020", 2, "clusters/cluster1/a.yaml", "v1alpha1", "v1beta1"],
    ["the group is another", "AG1020", 2, "clusters/cluster1/a.yaml", "amko.vmware.com", "ako.vmware.com"],
    ["the manifest's own file holds another kind", "AG1020", 3, PATH, "AMKOCluster", "ConfigMap"],
    ["the manifest's own file is empty", "AG1020", null, "clusters/cluster1/amkocluster.yml", TEXT, ""],
    ["the folder is spelled otherwise", "AG1016", null, "clusters/cluster%31/a.yaml", "", ""],
    ["the folder can be no name", "AG1016", null, "clusters/%00/a.yaml", "", ""],
    [
      "it is malformed, whatever its name",
      "AG1005",
      9,
      "clusters/cluster1/a.yaml",
      "isLeader: true",
      "isLeader: 'a' b",
    ],
    ["a key stands twice", "AG1007", 10, PATH, "isLeader: true", "isLeader: false\n  isLeader: true"],
    ["it uses an anchor", "AG1008", 9, PATH, "isLeader: true", "isLeader: &a true"],
    ["it holds two objects", "AG1006", 1, "clusters/cluster1/a.yaml", "# Site 1\n", "a: 1\n---\n"],
  ])("because %s is unreadable (%s)", (_, code, line, path, search, replacement) => {
    const result = written(search, replacement, path);
    expect(result).toMatchObject({ kind: "unreadable", problem: { code, severity: "error", path } });
    if (code !== "AG1006") expect(result).toMatchObject({ problem: { line } });
  });

  it("tells how the folder should be spelled", () => {
    const result = written("", "", "clusters/kubernetes-admin@prod/a.yaml");
    expect(result).toMatchObject({ problem: { message: expect.stringContaining("clusters/kubernetes-admin%40prod") } });
  });

  it.each([
    ["a symlink in the place of a manifest", notAFile(PATH, "symlink"), "AG1001"],
    ["a submodule in the place of a manifest", notAFile(PATH, "submodule"), "AG1001"],
    ["a symlink in the place of a cluster's folder", notAFile("clusters/cluster1", "symlink"), "AG1001"],
    ["a submodule in the place of a cluster's folder", notAFile("clusters/cluster1", "submodule"), "AG1001"],
    ["a symlink in the place of all folders", notAFile("clusters", "symlink"), "AG1001"],
    ["a file that is too large", { ...file(PATH, ""), size: 2 ** 21, bytes: null }, "AG1002"],
    ["a Git LFS pointer", file(PATH, "version https://git-lfs.github.com/spec/v1\n"), "AG1003"],
    ["bytes that are not UTF-8", file(PATH, new Uint8Array([0xff])), "AG1004"],
  ])("because of %s is unreadable", (_, revisionFile, code) => {
    expect(read(revisionFile)).toMatchObject({ kind: "unreadable", problem: { code, path: revisionFile.path } });
  });
});

describe("a file is ignored", () => {
  it.each([
    ["of another kind", "clusters/cluster1/kustomization.yaml", "kind: Kustomization\n"],
    ["of another kind, in a folder that is no cluster's", "clusters/my notes/a.yaml", "kind: ConfigMap\n"],
    ["that holds no object", "clusters/cluster1/values.yaml", "- a\n- b\n"],
    ["that is empty", "clusters/cluster1/a.yaml", ""],
    ["that does not end in .yaml or .yml", "clusters/cluster1/README.md", TEXT],
    ["beside the folders", "clusters/README.md", "hello"],
    ["deeper down", "clusters/cluster1/old/amkocluster.yaml", TEXT],
  ])("%s", (_, path, text) => {
    expect(read(file(path, text))).toEqual({ kind: "ignored" });
  });

  it("when it is a link that no manifest is named like", () => {
    expect(read(notAFile("clusters/cluster1/notes", "symlink"))).toEqual({ kind: "ignored" });
  });
});

test("any bytes are a manifest, ignored, or unreadable, never an exception", () => {
  const lines = [
    ...TEXT.split("\n"),
    "  isLeader: [",
    "spec: {isLeader: true}",
    "__proto__: {isLeader: true}",
    "kind: List",
  ];
  const contents = fc.oneof(
    fc.shuffledSubarray(lines).map((some) => some.join("\n")),
    fc.string({ unit: "binary" }),
    fc.json(),
  );
  const paths = fc.constantFrom(PATH, "clusters/cluster1/a.yml", "clusters/A B/a.yaml", "clusters", "clusters/", "");
  fc.assert(
    fc.property(paths, contents, (path, content) => {
      const result = read(file(path, content));
      if (result.kind === "manifest") expect(result.manifest.cluster).toBe(cluster("cluster1"));
    }),
    { numRuns: 1000 },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});
