import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readYaml } from "../../src/core/document.ts";
import { type Edit, editYaml } from "../../src/core/edit.ts";
import { member } from "../../src/core/json.ts";

interface Case {
  readonly when: string;
  readonly text: string;
  readonly edits: readonly Edit[];
  readonly gives: string;
}

const LEAD: Edit = { path: ["spec", "isLeader"], value: true };
const NOTE: Edit = { path: ["metadata", "annotations", "amko-gitops.io/handover-without"], value: "cluster1" };
const NO_NOTE: Edit = { ...NOTE, value: null };

test.each<Case>([
  {
    when: "a value has a comment behind it",
    text: "# ours\nspec:\n  isLeader: false # why\n  version: 1.4.2\n",
    edits: [LEAD],
    gives: "# ours\nspec:\n  isLeader: true # why\n  version: 1.4.2\n",
  },
  {
    when: "the map is written in one line",
    text: "spec: { version: 1.4.2, isLeader: false, clusters: [a, b] }\n",
    edits: [LEAD],
    gives: "spec: { version: 1.4.2, isLeader: true, clusters: [a, b] }\n",
  },
  {
    when: "the field is missing",
    text: "spec:\n    # context\n    clusterContext: a\n",
    edits: [LEAD],
    gives: "spec:\n    # context\n    isLeader: true\n    clusterContext: a\n",
  },
  {
    when: "the map in one line lacks it",
    text: "spec: {a: b}\n",
    edits: [LEAD],
    gives: 'spec: {"isLeader": true, a: b}\n',
  },
  { when: "the map is empty", text: "spec: {}\n", edits: [LEAD], gives: 'spec: {"isLeader": true}\n' },
  {
    when: "the value is empty",
    text: "spec:\n  isLeader:\n  a: b\n",
    edits: [LEAD],
    gives: "spec:\n  isLeader: true\n  a: b\n",
  },
  { when: "the value is quoted", text: 'spec:\n  isLeader: "no"\n', edits: [LEAD], gives: "spec:\n  isLeader: true\n" },
  {
    when: "the parent is missing too",
    text: "metadata:\n  name: x\nspec: {}\n",
    edits: [NOTE],
    gives: "metadata:\n  annotations:\n    amko-gitops.io/handover-without: cluster1\n  name: x\nspec: {}\n",
  },
  {
    when: "the parent is empty",
    text: "metadata:\n  annotations:\n  name: x\n",
    edits: [NOTE],
    gives: "metadata:\n  annotations:\n    amko-gitops.io/handover-without: cluster1\n  name: x\n",
  },
  {
    when: "the last entry of a map goes",
    text: "metadata:\n  name: x\n  annotations:\n    a: b\n    amko-gitops.io/handover-without: cluster1 # once\nspec: {}\n",
    edits: [NO_NOTE],
    gives: "metadata:\n  name: x\n  annotations:\n    a: b\nspec: {}\n",
  },
  {
    when: "there is nothing to take out",
    text: "metadata:\n  name: x\n",
    edits: [NO_NOTE],
    gives: "metadata:\n  name: x\n",
  },
  {
    when: "an entry in the middle of one line goes",
    text: "metadata: {annotations: {a: b, amko-gitops.io/handover-without: c, d: e}}\n",
    edits: [NO_NOTE],
    gives: "metadata: {annotations: {a: b, d: e}}\n",
  },
  {
    when: "the last entry of one line goes",
    text: "metadata: {annotations: {a: b, amko-gitops.io/handover-without: c}}\n",
    edits: [NO_NOTE],
    gives: "metadata: {annotations: {a: b}}\n",
  },
  {
    when: "lines end as on Windows",
    text: "spec:\r\n  isLeader: false\r\n  a: b\r\n",
    edits: [LEAD],
    gives: "spec:\r\n  isLeader: true\r\n  a: b\r\n",
  },
  {
    when: "no newline ends the file",
    text: "spec:\n  isLeader: false",
    edits: [LEAD],
    gives: "spec:\n  isLeader: true",
  },
  {
    when: "the value is a block",
    text: "spec:\n  isLeader: >-\n    yes\n  a: b\n",
    edits: [LEAD],
    gives: "spec:\n  isLeader: true\n  a: b\n",
  },
  {
    when: "the file is JSON",
    text: '{"metadata": {"annotations": {"amko-gitops.io/handover-without": "c"}}}\n',
    edits: [{ ...NOTE, value: "cluster1,cluster2" }],
    gives: '{"metadata": {"annotations": {"amko-gitops.io/handover-without": "cluster1,cluster2"}}}\n',
  },
])("changes only the field when $when", ({ text, edits, gives }) => {
  expect(editYaml(text, edits)).toBe(gives);
});

