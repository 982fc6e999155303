import { describe, expect, it } from "vitest";
import { problem } from "../../src/core/catalogue.ts";
import {
  type Condition,
  describeStatus,
  describeUnknown,
  type MemberProgress,
  PARTIAL_TYPES,
  type Progress,
  type StatusFacts,
  updateConditions,
} from "../../src/core/conditions.ts";
import type { LiveObject, Manifest, Member } from "../../src/core/model.ts";
import type { Role } from "../../src/core/role.ts";
import { cluster, live } from "../support/builders.ts";

const REVISION = `main@sha1:${"a".repeat(40)}`;

const MANIFEST: Manifest = {
  cluster: cluster("cluster1"),
  path: "clusters/cluster1/amkocluster.yaml",
  isLeader: true,
  version: "1.4.2",
  clusters: ["cluster1", "cluster2", "cluster3"],
  annotations: {},
  problem: null,
};

const mismatch = problem("AG5007", "version mismatch, current AMKO: 1.4.2, AMKO in cluster cluster3: 1.5.1");
const included = (name: string): Member => ({ cluster: cluster(name), problem: null });
const excluded = (name: string): Member => ({ cluster: cluster(name), problem: mismatch });

const lead = (...members: readonly Member[]): Role => ({ kind: "lead", manifest: MANIFEST, members });
const follow: Role = { kind: "follow", manifest: MANIFEST, leader: cluster("cluster2") };
const hold = (code: Parameters<typeof problem>[0], message: string): Role => ({
  kind: "hold",
  problem: problem(code, message),
});

function at(name: string, progress: Progress): MemberProgress {
  return { cluster: cluster(name), progress: { GSLBConfig: progress, GlobalDeploymentPolicy: progress } };
}

function facts(role: Role, more: Partial<StatusFacts> = {}): StatusFacts {
  return {
    role,
    synced: { kind: "yes", revision: REVISION, advice: null },
    members: [],
    exportProblems: { GSLBConfig: null, GlobalDeploymentPolicy: null },
    pendingKinds: [],
    ...more,
  };
}

/** `type | status | reason`, as a table of the status. */
const table = (conditions: readonly Condition[]): readonly string[] =>
  conditions.map(({ type, status, reason }) => `${type} | ${status} | ${reason}`);

const SYNCED = `Synced | True | ${REVISION}`;
const VALID = "current AMKOCluster Validation | valid AMKOCluster object | ";
const FETCHED = "member cluster initialisation | all cluster clients fetched | ";
const VALIDATED = "member cluster validation | validated all member clusters | ";
const federated = (status: string, reason = ""): readonly string[] =>
  ["GSLBConfig Federation", "GDP Federation"].map((type) => `${type} | ${status} | ${reason}`);

interface Case {
  readonly when: string;
  readonly given: StatusFacts;
  readonly gives: readonly string[];
}

