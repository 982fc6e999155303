import { describe, expect, it } from "vitest";
import { problem } from "../../src/core/catalogue.ts";
import type { FederationView, Leadership, LiveObject, RevisionFile } from "../../src/core/model.ts";
import { type Designation, designate, type Role, takeRole, versionMismatch } from "../../src/core/role.ts";
import { evaluate } from "../../src/core/view.ts";
import {
  cluster,
  federation,
  file,
  live,
  manifest,
  manifestPath,
  schemas,
  withFiles,
  withoutFile,
} from "../support/builders.ts";

type LeadershipKind = Leadership["kind"];
/** What the revision says of the cluster that asks. */
type OwnPosition = "claims" | "follows" | "has no manifest";

/** A revision of each kind, in which cluster1 asks. */
const REVISIONS: Readonly<Record<LeadershipKind, Readonly<Record<OwnPosition, readonly RevisionFile[] | null>>>> = {
  leader: {
    claims: federation({ leader: "cluster1" }),
    follows: federation({ leader: "cluster2" }),
    "has no manifest": withoutFile(federation({ leader: "cluster2" }), manifestPath("cluster1")),
  },
  invalid: {
    claims: withFiles(federation(), manifest("cluster1", { isLeader: true, version: "" })),
    follows: withFiles(federation({ leader: null }), manifest("cluster2", { isLeader: true, version: "" })),
    "has no manifest": withoutFile(
      withFiles(federation({ leader: null }), manifest("cluster2", { isLeader: true, version: "" })),
      manifestPath("cluster1"),
    ),
  },
  leaderless: {
    // Who claims is a leader, so nobody can claim in a revision without one.
    claims: null,
    follows: federation({ leader: null }),
    "has no manifest": withoutFile(federation({ leader: null }), manifestPath("cluster1")),
  },
  conflict: {
    claims: withFiles(federation(), manifest("cluster2", { isLeader: true })),
    follows: withFiles(federation({ leader: "cluster2" }), manifest("cluster3", { isLeader: true })),
    "has no manifest": withoutFile(
      withFiles(federation({ leader: "cluster2" }), manifest("cluster3", { isLeader: true })),
      manifestPath("cluster1"),
    ),
  },
  unknown: {
    claims: withFiles(federation(), file(manifestPath("cluster3"), "a: [")),
    follows: withFiles(federation({ leader: "cluster2" }), file(manifestPath("cluster3"), "a: [")),
    "has no manifest": withFiles(federation({ leader: "cluster2" }), file(manifestPath("cluster1"), "a: [")),
  },
};

const ROLES: Readonly<Record<LeadershipKind, Readonly<Record<OwnPosition, string | null>>>> = {
  leader: { claims: "lead", follows: "follow cluster2", "has no manifest": "hold AG5006" },
  invalid: { claims: "hold AG5004", follows: "hold AG5004", "has no manifest": "hold AG5004" },
  leaderless: { claims: null, follows: "hold AG5001", "has no manifest": "hold AG5001" },
  conflict: { claims: "hold AG5002", follows: "hold AG5002", "has no manifest": "hold AG5002" },
  unknown: { claims: "hold AG5003", follows: "hold AG5003", "has no manifest": "hold AG5003" },
};

/** What the office makes of it: a claim demotes everybody else, also where nothing may be exported or applied. */
const DESIGNATIONS: Readonly<Record<LeadershipKind, Readonly<Record<OwnPosition, Designation | null>>>> = {
  leader: { claims: "leader", follows: "follower", "has no manifest": "follower" },
  invalid: { claims: "undecided", follows: "follower", "has no manifest": "follower" },
  leaderless: { claims: null, follows: "follower", "has no manifest": "undecided" },
  conflict: { claims: "undecided", follows: "undecided", "has no manifest": "undecided" },
  unknown: { claims: "undecided", follows: "undecided", "has no manifest": "undecided" },
};

/** Somebody else has this cluster's name: it may step down, never up, and holds. */
const DESIGNATIONS_OF_AN_IMPOSTOR: typeof DESIGNATIONS = {
  leader: { claims: "undecided", follows: "follower", "has no manifest": "follower" },
  invalid: { claims: "undecided", follows: "follower", "has no manifest": "follower" },
  leaderless: { claims: null, follows: "undecided", "has no manifest": "undecided" },
  conflict: { claims: "undecided", follows: "undecided", "has no manifest": "undecided" },
  unknown: { claims: "undecided", follows: "undecided", "has no manifest": "undecided" },
};

const self = cluster("cluster1");
const impostor = problem("AG5008", "the repository knows another cluster as cluster1");

function amkoCluster(version = "1.4.2"): LiveObject {
  return live("AMKOCluster", { name: "amkocluster-federation", spec: { clusterContext: "cluster1", version } });
}