test("a text that YAML 1.1 would take for something else is quoted", () => {
  const text = editYaml("spec:\n  version: 1.4.2\n", [{ path: ["spec", "version"], value: "1.10" }]);
  expect(text).toBe('spec:\n  version: "1.10"\n');
});

test("a layout that cannot be spliced is written anew, with its comments", () => {
  const text = editYaml("# ours\nspec:\n  ? isLeader\n  : false # why\n  a: b\n", [LEAD]);
  expect(parse(text)).toEqual({ spec: { isLeader: true, a: "b" } });
  expect(text).toContain("# ours");
});

test.each([
  "metadata: {annotations: {a: b}}\n",
  "metadata:\n  annotations:\n    amko-gitops.io/handover-without: |\n      c1\n\n  name: x\n",
  'metadata:\n  annotations: {\n    a: b, # why, not\n    "amko-gitops.io/handover-without": c1 # why\n    }\n',
  "metadata:\n  annotations:\n    amko-gitops.io/handover-without: # why\n      c1,c2\n    z: w\n",
  "metadata:\n  ? annotations\n  : amko-gitops.io/handover-without: c1\n    z: w\n  name: a\n",
  "metadata: {name: a, annotations, namespace: b}\n",
])("whatever people write is read back by the agents' own reader (%j)", (layout) => {
  const texts = ["0o17", "0X1F", "0B1", "a\u2028b", "1_000", "yes", "a: b", "c1,c2", "#", "- a", "?", "", " "];
  for (const value of [...texts, null]) {
    const edited = readYaml(editYaml(layout, [{ ...NOTE, value }]), "x");
    const metadata = member(edited.ok ? edited.value : null, "metadata");
    expect(member(member(metadata, "annotations"), NOTE.path[2] ?? "") ?? null).toBe(value);
  }
});

test("any layout ends up saying what was asked, and everything else as before", () => {
  const layout = fc.record({
    flow: fc.boolean(),
    comment: fc.boolean(),
    indent: fc.constantFrom("  ", "    "),
    value: fc.constantFrom("true", "false", "", '"x"', "null", undefined),
    others: fc.uniqueArray(fc.constantFrom("version", "clusterContext", "zone"), { minLength: 1 }),
  });
  fc.assert(
    fc.property(
      layout,
      fc.constantFrom(true, null, "1.10", "a: b"),
      ({ flow, comment, indent, value, others }, next) => {
        const fields = [...others.map((key) => `${key}: v`), ...(value === undefined ? [] : [`isLeader: ${value}`])];
        const lines = fields.map((field) => `${indent}${field}${comment ? " # why" : ""}\n`).join("");
        const text = flow ? `spec: {${fields.join(", ")}}\nlast: 1\n` : `spec:\n${lines}last: 1\n`;
        const edited = editYaml(text, [{ path: ["spec", "isLeader"], value: next }]);
        const spec = Object.fromEntries(others.map((key) => [key, "v"]));
        expect(parse(edited)).toEqual({ spec: next === null ? spec : { ...spec, isLeader: next }, last: 1 });
      },
    ),
  );
});
