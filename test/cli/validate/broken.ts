import type { ErrorCode } from "../../../src/core/catalogue.ts";
import { HANDOVER_WITHOUT_ANNOTATION, type RevisionFile, UUID_ANNOTATION } from "../../../src/core/model.ts";
import { file, notAFile, withFiles, withoutFile } from "../../support/builders.ts";
import { fixtureFiles } from "../../support/fixture-remote.ts";

/** A repository that must be refused, and what must be said about it. */
export interface BrokenRepository {
  readonly name: string;
  readonly files: readonly RevisionFile[];
  readonly code: ErrorCode;
  /** A folder where it is about no file in it. */
  readonly path: string;
  /** 1 where it is about the whole file. */
  readonly line: number;
}

export const GC = "federation/gslbconfig/gc-1.yaml";
export const GDP = "federation/globaldeploymentpolicy/global-gdp.yaml";
const [ONE, TWO] = ["clusters/cluster1/amkocluster.yaml", "clusters/cluster2/amkocluster.yaml"] as const;

/** The files of fixtures/repo that count. */
export function fixture(): readonly RevisionFile[] {
  const counting = Object.entries(fixtureFiles()).filter(([path]) => /^(?:clusters|federation)\//.test(path));
  return counting.map(([path, text]) => file(path, text));
}

export function textOf(path: string): string {
  return fixtureFiles()[path] ?? "";
}

/** fixtures/repo with one text replaced in one file. @throws TypeError when it is not there */
export function edited(path: string, before: string | RegExp, after: string): readonly RevisionFile[] {
  const changed = textOf(path).replace(before, after);
  if (changed === textOf(path)) throw new TypeError(`${path} does not hold ${before}`);
  return replaced(path, changed);
}

export function replaced(path: string, content: string | Uint8Array): readonly RevisionFile[] {
  return withFiles(fixture(), file(path, content));
}

function without(path: string): readonly RevisionFile[] {
  return withoutFile(fixture(), path);
}

function swapped(path: string, type: "symlink" | "submodule"): readonly RevisionFile[] {
  return withFiles(fixture(), notAFile(path, type));
}

/** A manifest in a folder of any name, as nobody should call one. */
function folder(name: string): readonly RevisionFile[] {
  return withFiles(fixture(), file(`clusters/${name}/amkocluster.yaml`, textOf(TWO)));
}

const utf16 = new Uint8Array(Buffer.from(`\ufeff${textOf(TWO)}`, "utf16le"));
const nested = `spec: ${"[".repeat(200)}${"]".repeat(200)}\n`;
const laughs = `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n`;
const lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
const huge = new Uint8Array(1024 * 1024 + 1).fill(0x23);

function broken(
  name: string,
  code: ErrorCode,
  files: readonly RevisionFile[],
  path: string,
  line = 1,
): BrokenRepository {
  return { name, files, code, path, line };
}

export const BROKEN: readonly BrokenRepository[] = [
  // Who leads
  broken("an empty repository", "AG5001", [], "clusters"),
  broken("nobody claims", "AG5001", edited(ONE, "isLeader: true", "isLeader: false"), "clusters"),
  broken("two claim", "AG5002", edited(TWO, "isLeader: false", "isLeader: true"), TWO, 9),
  broken("the leader's manifest is invalid", "AG5004", edited(ONE, "version: 1.4.2", 'version: ""'), ONE, 10),
  broken("a manifest cannot be read", "AG5003", replaced(TWO, "spec: [\n"), TWO, 2),

  // What stands in the place of a manifest
  broken("a manifest is a symbolic link", "AG1001", swapped(TWO, "symlink"), TWO),
  broken("a manifest is a submodule", "AG1001", swapped(TWO, "submodule"), TWO),
  broken(
    "a cluster's folder is a symbolic link",
    "AG1001",
    swapped("clusters/cluster4", "symlink"),
    "clusters/cluster4",
  ),
  broken("a cluster's folder is a submodule", "AG1001", swapped("clusters/cluster4", "submodule"), "clusters/cluster4"),
  broken("a manifest is an LFS pointer", "AG1003", replaced(TWO, lfs), TWO, 1),
  broken("a manifest is huge", "AG1002", replaced(TWO, huge), TWO),
  broken("a manifest is UTF-16", "AG1004", replaced(TWO, utf16), TWO),
  broken("a manifest is Latin-1", "AG1004", replaced(TWO, Buffer.from(`# M\u00fcnchen\n`, "latin1")), TWO),

  // YAML that reviewers misread
  broken("a claim by anchor", "AG1008", edited(TWO, "isLeader: false", "isLeader: &x false"), TWO, 9),
  broken("a billion laughs", "AG1008", replaced(TWO, laughs), TWO, 1),
  broken("a merge key", "AG1008", replaced(TWO, "a: &a {x: 1}\nspec:\n  <<: *a\n"), TWO, 1),
  broken("a key twice", "AG1007", edited(TWO, "isLeader: false", "isLeader: false\n  isLeader: true"), TWO, 10),
  broken("several documents", "AG1006", replaced(TWO, `${textOf(TWO)}---\n${textOf(ONE)}`), TWO, 12),
  broken("tabs as indentation", "AG1005", edited(TWO, "  clusterContext", "\tclusterContext"), TWO, 8),
  broken("an open bracket", "AG1005", edited(TWO, "cluster3]", "cluster3"), TWO, 12),
  broken("too deep", "AG1005", replaced(TWO, nested), TWO, 1),
  broken("a tag", "AG1005", edited(TWO, "isLeader: false", "isLeader: !!bool false"), TWO, 9),
  broken("a boolean of YAML 1.1", "AG1020", edited(TWO, "isLeader: false", "isLeader: 'yes'"), TWO, 9),
  broken("a claim in quotes", "AG1020", edited(TWO, "isLeader: false", 'isLeader: "true"'), TWO, 9),
  broken("an integer that cannot be kept", "AG1014", edited(GDP, "ttl: 10", "ttl: 9007199254740993"), GDP, 28),

  // What a manifest says
  broken("a manifest in another namespace", "AG1010", edited(TWO, "avi-system", "default"), TWO, 6),
  broken(
    "another cluster's context",
    "AG1019",
    edited(TWO, "clusterContext: cluster2", "clusterContext: cluster3"),
    TWO,
    8,
  ),
  broken("no context", "AG1019", edited(TWO, "clusterContext: cluster2", 'clusterContext: ""'), TWO, 8),
  broken("no version", "AG1019", edited(TWO, "version: 1.4.2", 'version: ""'), TWO, 10),
  broken(
    "a name with invisible characters",
    "AG1019",
    edited(TWO, "clusterContext: cluster2", 'clusterContext: "cluster2\u200b"'),
    TWO,
    8,
  ),
  broken("another version than the leader's", "AG5007", edited(TWO, "version: 1.4.2", "version: 1.5.0"), TWO, 10),
  broken("a misspelled kind", "AG1020", edited(TWO, "kind: AMKOCluster", "kind: AmkoCluster"), TWO, 3),
  broken("another API version", "AG1020", edited(TWO, "v1alpha1", "v1"), TWO, 2),
  broken("a member without manifest", "AG5006", without(TWO), ONE, 11),
  broken("an invalid member", "AG5010", edited(TWO, "avi-system", "default"), TWO, 6),
  broken(
    "two manifests for one cluster",
    "AG1018",
    withFiles(fixture(), file("clusters/cluster2/b.yaml", textOf(TWO))),
    "clusters/cluster2/b.yaml",
  ),
  broken("no cluster's name in the list", "AG1019", edited(ONE, "cluster3]", 'cluster3, ""]'), ONE, 11),

  // Folders
  broken("folders equal but for case", "AG1017", folder("Cluster2"), "clusters/Cluster2/amkocluster.yaml"),
  broken(
    "a name that is not encoded",
    "AG1016",
    folder("kubernetes-admin@prod"),
    "clusters/kubernetes-admin@prod/amkocluster.yaml",
  ),
  broken("an encoding in lower case", "AG1016", folder("a%2fb"), "clusters/a%2fb/amkocluster.yaml"),
  broken("an encoding of what needs none", "AG1016", folder("%61"), "clusters/%61/amkocluster.yaml"),
  broken("two dots", "AG1016", folder("a..b"), "clusters/a..b/amkocluster.yaml"),
  broken("a lock file's name", "AG1016", folder("a.lock"), "clusters/a.lock/amkocluster.yaml"),

  // Snapshots
  broken("a snapshot is a symbolic link", "AG1001", swapped(GDP, "symlink"), GDP),
  broken("a snapshot is an LFS pointer", "AG1003", replaced(GC, lfs), GC, 1),
  broken("a snapshot in another namespace", "AG1010", edited(GC, "avi-system", "default"), GC, 7),
  broken("a snapshot of another name", "AG1011", edited(GC, "name: gc-1", "name: gc-2"), GC, 6),
  broken("a snapshot of another kind", "AG1009", replaced(GC, textOf(GDP)), GC, 2),
  broken("a snapshot of another version", "AG1009", edited(GDP, "v1alpha2", "v1alpha1"), GDP, 1),
  broken("a weight that is text", "AG1012", edited(GDP, "weight: 8", "weight: heavy"), GDP, 21),
  broken(
    "two GSLBConfigs",
    "AG1015",
    withFiles(fixture(), file("federation/gslbconfig/gc-2.yaml", textOf(GC).replace("gc-1", "gc-2"))),
    "federation/gslbconfig/gc-2.yaml",
  ),
  broken(
    "handover-without where nobody took over",
    "AG1027",
    edited(TWO, "  namespace", `  annotations: {${HANDOVER_WITHOUT_ANNOTATION}: cluster1}\n  namespace`),
    TWO,
    6,
  ),
];

/** A change that must be refused although its result alone may be merged. */
export interface BrokenChange extends Omit<BrokenRepository, "files"> {
  /** Null removes the file. */
  readonly changes: Readonly<Record<string, string | null>>;
  readonly message?: string;
}

export const BROKEN_CHANGES: readonly BrokenChange[] = [
  { name: "a snapshot's file is lost", changes: { [GDP]: null }, code: "AG1024", path: GDP, line: 1 },
  {
    name: "the UUID is lost",
    changes: { [GC]: textOf(GC).replace(/ {2}annotations:\n.*\n/, "") },
    code: "AG1025",
    path: GC,
    line: 3,
  },
  {
    name: "the UUID is changed",
    changes: { [GC]: textOf(GC).replace(/(amko-uuid: )\S+/, "$1another") },
    code: "AG1025",
    path: GC,
    line: 5,
  },
  {
    name: "the UUID is lost with a tombstone",
    changes: { [GC]: textOf(GC).replace(new RegExp(`${UUID_ANNOTATION}.*`), "amko-gitops.io/deleted: by hand") },
    code: "AG1025",
    path: GC,
    line: 4,
  },
  {
    name: "a follower's export",
    changes: { [GDP]: textOf(GDP).replace("ttl: 10", "ttl: 20") },
    message: "federation: update\n\nFederated-From: cluster2",
    code: "AG1026",
    path: GDP,
    line: 1,
  },
];
