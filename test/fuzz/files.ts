import assert from "node:assert/strict";
import { readDocument } from "../../src/core/document.ts";
import { readIdentity } from "../../src/core/identity.ts";
import { readManifest } from "../../src/core/manifest.ts";
import { FEDERATED_KINDS } from "../../src/core/model.ts";
import { encodeClusterName } from "../../src/core/names.ts";
import { readPushers } from "../../src/core/pushers.ts";
import { readSnapshot, snapshotPath, writeSnapshot } from "../../src/core/snapshot.ts";
import { evaluate } from "../../src/core/view.ts";
import { file, globalDeploymentPolicy, gslbConfig, manifest, schemas } from "../support/builders.ts";
import { encode } from "./mutated.ts";
import { isEscaping, type Parser } from "./parser.ts";

const YAML_WORDS: readonly string[] = [
  "&a ",
  "*a",
  "<<: ",
  "---\n",
  "!!js/function ",
  "? ",
  "- ",
  "{",
  "[",
  "'",
  '"',
  "|\n",
];
const MANIFESTS = [manifest("cluster1"), manifest("kubernetes-admin@prod")];
const SNAPSHOTS = [gslbConfig(), { ...globalDeploymentPolicy(), deleted: "not needed" }];

/** What stands in the repository's files, and in those of the git server. */
export const FILE_PARSERS: readonly Parser[] = [
  {
    name: "a YAML document",
    corpus: [...SNAPSHOTS.map(writeSnapshot), encode("a: [1, {b: 0x1F}]\n? c\n: |\n  text\n")],
    words: YAML_WORDS,
    codes: [],
    read: (input) => void readDocument(file("federation/x.yaml", input)),
  },
  {
    name: "a manifest",
    corpus: MANIFESTS.map(({ bytes }) => bytes ?? new Uint8Array()),
    words: [...YAML_WORDS, '"isLeader": true', '"clusterContext": "../x"', '"clusters": '],
    codes: [],
    read(input) {
      for (const { path } of MANIFESTS) {
        const read = readManifest(file(path, input), schemas());
        if (read.kind !== "manifest") continue;
        assert.ok(!isEscaping(encodeClusterName(read.manifest.cluster)), read.manifest.cluster);
      }
    },
  },
  {
    name: "a snapshot",
    corpus: SNAPSHOTS.map(writeSnapshot),
    words: [...YAML_WORDS, "amko-gitops.io/deleted: ", 'name: "../x"', "kind: Secret"],
    codes: [],
    read(input) {
      for (const { kind, name } of SNAPSHOTS) {
        const read = readSnapshot(file(snapshotPath(kind, name), input), schemas());
        if (read.ok) assert.equal(snapshotPath(read.snapshot.kind, read.snapshot.name), snapshotPath(kind, name));
      }
    },
  },
  {
    name: "a whole revision",
    corpus: SNAPSHOTS.map(writeSnapshot),
    words: YAML_WORDS,
    codes: [],
    read(input) {
      const files = [...MANIFESTS, ...SNAPSHOTS.map(({ kind, name }) => file(snapshotPath(kind, name), input))];
      const { kinds } = evaluate(files, schemas());
      for (const kind of FEDERATED_KINDS) assert.ok(kinds[kind].kind !== undefined);
    },
  },
  {
    name: "an identity",
    corpus: [encode('branch: "main"\nnamespaceUid: "a-b"\npath: ""\n')],
    words: YAML_WORDS,
    codes: [],
    read: (input) => void readIdentity([file("identity.yaml", input)]),
  },
  {
    name: "a file of pushers",
    corpus: [encode("jo: people\nagent-east: cluster1\nagent-west: { cluster: cluster2, designates: true }\n")],
    words: [...YAML_WORDS, "people", "designates: "],
    codes: [],
    read(input) {
      const read = readPushers(file("pushers.yaml", input));
      if (read.ok) for (const [, pusher] of read.pushers) assert.ok(["people", "agent"].includes(pusher.kind));
    },
  },
];
