import { expect, it } from "vitest";
import { diffViews } from "../../src/core/revision-diff.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  federation,
  gslbConfig,
  manifest,
  schemas,
  snapshotFile,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

const GSLB_CONFIG = "federation/gslbconfig/gc-1.yaml";

it.each([
  ["nothing", federation(), []],
  ["a flip", federation({ leader: null }), ["AMKOCluster cluster1 changed"]],
  [
    "a lost manifest",
    withoutFile(federation(), "clusters/cluster3/amkocluster.yaml"),
    ["AMKOCluster cluster3 removed"],
  ],
  [
    "another version",
    withFiles(federation(), manifest("cluster2", { version: "2" })),
    ["AMKOCluster cluster2 changed"],
  ],
  ["a lost snapshot", withoutFile(federation(), GSLB_CONFIG), ["GSLBConfig gc-1 removed"]],
  ["a tombstone", withFiles(federation(), snapshotFile(gslbConfig({ deleted: "x" }))), ["GSLBConfig gc-1 changed"]],
])("tells %s", (_, files, expected) => {
  const found = diffViews(evaluate(federation(), schemas()), evaluate(files, schemas()));
  expect(found.map(({ kind, name, action }) => `${kind} ${name} ${action}`)).toEqual(expected);
});