describe("the status of an AMKOCluster", () => {
  it.each<Case>([
    {
      when: "a leader's members all hold the newest content",
      given: facts(lead(included("cluster2"), included("cluster3")), {
        members: [at("cluster2", "holds"), at("cluster3", "holds")],
      }),
      gives: [VALID, FETCHED, VALIDATED, ...federated("federated to all valid clusters successfully"), SYNCED],
    },
    {
      when: "a leader has no members",
      given: facts(lead()),
      gives: [VALID, FETCHED, VALIDATED, ...federated("federated to all valid clusters successfully"), SYNCED],
    },
    {
      when: "members have not confirmed yet",
      given: facts(lead(included("cluster2"), included("cluster3")), {
        members: [at("cluster2", "behind"), at("cluster3", "behind")],
      }),
      gives: [VALID, FETCHED, VALIDATED, ...federated("federating", "waiting for cluster2, cluster3"), SYNCED],
    },
    {
      when: "a member stays behind for too long",
      given: facts(lead(included("cluster2"), included("cluster3")), {
        members: [at("cluster2", "holds"), at("cluster3", "late")],
      }),
      gives: [
        VALID,
        FETCHED,
        VALIDATED,
        ...federated("error in federating to some clusters", "cluster3: has not confirmed it in time"),
        SYNCED,
      ],
    },
    {
      when: "a member cannot apply, and another is still on its way",
      given: facts(lead(included("cluster2"), included("cluster3")), {
        members: [at("cluster2", "failed"), at("cluster3", "behind")],
      }),
      gives: [
        VALID,
        FETCHED,
        VALIDATED,
        ...federated("error in federating to some clusters", "cluster2: could not apply it, see amko/failed"),
        SYNCED,
      ],
    },
    {
      when: "no member can apply",
      given: facts(lead(included("cluster2")), { members: [at("cluster2", "failed")] }),
      gives: [
        VALID,
        FETCHED,
        VALIDATED,
        ...federated("failure in federation", "cluster2: could not apply it, see amko/failed"),
        SYNCED,
      ],
    },
    {
      when: "changes wait for people to merge them",
      given: facts(lead(included("cluster2")), {
        members: [at("cluster2", "holds")],
        pendingKinds: ["GSLBConfig", "GlobalDeploymentPolicy"],
      }),
      gives: [VALID, FETCHED, VALIDATED, ...federated("federating", "a proposal waits to be merged"), SYNCED],
    },
    {
      when: "this cluster follows",
      given: facts(follow),
      gives: ["current AMKOCluster Validation | won't federate objects | AMKO not a leader", SYNCED],
    },
  ])("tells that $when", ({ given, gives }) => {
    expect(table(describeStatus(given))).toEqual(gives);
  });

  it("names a member that is left out, with the cause", () => {
    const given = facts(lead(included("cluster2"), excluded("cluster3")), { members: [at("cluster2", "holds")] });
    expect(table(describeStatus(given))[2]).toBe(
      `member cluster validation | error in validating some member clusters | cluster3: ${mismatch.message}`,
    );
  });

  it("says so in AMKO's words where no member is left", () => {
    const given = facts(lead(excluded("cluster2"), excluded("cluster3")));
    expect(table(describeStatus(given))[2]).toMatch(/^member cluster validation \| member cluster clients invalid \| /);
  });

  it("tells the two kinds apart", () => {
    const member: MemberProgress = {
      cluster: cluster("cluster2"),
      progress: { GSLBConfig: "holds", GlobalDeploymentPolicy: "behind" },
    };
    const exportProblems = { GSLBConfig: problem("AG3013", "more than one GSLBConfig objects are present") };
    const given = facts(lead(included("cluster2")), {
      members: [member],
      exportProblems: { ...exportProblems, GlobalDeploymentPolicy: null },
    });
    expect(table(describeStatus(given)).slice(3, 5)).toEqual([
      "GSLBConfig Federation | failure in federation | more than one GSLBConfig objects are present. Delete all but one object of the kind.",
      "GDP Federation | federating | waiting for cluster2",
    ]);
  });

  it.each<{ when: string; role: Role; gives: string }>([
    {
      when: "its manifest is invalid",
      role: hold("AG5004", "invalid AMKOCluster object: spec.version is missing"),
      gives: "current AMKOCluster Validation | invalid AMKOCluster object",
    },
    {
      when: "two clusters lead",
      role: hold("AG5002", "AMKO in cluster cluster2 is also a leader, conflicting state"),
      gives: "member cluster validation | member cluster clients invalid",
    },
    {
      when: "nobody leads",
      role: hold("AG5001", "no manifest sets isLeader: true"),
      gives: "current AMKOCluster Validation | won't federate objects",
    },
    {
      when: "its version differs",
      role: { kind: "hold", problem: mismatch },
      gives: "current AMKOCluster Validation | won't federate objects",
    },
  ])("tells cause and remedy when $when", ({ role, gives }) => {
    if (role.kind !== "hold") throw new Error(role.kind);
    const { message, remedy } = role.problem;
    expect(table(describeStatus(facts(role)))).toEqual([`${gives} | ${message}. ${remedy}`, SYNCED]);
  });

  it.each<[StatusFacts["synced"], string]>([
    [{ kind: "yes", revision: REVISION, advice: null }, `Synced | True | ${REVISION}`],
    [{ kind: "yes", revision: REVISION, advice: "but" }, `Synced | True | ${REVISION}; but`],
    [{ kind: "no", cause: "why" }, "Synced | False | why"],
    [{ kind: "unknown", cause: "why" }, "Synced | Unknown | why"],
  ])("tells in a condition that kubectl can wait for: %j", (synced, gives) => {
    expect(table(describeStatus(facts(follow, { synced }))).at(-1)).toBe(gives);
  });
});

describe("conditions", () => {
  const foreign = { type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" };
  const wanted = describeStatus(facts(follow));

  function withConditions(conditions: unknown): LiveObject {
    const object = live("AMKOCluster", { name: "amkocluster-federation" });
    return { ...object, status: { conditions } as LiveObject["status"] & object };
  }

  it("are written only where their meaning changes", () => {
    expect(updateConditions(withConditions([foreign, ...wanted]), wanted)).toBeNull();
    expect(updateConditions(withConditions([]), wanted)).toEqual(wanted);
  });

  it.each<[string, LiveObject]>([
    ["no status", live("AMKOCluster", { name: "amkocluster-federation" })],
    ["no list", withConditions("broken")],
    ["a status that is no object", { ...live("AMKOCluster", { name: "a" }), status: "broken" }],
  ])("are written where there is %s", (_, object) => {
    expect(updateConditions(object, wanted)).toEqual(wanted);
  });

  it("of somebody else stay, also those that make no sense", () => {
    expect(updateConditions(withConditions([foreign, 7, { status: "?" }]), wanted)).toEqual([
      foreign,
      7,
      { status: "?" },
      ...wanted,
    ]);
  });

  it("of the former role go", () => {
    const before = withConditions(describeStatus(facts(lead(included("cluster2")))));
    expect(updateConditions(before, wanted)).toEqual(wanted);
  });

  it("stay when only that git cannot be read is new", () => {
    const before = withConditions(wanted);
    const unknown = describeUnknown("git is away");
    expect(updateConditions(before, unknown, PARTIAL_TYPES)).toEqual([
      wanted[0],
      { type: "Synced", status: "Unknown", reason: "git is away" },
    ]);
  });
});
