import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { isInOffice, nextOfficeStep, type OfficeFacts, type OfficeStep } from "../../src/core/handover.ts";
import type { ClusterName, CommitId, Uid } from "../../src/core/model.ts";
import type { OfficeRecord } from "../../src/core/records.ts";
import type { Designation } from "../../src/core/role.ts";
import { cluster } from "../support/builders.ts";

const SELF = cluster("cluster1");
const OTHER = cluster("cluster2");
const THIRD = cluster("cluster3");
const UID = "uid-1" as Uid;
const CLAIM = "c".repeat(40) as CommitId;
const OLD_CLAIM = "d".repeat(40) as CommitId;
const OTHERS_CLAIM = "e".repeat(40) as CommitId;

const OFFICE: OfficeRecord = { amkoClusterUid: UID, claim: CLAIM, unconfirmed: [], unapplied: [] };

const TIMEOUT_MS = 60_000;
const CLAIMED_AT_MS = 1_000;

function facts(more: Partial<OfficeFacts> = {}): OfficeFacts {
  return {
    self: SELF,
    designation: "leader",
    localLeader: false,
    amkoClusterUid: UID,
    wasSucceeded: false,
    steppedDown: null,
    office: null,
    leading: new Map(),
    claim: null,
    handoverWithout: new Set(),
    nowMs: CLAIMED_AT_MS,
    handoverTimeoutMs: TIMEOUT_MS,
    ...more,
  };
}

/** How far this cluster came on its way into office, or what is left of an office. */
type OwnState =
  | "nothing"
  | "claimed, and read again"
  | "claimed by a process that died"
  | "in office"
  | "in office, its ref was deleted"
  | "in office, its ref holds another value"
  | "in office of another AMKOCluster"
  | "in office, half stepped down";
type OthersState = "nobody" | "another in office";
type LocalField = "leader" | "follower";
type Expected =
  | "serve"
  | "serve, put back"
  | "claim"
  | "claim anew"
  | "wait"
  | "wait, stand down"
  | "take office"
  | "step down"
  | "step down, release"
  | "rest";

interface Own extends Pick<OfficeFacts, "office" | "claim"> {
  readonly ref: CommitId | null;
  readonly steppedDown?: string;
}

const OWN: Readonly<Record<OwnState, Own>> = {
  nothing: { office: null, claim: null, ref: null },
  "claimed, and read again": { office: null, claim: { commit: CLAIM, atMs: CLAIMED_AT_MS }, ref: CLAIM },
  "claimed by a process that died": { office: null, claim: null, ref: OLD_CLAIM },
  "in office": { office: OFFICE, claim: null, ref: CLAIM },
  "in office, its ref was deleted": { office: OFFICE, claim: null, ref: null },
  "in office, its ref holds another value": {
    office: OFFICE,
    claim: null,
    ref: OLD_CLAIM,
  },
  "in office of another AMKOCluster": {
    office: { ...OFFICE, amkoClusterUid: "uid-0" as Uid },
    claim: null,
    ref: CLAIM,
  },
  "in office, half stepped down": {
    office: OFFICE,
    claim: null,
    ref: CLAIM,
    steppedDown: CLAIM,
  },
};

type Table = Readonly<Record<OwnState, Readonly<Record<OthersState, Readonly<Record<LocalField, Expected>>>>>>;

const always = (expected: Expected): Table[OwnState] => ({
  nobody: { leader: expected, follower: expected },
  "another in office": { leader: expected, follower: expected },
});

const AS_LEADER: Table = {
  nothing: always("claim"),
  "claimed, and read again": {
    nobody: { leader: "take office", follower: "take office" },
    "another in office": { leader: "wait, stand down", follower: "wait" },
  },
  "claimed by a process that died": always("claim anew"),
  "in office": {
    nobody: { leader: "serve", follower: "serve, put back" },
    "another in office": { leader: "serve", follower: "claim anew" },
  },
  "in office, its ref was deleted": always("claim"),
  "in office, its ref holds another value": always("claim anew"),
  "in office of another AMKOCluster": always("claim anew"),
  "in office, half stepped down": always("claim anew"),
};

const AS_FOLLOWER: Table = {
  nothing: {
    nobody: { leader: "step down", follower: "rest" },
    "another in office": { leader: "step down", follower: "rest" },
  },
  "claimed, and read again": always("step down, release"),
  "claimed by a process that died": always("step down, release"),
  "in office": always("step down, release"),
  "in office, its ref was deleted": always("step down"),
  "in office, its ref holds another value": always("step down, release"),
  "in office of another AMKOCluster": always("step down, release"),
  "in office, half stepped down": always("step down, release"),
};

