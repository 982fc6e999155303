import { describe, expect, it } from "vitest";
import { problem } from "../../src/core/catalogue.ts";
import { describeStatus, type StatusFacts } from "../../src/core/conditions.ts";
import { judgeMembers, type MemberAnswers, type MemberReading, stopsExport } from "../../src/core/members.ts";
import type { Manifest, Problem } from "../../src/core/model.ts";
import { cluster } from "../support/builders.ts";

const EAST = cluster("east");
const WEST = cluster("west");
const REFUSED = problem("AG4007", "context west: exec users are refused");

function answers(changes: Partial<MemberAnswers> = {}): MemberAnswers {
  const contexts = new Map<string, Problem | null>([
    ["east", null],
    ["west", null],
  ]);
  return { contexts, unusable: null, readings: new Map(), ...changes };
}

const only = (name: string, cause: Problem | null = null): Partial<MemberAnswers> => ({
  contexts: new Map([[name, cause]]),
});
const read = (reading: MemberReading): Partial<MemberAnswers> => ({ readings: new Map([[WEST, reading]]) });

const MANIFEST: Manifest = {
  cluster: cluster("north"),
  path: "clusters/north/amkocluster.yaml",
  isLeader: true,
  version: "1.4.2",
  clusters: ["north", "east", "west"],
  annotations: {},
  problem: null,
};

/** `status | reason` of the two conditions that tell of members. */
function conditions(findings: StatusFacts["findings"], restartFields: readonly string[] = []): readonly string[] {
  const members = [EAST, WEST].map((name) => ({ cluster: name, problem: null }));
  const all = describeStatus({
    role: { kind: "lead", manifest: MANIFEST, members },
    synced: { kind: "yes", revision: "main@sha1:1", advice: null },
    members: [],
    exportProblems: { GSLBConfig: null, GlobalDeploymentPolicy: null },
    pendingKinds: [],
    findings: findings ?? null,
    restartFields,
  });
  const told = ["member cluster initialisation", "member cluster validation", "Restart Required"];
  return all.filter(({ type }) => told.includes(type)).map(({ status, reason }) => `${status} | ${reason}`);
}

interface Case {
  readonly when: string;
  readonly answers: MemberAnswers;
  readonly conflicts?: readonly (typeof WEST)[];
  /** The code that stops the export; null when nothing does. */
  readonly stop: string | null;
  readonly initialisation: string | RegExp;
  readonly validation: string;
}

const FETCHED = "all cluster clients fetched | ";
const VALIDATED = "validated all member clusters | ";

describe("what a leader finds out about its members", () => {
  it.each<Case>([
    {
      when: "there are no credentials",
      answers: answers({ contexts: null }),
      stop: null,
      initialisation: FETCHED,
      validation: VALIDATED,
    },
    { when: "all is well", answers: answers(), stop: null, initialisation: FETCHED, validation: VALIDATED },
    {
      when: "one context is missing",
      answers: answers(only("east")),
      stop: "AG5022",
      initialisation:
        /^some member cluster clients couldn't be fetched \| west: no context .* --member-credentials ignore/,
      validation: VALIDATED,
    },
    {
      when: "every context is missing",
      answers: answers(only("elsewhere")),
      stop: "AG5022",
      initialisation: /^member cluster clients invalid \| east: no context .*; west: no context /,
      validation: VALIDATED,
    },
    {
      when: "one context may not be used",
      answers: answers({
        contexts: new Map([
          ["east", null],
          ["west", REFUSED],
        ]),
      }),
      stop: null,
      initialisation:
        /^some member cluster clients couldn't be fetched \| west: context west: exec users are refused. /,
      validation: VALIDATED,
    },
    {
      when: "the kubeconfig is none",
      answers: answers({ contexts: null, unusable: problem("AG4007", "no valid YAML.") }),
      stop: "AG4007",
      initialisation: /^member cluster clients invalid \| no valid YAML. Correct key gslb-members/,
      validation: VALIDATED,
    },
    {
      when: "one member cannot be reached",
      answers: answers(read({ kind: "unusable", reason: "API server cannot be reached (AG3001)" })),
      stop: null,
      initialisation: FETCHED,
      validation: "error in validating some member clusters | west: API server cannot be reached (AG3001)",
    },
    {
      when: "one member leads, and nobody knows yet whether it should not",
      answers: answers(read({ kind: "answered", leads: true, acknowledged: null })),
      stop: null,
      initialisation: FETCHED,
      validation: VALIDATED,
    },
    {
      when: "one member leads against what it acknowledged",
      answers: answers(),
      conflicts: [WEST],
      stop: "AG5023",
      initialisation: FETCHED,
      validation: "member cluster clients invalid | AMKO in cluster west is also a leader, conflicting state",
    },
  ])("when $when", ({ answers: given, conflicts = [], stop, initialisation, validation }) => {
    const findings = judgeMembers([EAST, WEST], given, conflicts);
    expect(stopsExport(findings)?.code ?? null).toBe(stop);
    const [first, second] = conditions(findings);
    expect(first).toEqual(typeof initialisation === "string" ? initialisation : expect.stringMatching(initialisation));
    expect(second).toBe(validation);
  });

  it("says nothing of members that are not in the set, nor twice of one", () => {
    const reading = { kind: "unusable", reason: "down" } as const;
    const given = answers({
      ...only("west", REFUSED),
      readings: new Map([
        [WEST, reading],
        [cluster("other"), reading],
      ]),
    });
    expect(judgeMembers([WEST], given, [])).toMatchObject({
      missing: [],
      unreachable: [],
      refused: [{ cluster: WEST }],
    });
  });
});

describe("the status of a leader whose AMKO has not read everything", () => {
  it("names the fields and the command", () => {
    expect(conditions(null, ["spec.refreshInterval", "spec.memberClusters"])).toContain(
      "True | AMKO reads spec.refreshInterval, spec.memberClusters of the GSLBConfig only when it starts: run kubectl -n avi-system rollout restart statefulset amko",
    );
  });
});