function viewOf(files: readonly RevisionFile[]): FederationView {
  return evaluate(files, schemas());
}

function inWords(role: Role): string {
  switch (role.kind) {
    case "lead":
      return "lead";
    case "follow":
      return `follow ${role.leader}`;
    case "hold":
      return `hold ${role.problem.code}`;
    default:
      return role satisfies never;
  }
}

const CELLS = Object.entries(REVISIONS).flatMap(([leadership, positions]) =>
  Object.entries(positions).flatMap(([position, files]) =>
    files === null ? [] : [{ leadership: leadership as LeadershipKind, position: position as OwnPosition, files }],
  ),
);

describe("a cluster", () => {
  it.each(CELLS)("takes its role: leadership $leadership, it $position", ({ leadership, position, files }) => {
    const view = viewOf(files);
    expect(view.leadership.kind).toBe(leadership);
    const role = takeRole({ self, view, amkoCluster: amkoCluster(), identity: null });
    expect(inWords(role)).toBe(ROLES[leadership][position]);
  });

  it.each(CELLS)("is designated: leadership $leadership, it $position", ({ leadership, position, files }) => {
    const view = viewOf(files);
    expect(designate({ self, view, identity: null })).toBe(DESIGNATIONS[leadership][position]);
  });

  it.each(CELLS)("under a name of another: leadership $leadership, it $position", ({ leadership, position, files }) => {
    const view = viewOf(files);
    const role = takeRole({ self, view, amkoCluster: amkoCluster(), identity: impostor });
    expect(role).toEqual({ kind: "hold", problem: impostor });
    expect(designate({ self, view, identity: impostor })).toBe(DESIGNATIONS_OF_AN_IMPOSTOR[leadership][position]);
  });

  it("that leads knows its members, the excluded ones with the reason", () => {
    const files = withFiles(federation(), manifest("cluster3", { version: "1.5.1" }));
    const role = takeRole({ self, view: viewOf(files), amkoCluster: amkoCluster(), identity: null });
    if (role.kind !== "lead") throw new Error(role.kind);
    expect(role.members).toMatchObject([
      { cluster: "cluster2", problem: null },
      {
        cluster: "cluster3",
        problem: {
          code: "AG5007",
          message: "version mismatch, current AMKO: 1.4.2, AMKO in cluster cluster3: 1.5.1",
        },
      },
    ]);
  });

  it.each<{ when: string; files: readonly RevisionFile[]; gives: string }>([
    {
      when: "the leader does not list it",
      files: withFiles(
        federation({ leader: "cluster2" }),
        manifest("cluster2", { isLeader: true, clusters: ["cluster3"] }),
      ),
      gives: "hold AG5005",
    },
    {
      when: "its own manifest is invalid",
      files: withFiles(federation({ leader: "cluster2" }), manifest("cluster1", { clusterContext: "other" })),
      gives: "hold AG5010",
    },
    {
      when: "its manifest has another version than the leader's",
      files: withFiles(federation({ leader: "cluster2" }), manifest("cluster1", { version: "1.3.0" })),
      gives: "hold AG5007",
    },
    {
      when: "the leader's list does not name the leader",
      files: withFiles(
        federation({ leader: "cluster2" }),
        manifest("cluster2", { isLeader: true, clusters: ["cluster1"] }),
      ),
      gives: "follow cluster2",
    },
  ])("answers $gives when $when", ({ files, gives }) => {
    const role = takeRole({ self, view: viewOf(files), amkoCluster: amkoCluster(), identity: null });
    expect(inWords(role)).toBe(gives);
  });
});

describe("the version of AMKO here", () => {
  const view = viewOf(federation());
  const own = view.manifests.get(self);

  it.each([
    ["fits", "1.4.2", null],
    ["is another", "1.5.1", "version mismatch, current AMKO: 1.5.1, AMKO in cluster cluster1: 1.4.2 (by its manifest)"],
    ["is not set", "", "version mismatch, current AMKO: (none), AMKO in cluster cluster1: 1.4.2 (by its manifest)"],
  ])("%s", (_, version, message) => {
    expect(versionMismatch(own, amkoCluster(version))?.message ?? null).toBe(message);
  });

  it("holds a cluster that would lead or follow, but lets it step down", () => {
    const other = viewOf(federation({ leader: "cluster2" }));
    expect(inWords(takeRole({ self, view, amkoCluster: amkoCluster("9"), identity: null }))).toBe("hold AG5007");
    expect(inWords(takeRole({ self, view: other, amkoCluster: amkoCluster("9"), identity: null }))).toBe("hold AG5007");
    expect(designate({ self, view: other, identity: null })).toBe("follower");
  });

  it("is not asked for where there is no manifest", () => {
    expect(versionMismatch(undefined, amkoCluster("9"))).toBeNull();
  });
});