const UNDECIDED: Table = {
  nothing: always("rest"),
  "claimed, and read again": always("rest"),
  "claimed by a process that died": always("rest"),
  "in office": always("rest"),
  "in office, its ref was deleted": always("rest"),
  "in office, its ref holds another value": always("rest"),
  "in office of another AMKOCluster": always("rest"),
  "in office, half stepped down": always("rest"),
};

/** The whole transition table: a cell that is missing does not compile. */
const TABLES: Readonly<Record<Designation, Table>> = {
  leader: AS_LEADER,
  follower: AS_FOLLOWER,
  undecided: UNDECIDED,
};

function inWords(step: OfficeStep): Expected {
  switch (step.kind) {
    case "serve":
      return step.putBack ? "serve, put back" : "serve";
    case "claim":
      return step.expected === null ? "claim" : "claim anew";
    case "wait":
      return step.standDown ? "wait, stand down" : "wait";
    case "take-office":
      return "take office";
    case "step-down":
      return step.release === null ? "step down" : "step down, release";
    case "rest":
      return "rest";
    default:
      return step satisfies never;
  }
}

function leadingOf(ref: CommitId | null, others: OthersState): ReadonlyMap<ClusterName, CommitId> {
  return new Map([
    ...(ref === null ? [] : [[SELF, ref] as const]),
    ...(others === "nobody" ? [] : [[OTHER, OTHERS_CLAIM] as const]),
  ]);
}

describe("the next step of an office", () => {
  const cells = Object.entries(TABLES).flatMap(([designation, table]) =>
    Object.entries(table).flatMap(([own, byOthers]) =>
      Object.entries(byOthers).flatMap(([others, byLocal]) =>
        Object.entries(byLocal).map(([local, expected]) => ({ designation, own, others, local, expected })),
      ),
    ),
  );
  it.each(cells)(
    "is $expected: designated $designation, $own, $others, local $local",
    ({ designation, own, others, local, expected }) => {
      const { ref, ...state } = OWN[own as OwnState];
      const step = nextOfficeStep(
        facts({
          ...state,
          designation: designation as Designation,
          leading: leadingOf(ref, others as OthersState),
          localLeader: local === "leader",
        }),
      );
      expect(inWords(step)).toBe(expected);
    },
  );
});

describe("a claim that another process of this cluster made over the one here", () => {
  const standing = (claim: OfficeFacts["claim"], ref: CommitId): OfficeStep =>
    nextOfficeStep(facts({ claim, leading: leadingOf(ref, "nobody") }));
  const claim = { commit: CLAIM, atMs: CLAIMED_AT_MS };
  const newer = "f".repeat(40) as CommitId;

  it("is as good, where it is known what stood there before", () => {
    expect(standing({ ...claim, replaced: OLD_CLAIM }, newer)).toMatchObject({ kind: "take-office", claim: newer });
    expect(standing({ ...claim, replaced: null }, newer)).toMatchObject({ kind: "take-office", claim: newer });
  });

  it("is none where it is what stood there before, or where that is not known", () => {
    expect(standing({ ...claim, replaced: OLD_CLAIM }, OLD_CLAIM)).toEqual({ kind: "claim", expected: OLD_CLAIM });
    expect(standing(claim, newer)).toEqual({ kind: "claim", expected: newer });
  });
});

describe("the wait for the former leader", () => {
  const { ref, ...claimed } = OWN["claimed, and read again"];
  const waiting = (more: Partial<OfficeFacts>): OfficeStep =>
    nextOfficeStep(facts({ ...claimed, leading: leadingOf(ref, "another in office"), ...more }));

  it("ends after the handover timeout, and says who has not confirmed", () => {
    const endMs = CLAIMED_AT_MS + TIMEOUT_MS;
    expect(waiting({ nowMs: endMs - 1 })).toEqual({ kind: "wait", others: [OTHER], untilMs: endMs, standDown: false });
    expect(waiting({ nowMs: endMs })).toEqual({
      kind: "take-office",
      claim: CLAIM,
      unconfirmed: new Map([[OTHER, OTHERS_CLAIM]]),
    });
  });

  it("lasts for ever without a timeout", () => {
    const step = waiting({ handoverTimeoutMs: null, nowMs: Number.MAX_SAFE_INTEGER });
    expect(step).toEqual({ kind: "wait", others: [OTHER], untilMs: null, standDown: false });
  });

  it("does not begin with a claim that is being given up here: it is made anew", () => {
    expect(waiting({ steppedDown: CLAIM })).toEqual({ kind: "claim", expected: CLAIM });
  });

  it("is skipped for the clusters that a failover names, and for them only", () => {
    const leading = new Map([...leadingOf(ref, "another in office"), [THIRD, OTHERS_CLAIM]]);
    expect(waiting({ handoverWithout: new Set([OTHER]) })).toEqual({
      kind: "take-office",
      claim: CLAIM,
      unconfirmed: new Map([[OTHER, OTHERS_CLAIM]]),
    });
    expect(waiting({ handoverWithout: new Set([OTHER]), leading })).toMatchObject({ kind: "wait", others: [THIRD] });
  });

  it("is no reason to leave the field at false beside a claim that was waited for, only beside a newer one", () => {
    const office = { ...OFFICE, unconfirmed: [OTHERS_CLAIM] };
    const beside = (claim: CommitId): OfficeStep =>
      nextOfficeStep(facts({ office, leading: new Map([...leadingOf(CLAIM, "nobody"), [OTHER, claim]]) }));
    expect(beside(OTHERS_CLAIM)).toEqual({ kind: "serve", putBack: true });
    expect(beside(OLD_CLAIM)).toEqual({ kind: "claim", expected: CLAIM });
  });

  it("ends at once with a timeout of nothing", () => {
    expect(waiting({ handoverTimeoutMs: 0 })).toMatchObject({ kind: "take-office" });
  });
});

