import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { KINDS, type Leadership, type RevisionFile } from "../../src/core/model.ts";
import { CACHED_SNAPSHOTS_MAX, createViewCache, evaluate } from "../../src/core/view.ts";
import {
  CLUSTERS,
  cluster,
  federation,
  file,
  globalDeploymentPolicy,
  gslbConfig,
  manifest,
  manifestPath,
  notAFile,
  schemas,
  snapshotFile,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

const GC = "federation/gslbconfig/gc-1.yaml";
const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";

function view(files: readonly RevisionFile[]) {
  return evaluate(files, schemas());
}

/** The good federation with some files replaced or added. */
function changed(...files: readonly RevisionFile[]) {
  return view(withFiles(federation(), ...files));
}

function codes(files: readonly RevisionFile[]): readonly string[] {
  return view(files).problems.map(({ code }) => code);
}

test("a good federation has a leader, members, both kinds and no problem", () => {
  const result = view(federation());
  expect(result.problems).toEqual([]);
  expect(result.leadership).toEqual({ kind: "leader", cluster: "cluster1" });
  expect([...result.manifests.keys()]).toEqual(CLUSTERS);
  expect([...result.members.values()]).toEqual([
    { cluster: "cluster2", problem: null },
    { cluster: "cluster3", problem: null },
  ]);
  expect(result.kinds).toEqual({
    GSLBConfig: { kind: "present", snapshot: gslbConfig(), path: GC },
    GlobalDeploymentPolicy: { kind: "present", snapshot: globalDeploymentPolicy(), path: GDP },
  });
});

test("an empty repository is leaderless, and its kinds are absent", () => {
  expect(view([])).toMatchObject({
    leadership: { kind: "leaderless", problem: { code: "AG5001", path: "clusters" } },
    kinds: { GSLBConfig: { kind: "absent" }, GlobalDeploymentPolicy: { kind: "absent" } },
    problems: [{ code: "AG5001" }],
  });
});

describe("who leads", () => {
  interface Case {
    readonly when: string;
    readonly files: readonly RevisionFile[];
    readonly verdict: Leadership["kind"];
    readonly says?: string;
  }
  const malformed = (name: string) => file(manifestPath(name), "spec: [");
  it.each<Case>([
    { when: "one manifest claims", files: federation({ leader: "cluster2" }), verdict: "leader" },
    {
      when: "none claims",
      files: federation({ leader: null }),
      verdict: "leaderless",
      says: "no manifest sets isLeader: true",
    },
    {
      when: "the only manifest does not claim",
      files: [manifest("cluster1", { clusters: ["cluster1"] })],
      verdict: "leaderless",
      says: "no manifest sets isLeader: true",
    },
    {
      when: "two claim",
      files: withFiles(federation(), manifest("cluster2", { isLeader: true })),
      verdict: "conflict",
      says: "AMKO in cluster cluster2 is also a leader, conflicting state with cluster cluster1",
    },
    {
      when: "two claim and both are invalid",
      files: [
        manifest("cluster1", { isLeader: true, version: "" }),
        manifest("cluster2", { isLeader: true, version: "" }),
      ],
      verdict: "conflict",
    },
    {
      when: "one claims and is invalid",
      files: withFiles(federation(), manifest("cluster1", { isLeader: true, version: "" })),
      verdict: "invalid",
      says: "invalid AMKOCluster object: spec.version is empty",
    },
    {
      when: "one claims and one cannot be read",
      files: withFiles(federation(), malformed("cluster3")),
      verdict: "unknown",
    },
    {
      when: "one claims, and its own cannot be read",
      files: withFiles(federation(), malformed("cluster1")),
      verdict: "unknown",
    },
    {
      when: "two claim and a third cannot be read",
      files: withFiles(federation(), manifest("cluster2", { isLeader: true }), malformed("cluster3")),
      verdict: "conflict",
    },
    {
      when: "a claim stands in a namespace that is not AMKO's",
      files: [manifest("cluster1", { isLeader: true }, { metadata: { name: "a", namespace: "default" } })],
      verdict: "invalid",
    },
    {
      when: "a claim is not by the folder's cluster",
      files: [manifest("cluster1", { isLeader: true, clusterContext: "cluster2" })],
      verdict: "invalid",
    },
    {
      when: "isLeader is a text",
      files: withFiles(federation(), manifest("cluster3", { isLeader: "false" })),
      verdict: "unknown",
    },
    {
      when: "a folder is a link",
      files: [...federation(), notAFile("clusters/cluster4", "symlink")],
      verdict: "unknown",
    },
    { when: "all folders are a link", files: [notAFile("clusters", "symlink")], verdict: "unknown" },
    { when: "a README lies beside", files: [...federation(), file("clusters/README.md", "x")], verdict: "leader" },
  ])("when $when: $verdict", ({ files, verdict, says }) => {
    const { leadership, problems, members } = view(files);
    expect(leadership.kind).toBe(verdict);
    if (leadership.kind === "leader") return;
    expect(members.size).toBe(0);
    expect(problems).toContainEqual(leadership.problem);
    if (says !== undefined) expect(leadership.problem.message).toBe(says);
  });

  it("tells every claim of the others, at the line of its claim", () => {
    const { leadership, problems } = view(CLUSTERS.map((name) => manifest(name, { isLeader: true })));
    expect(leadership).toMatchObject({ kind: "conflict", clusters: CLUSTERS });
    const told = problems.filter(({ code }) => code === "AG5002");
    expect(told.map(({ path }) => path)).toEqual(CLUSTERS.map(manifestPath));
    for (const { message, line } of told) {
      for (const name of CLUSTERS) expect(message).toContain(name);
      expect(message).toContain("is also a leader, conflicting state");
      expect(line).not.toBeNull();
    }
  });

  it("counts a cluster with two manifests once, as invalid, if either of them claims", () => {
    const second = { ...manifest("cluster2", { isLeader: true }), path: "clusters/cluster2/second.yaml" };
    const result = view(withFiles(federation({ leader: null }), second));
    expect(result.leadership).toMatchObject({ kind: "invalid", cluster: "cluster2" });
    expect(result.manifests.get(cluster("cluster2"))).toMatchObject({ isLeader: true, problem: { code: "AG1018" } });
    expect(result.problems.map(({ code }) => code)).toContain("AG1018");
  });

  it("knows nothing where two folders differ only in case, and tells both", () => {
    const result = changed(manifest("Cluster2"));
    expect(result.leadership).toMatchObject({ kind: "unknown", problem: { code: "AG5003" } });
    const told = result.problems.filter(({ code }) => code === "AG1017");
    expect(told.map(({ path }) => path)).toEqual([manifestPath("Cluster2"), manifestPath("cluster2")]);
  });
});

describe("who is a member", () => {
  const reason = (result: ReturnType<typeof view>, name: string) => result.members.get(cluster(name))?.problem;

  it("every cluster of the leader's list but itself, whatever the followers' lists say", () => {
    const result = changed(manifest("cluster1", { isLeader: true, clusters: ["cluster3"] }));
    expect([...result.members.keys()]).toEqual(["cluster3"]);
  });

  it("whether or not the leader lists itself", () => {
    const result = changed(manifest("cluster1", { isLeader: true, clusters: ["cluster2", "cluster3"] }));
    expect([...result.members.keys()]).toEqual(["cluster2", "cluster3"]);
    expect(result.problems).toEqual([]);
  });

  it("not one without a manifest", () => {
    const result = view(withoutFile(federation(), manifestPath("cluster2")));
    expect(reason(result, "cluster2")).toMatchObject({ code: "AG5006", path: manifestPath("cluster1") });
    expect(reason(result, "cluster3")).toBeNull();
  });

  it("not one with an invalid manifest", () => {
    const result = changed(manifest("cluster2", { version: "" }));
    expect(reason(result, "cluster2")).toMatchObject({
      code: "AG5010",
      message: "invalid AMKOCluster object of cluster cluster2: spec.version is empty",
    });
    expect(reason(result, "cluster3")).toBeNull();
  });

  it("not one with another version", () => {
    const result = changed(manifest("cluster2", { version: "1.5.1" }));
    expect(reason(result, "cluster2")).toMatchObject({
      code: "AG5007",
      message: "version mismatch, current AMKO: 1.4.2, AMKO in cluster cluster2: 1.5.1",
      path: manifestPath("cluster2"),
    });
    expect(result.problems).toContainEqual(reason(result, "cluster2"));
    expect(reason(result, "cluster3")).toBeNull();
  });

  it("nothing that can be no cluster's name, which is an error at its line", () => {
    const result = changed(manifest("cluster1", { isLeader: true, clusters: ["cluster2", "", "cluster3"] }));
    expect([...result.members.keys()]).toEqual(["cluster2", "cluster3"]);
    expect(result.leadership.kind).toBe("leader");
    expect(result.problems).toMatchObject([{ code: "AG1019", severity: "error", path: manifestPath("cluster1") }]);
  });

  it("not a cluster outside the leader's list, which is told as a warning", () => {
    const result = changed(manifest("cluster4"));
    expect(result.members.has(cluster("cluster4"))).toBe(false);
    expect(result.problems).toMatchObject([{ code: "AG5005", severity: "warning", path: manifestPath("cluster4") }]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ["in another order", ["cluster3", "cluster2", "cluster1"], []],
    ["without its own cluster", ["cluster1", "cluster3"], []],
    ["without the leader", ["cluster2", "cluster3"], ["AG1021"]],
    ["with one cluster less", ["cluster1", "cluster2"], ["AG1021"]],
    ["with one cluster more", [...CLUSTERS, "cluster4"], ["AG1021"]],
    ["that is empty", [], ["AG1021"]],
  ])("a follower's list %s is told: %j", (_, clusters, expected) => {
    const result = changed(manifest("cluster2", { clusters }));
    expect(result.problems.map(({ code, severity }) => `${code} ${severity}`)).toEqual(
      expected.map((code) => `${code} warning`),
    );
    expect(reason(result, "cluster2")).toBeNull();
  });
});

describe.each([
  { kind: "GSLBConfig", snapshot: gslbConfig(), path: GC, other: "GlobalDeploymentPolicy" },
  { kind: "GlobalDeploymentPolicy", snapshot: globalDeploymentPolicy(), path: GDP, other: "GSLBConfig" },
] as const)("$kind is", ({ kind, snapshot, path, other }) => {
  const { folder } = KINDS[kind];
  const second = snapshotFile({ ...snapshot, name: "second" });

  it("deleted where its snapshot is a tombstone", () => {
    const tombstone = { ...snapshot, deleted: "CHG-1" };
    expect(changed(snapshotFile(tombstone)).kinds[kind]).toEqual({ kind: "deleted", snapshot: tombstone, path });
  });

  it("absent where there is no file, or none that matters", () => {
    const files = withFiles(
      withoutFile(federation(), path),
      file(`${folder}/README.md`, "x"),
      file(`${folder}/.keep`, ""),
    );
    expect(view(files)).toMatchObject({ kinds: { [kind]: { kind: "absent" } }, problems: [] });
  });

  it.each<[string, string, readonly RevisionFile[]]>([
    ["there are two files", "AG1015", [...federation(), second]],
    [
      "there is a tombstone beside it",
      "AG1015",
      [...federation(), snapshotFile({ ...snapshot, name: "b", deleted: "" })],
    ],
    ["a .yml lies beside it", "AG1015", [...federation(), { ...second, path: `${folder}/second.yml` }]],
    ["it is named .yml", "AG1011", [...withoutFile(federation(), path), { ...second, path: `${folder}/second.yml` }]],
    ["its name is another", "AG1011", withFiles(federation(), { ...second, path })],
    ["it is a link", "AG1001", withFiles(federation(), notAFile(path, "symlink"))],
    ["it is malformed", "AG1005", withFiles(federation(), file(path, "spec: ["))],
    ["its folder is a link", "AG1001", [...withoutFile(federation(), path), notAFile(folder, "symlink")]],
    ["its folder is a submodule", "AG1001", [...withoutFile(federation(), path), notAFile(folder, "submodule")]],
    ["it holds another kind", "AG1009", withFiles(federation(), file(path, "kind: ConfigMap"))],
  ])("unusable when %s (%s), and stops nothing else", (_, code, files) => {
    const result = view(files);
    const state = result.kinds[kind];
    expect(state).toMatchObject({ kind: "unusable" });
    expect(state.kind === "unusable" && state.problems.map((one) => one.code)).toContain(code);
    expect(codes(files)).toContain(code);
    expect(result.leadership.kind).toBe("leader");
    expect(result.kinds[other].kind).toBe("present");
  });

  it("told in AMKO's words when there are two", () => {
    expect(view([...federation(), second]).problems[0]?.message).toContain(`more than one ${kind} objects are present`);
  });

  it("unusable like the other when federation/ itself is a link", () => {
    const files = [...federation().slice(0, 3), notAFile("federation", "symlink")];
    expect(view(files)).toMatchObject({ kinds: { [kind]: { kind: "unusable" }, [other]: { kind: "unusable" } } });
  });
});

test("an invalid manifest is told for what it is, and not for its list", () => {
  const result = changed(manifest("cluster2", { version: "", clusters: [] }));
  expect(result.problems.map(({ code }) => code)).not.toContain("AG1021");
});

test.each([
  ["without any more", ["cluster3"], /[^)]$/],
  ["with how many more there are", ["cluster2", "cluster3"], /\(and 1 more\)$/],
] as const)("a manifest that cannot be read is told %s", (_, broken, end) => {
  const { leadership } = changed(...broken.map((name) => file(manifestPath(name), "spec: [")));
  expect(leadership.kind === "unknown" && leadership.problem.message).toMatch(end);
});

describe("a view", () => {
  const troubled = withFiles(
    federation(),
    manifest("cluster2", { version: "1.5.1", clusters: [] }),
    manifest("cluster4"),
    file(GC, "spec: ["),
  );

  it("does not depend on the order of files", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...troubled], { minLength: troubled.length }), (files) => {
        expect(view(files)).toEqual(view(troubled));
      }),
      { numRuns: 20 },
    );
  });

  it("lists problems by path and line", () => {
    const places = view(troubled).problems.map(({ path }) => path ?? "");
    expect(places.length).toBeGreaterThan(3);
    expect(places).toEqual(places.toSorted());
  });

  it("lists the problems of one file from its whole to its last line", () => {
    const text = [
      "apiVersion: amko.vmware.com/v1alpha1",
      "kind: GSLBConfig",
      "spec:",
      "  zebra: 1",
      "  gslbLeader: { controllerIP: 7, credentials: 8 }",
      "metadata: { name: other, namespace: elsewhere }",
      "",
    ];
    const lines = changed(file(GC, text.join("\n"))).problems.map(({ line, code }) => [line ?? 0, code] as const);
    expect(lines.length).toBeGreaterThan(4);
    expect(lines).toEqual(lines.toSorted(([a, one], [b, other]) => a - b || (one < other ? -1 : one > other ? 1 : 0)));
  });

  it("remembers so many files and no more", () => {
    const cache = createViewCache();
    const snapshots = Array.from({ length: CACHED_SNAPSHOTS_MAX + 3 }, (_, index) => ({
      ...gslbConfig(),
      spec: { ...gslbConfig().spec, refreshInterval: index + 1 },
    }));
    for (const snapshot of snapshots) evaluate([snapshotFile(snapshot)], schemas(), cache);
    expect(cache.snapshots.size).toBe(CACHED_SNAPSHOTS_MAX);
  });

  it("is the same with a cache, and parses only what changed", () => {
    const cache = createViewCache();
    expect(evaluate(federation(), schemas(), cache)).toEqual(view(federation()));
    expect(evaluate(troubled, schemas(), cache)).toEqual(view(troubled));
    expect(evaluate(federation(), schemas(), cache)).toEqual(view(federation()));
    expect(cache.manifests.size).toBe(5);
    expect(cache.snapshots.size).toBe(3);
  });

  it("is never an exception, whatever the files are", () => {
    const paths = fc.constantFrom(
      ...[
        "clusters",
        "clusters/a",
        "clusters/a/b.yaml",
        "clusters/A/b.yaml",
        "clusters/%/b.yaml",
        manifestPath("cluster1"),
      ],
      ...["federation", "federation/gslbconfig", GC, GDP, "federation/x/y.yaml", "README.md", "", "/", "__proto__"],
    );
    const contents = fc.oneof(
      fc.constantFrom(...federation().map(({ bytes }) => bytes ?? new Uint8Array())),
      fc.uint8Array({ maxLength: 50 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    const files = fc.oneof(
      fc.tuple(paths, contents).map(([path, content]) => file(path, content)),
      fc.tuple(paths, fc.constantFrom("symlink", "submodule")).map(([path, type]) => notAFile(path, type)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(files, { selector: ({ path }) => path, maxLength: 8 }), (some) => {
        const { leadership, manifests } = view(some);
        const claims = [...manifests.values()].filter(({ isLeader }) => isLeader).length;
        if (leadership.kind === "leader") expect(claims).toBe(1);
        if (claims > 1) expect(leadership.kind).toBe("conflict");
      }),
      { numRuns: 500 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