describe("being in office", () => {
  it.each<[string, Partial<OfficeFacts>, boolean]>([
    ["needs the record and the very claim in git", {}, true],
    ["ends with the record", { office: null }, false],
    ["ends with the AMKOCluster", { amkoClusterUid: "uid-2" as Uid }, false],
    ["ends with the claim that was given up", { steppedDown: CLAIM }, false],
    ["outlives claims that were given up before", { steppedDown: OLD_CLAIM }, true],
    ["ends with the ref", { leading: new Map() }, false],
    ["ends with another claim", { leading: new Map([[SELF, OLD_CLAIM]]) }, false],
  ])("%s", (_, more, expected) => {
    expect(isInOffice(facts({ office: OFFICE, leading: new Map([[SELF, CLAIM]]), ...more }))).toBe(expected);
  });
});

// A small world: every agent reads, and later acts on what it read, one write at a time.

interface World {
  designated: ClusterName | null;
  readonly leading: Map<ClusterName, CommitId>;
  readonly clusters: ReadonlyMap<ClusterName, ClusterState>;
  claims: number;
}

interface ClusterState {
  /** The AMKOCluster: writes are refused unless they carry the version that was read. */
  amkoCluster: { readonly version: number; readonly isLeader: boolean; readonly steppedDown: string | null };
  configMap: { readonly version: number; readonly office: OfficeRecord | null };
}

/** Two processes per cluster, as in a rolling update; each forgets everything when it crashes. */
interface Process {
  readonly self: ClusterName;
  claim: OfficeFacts["claim"];
  /** What is left of the step that it takes; one write each, false where it was refused. */
  writes: (() => boolean)[];
}

type Event =
  | { readonly kind: "designate"; readonly to: ClusterName | null }
  | { readonly kind: "advance"; readonly process: number }
  | { readonly kind: "crash"; readonly process: number };

function makeWorld(): { readonly world: World; readonly processes: readonly Process[] } {
  const names = [SELF, OTHER, THIRD];
  const state = (name: ClusterName): ClusterState => ({
    amkoCluster: { version: 1, isLeader: name === SELF, steppedDown: null },
    configMap: { version: 1, office: name === SELF ? OFFICE : null },
  });
  const world: World = {
    designated: SELF,
    leading: new Map([[SELF, CLAIM]]),
    clusters: new Map(names.map((name) => [name, state(name)])),
    claims: 0,
  };
  const process = (self: ClusterName): Process => ({ self, claim: null, writes: [] });
  return { world, processes: [...names, ...names].map(process) };
}

/** Takes the next write of the step at hand; where there is none, reads and decides. */
function advance(world: World, process: Process): void {
  const write = process.writes.shift();
  if (write === undefined) process.writes = decide(world, process);
  else if (!write()) process.writes = [];
}

function decide(world: World, process: Process): (() => boolean)[] {
  const { self } = process;
  const cluster = world.clusters.get(self);
  if (cluster === undefined) return [];
  const { amkoCluster, configMap } = cluster;
  const refs = new Map(world.leading);
  let designation: Designation = "undecided";
  if (world.designated !== null) designation = world.designated === self ? "leader" : "follower";
  const step = nextOfficeStep(
    facts({
      self,
      designation,
      localLeader: amkoCluster.isLeader,
      steppedDown: amkoCluster.steppedDown,
      office: configMap.office,
      leading: refs,
      claim: process.claim,
      handoverTimeoutMs: null,
    }),
  );
  const setLeader = (isLeader: boolean, steppedDown: string | null) => () => {
    // What would change nothing is not sent, so that nobody notices that it is stale.
    if (amkoCluster.isLeader === isLeader && amkoCluster.steppedDown === steppedDown) return true;
    if (cluster.amkoCluster.version !== amkoCluster.version) return false;
    cluster.amkoCluster = { version: amkoCluster.version + 1, isLeader, steppedDown };
    return true;
  };
  const record = (office: OfficeRecord | null) => () => {
    if (cluster.configMap.version !== configMap.version) return false;
    cluster.configMap = { version: configMap.version + 1, office };
    return true;
  };
  const moveRef = (expected: CommitId | null, target: CommitId | null) => () => {
    if ((world.leading.get(self) ?? null) !== expected) return false;
    if (target === null) world.leading.delete(self);
    else world.leading.set(self, target);
    return true;
  };
  switch (step.kind) {
    case "serve":
      return step.putBack ? [setLeader(true, amkoCluster.steppedDown)] : [];
    case "claim": {
      world.claims += 1;
      const commit = String(world.claims).padStart(40, "0") as CommitId;
      const remember = (): boolean => {
        process.claim = { commit, atMs: 0 };
        return true;
      };
      return [moveRef(step.expected, commit), remember];
    }
    case "wait":
      return step.standDown ? [setLeader(false, amkoCluster.steppedDown)] : [];
    case "take-office":
      return [
        record({ amkoClusterUid: UID, claim: step.claim, unconfirmed: [...step.unconfirmed.values()], unapplied: [] }),
        setLeader(true, amkoCluster.steppedDown),
      ];
    case "step-down": {
      process.claim = null;
      const forget = configMap.office === null ? [] : [record(null)];
      const given = step.release ?? configMap.office?.claim ?? "none";
      return [setLeader(false, given), ...forget, ...(step.release === null ? [] : [moveRef(step.release, null)])];
    }
    case "rest":
      process.claim = null;
      return [];
    default:
      return step satisfies never;
  }
}

function events(): fc.Arbitrary<readonly Event[]> {
  const process = fc.nat({ max: 5 });
  return fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.record({ kind: fc.constant("advance" as const), process }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("designate" as const),
          to: fc.constantFrom(SELF, OTHER, THIRD, null),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), process }) },
    ),
    { maxLength: 120, size: "max" },
  );
}

function happen(event: Event, world: World, processes: readonly Process[]): void {
  if (event.kind === "designate") {
    world.designated = event.to;
    return;
  }
  const process = processes[event.process];
  if (process === undefined) return;
  if (event.kind === "advance") advance(world, process);
  else Object.assign(process, { claim: null, writes: [] });
}

function leaders(world: World): readonly ClusterName[] {
  return [...world.clusters].filter(([, { amkoCluster }]) => amkoCluster.isLeader).map(([name]) => name);
}

/**
 * A second process of cluster2 gives up the claim that the first one has just pushed, and the first one would take
 * office with it: between the field and the ref of the demotion.
 */
const A_CLAIM_THAT_IS_GIVEN_UP: readonly Event[] = [
  { kind: "designate", to: THIRD },
  ...advances(0, 0),
  { kind: "designate", to: OTHER },
  ...advances(0, 1, 1),
  { kind: "designate", to: SELF },
  ...advances(4),
  { kind: "designate", to: OTHER },
  ...advances(0, 4, 1, 1),
  { kind: "designate", to: THIRD },
  ...advances(4, 5, 5, 5, 5, 5, 1, 1, 5),
];

function advances(...processes: readonly number[]): readonly Event[] {
  return processes.map((process) => ({ kind: "advance", process }));
}

describe("whatever is designated, in whatever order agents read, write and die,", () => {
  test("at no moment do two clusters' objects say leader while the former one can read", () =>
    fc.assert(
      fc.property(events(), (history) => {
        const { world, processes } = makeWorld();
        for (const event of history) {
          happen(event, world, processes);
          expect(leaders(world).length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 1000, examples: [[A_CLAIM_THAT_IS_GIVEN_UP]] },
    ));

  test("the last one that is designated comes into office, alone", () =>
    fc.assert(
      fc.property(events(), fc.constantFrom(SELF, OTHER, THIRD), (history, last) => {
        const { world, processes } = makeWorld();
        for (const event of history) happen(event, world, processes);
        world.designated = last;
        // One process of each cluster lives on; what it has under way ends, then everything settles.
        for (let round = 0; round < 40; round += 1) {
          for (const process of processes.slice(0, 3)) advance(world, process);
        }
        expect(leaders(world)).toEqual([last]);
        expect([...world.leading.keys()]).toEqual([last]);
      }),
      { numRuns: 500 },
    ));
});
