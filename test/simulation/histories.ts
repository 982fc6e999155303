import fc from "fast-check";
import type { Act, Backup, Change, History, Incident, MergeWay, Pass, Step, Trouble } from "./acts.ts";

const at = fc.nat({ max: 3 });
const kind = fc.nat({ max: 1 });
const change: fc.Arbitrary<Change> = fc.record({
  field: fc.nat({ max: 5 }),
  value: fc.oneof(
    { weight: 6, arbitrary: fc.constant("fresh" as const) },
    { weight: 1, arbitrary: fc.constant("gone" as const) },
    { weight: 1, arbitrary: fc.constant("older" as const) },
  ),
});
const way = fc.constantFrom<MergeWay>("push", "merge", "squash");

function act<Name extends Act["do"]>(name: Name, weight: number, rest: Record<string, fc.Arbitrary<unknown>> = {}) {
  const arbitrary = fc.record({ do: fc.constant(name), ...rest }) as unknown as fc.Arbitrary<Act>;
  return { weight, arbitrary };
}

/** What people do every day, and what goes wrong around them. */
export const acts: fc.Arbitrary<Act> = fc.oneof(
  act("edit", 14, { at, change }),
  act("delete", 2, { at, kind }),
  act("create", 2, { at, kind, otherName: fc.boolean() }),
  act("git edit", 7, { change }),
  act("git tombstone", 2, { kind }),
  act("git remove", 1, { kind }),
  act("git rename", 1, { kind }),
  act("git break", 1, { kind }),
  act("git roll back", 1, { kind, by: fc.nat({ max: 5 }) }),
  act("git rewind", 1, { by: fc.integer({ min: 1, max: 4 }) }),
  act("git rewrite", 1, { by: fc.integer({ min: 1, max: 4 }) }),
  act("accept rewrite", 2, { at }),
  act("git manifest", 1, { at, how: fc.constantFrom("unreadable", "invalid", "missing", "of another cluster") }),
  act("protect", 1, { protect: fc.boolean() }),
  act("lose uuid", 1, { at: fc.option(at, { freq: 4 }) }),
  act("flip", 9, { to: at, way, edit: fc.option(change, { freq: 2 }) }),
  act("flip without handover", 1, { to: at }),
  act("second claim", 1, { at }),
  act("nobody leads", 1),
  act("exclude", 1, { at, how: fc.constantFrom("version", "list") }),
  act("touch isLeader", 2, { at, value: fc.boolean() }),
  act("helm upgrade", 1, { at, newVersion: fc.boolean() }),
  act("suspend", 1, { at, forMs: fc.constantFrom(30_000, 600_000) }),
  act("time", 5, { ms: fc.constantFrom(1_000, 31_000, 61_000, 600_000) }),
  act("restore", 2, {
    at,
    what: fc.constantFrom<Backup>(
      "everything",
      "AMKOCluster",
      "GSLBConfig",
      "GlobalDeploymentPolicy",
      "ConfigMap",
      "GlobalDeploymentPolicy",
    ),
    back: fc.nat({ max: 9 }),
  }),
  act("reinstall", 1, { at }),
  act("rebuild", 1, { at, accepted: fc.boolean(), leads: fc.boolean() }),
  act("delete ref", 1, { at, purpose: fc.constantFrom("applied", "leading", "identity", "failed") }),
  act("merge proposal", 2, { at, way, topic: fc.constant("any") }),
  act("close proposal", 1, { at }),
  act("push away", 1, { at, away: fc.boolean() }),
  act("git away", 1, { at, away: fc.boolean() }),
  act("api away", 1, { at, away: fc.boolean() }),
  act("crd", 1, { at, kind, there: fc.boolean() }),
  act("uninstall", 1, { at }),
  act("federator", 1, { at, there: fc.boolean() }),
  act("credentials", 1, { without: fc.option(fc.nat({ max: 5 })) }),
  act("refuse", 1, { at, kind, refuse: fc.boolean() }),
);

const wake = fc.oneof(
  { weight: 4, arbitrary: fc.constant("cluster" as const) },
  { weight: 3, arbitrary: fc.constant("poll" as const) },
  { weight: 2, arbitrary: fc.constant("resync" as const) },
  { weight: 1, arbitrary: fc.constant("retry" as const) },
);

function pass(incidents: fc.Arbitrary<readonly Incident[]>): fc.Arbitrary<Pass> {
  const process = fc.oneof(
    { weight: 5, arbitrary: fc.constant(0 as const) },
    { weight: 1, arbitrary: fc.constant(1 as const) },
  );
  return fc.record({ do: fc.constant("pass" as const), at, process, wake, incidents });
}

const calmPass = pass(fc.constant([]));
/** What happens to another pass that comes in between: it may end in its middle. */
const passBetween = pass(
  fc.array(
    fc.record({
      on: fc.constant("write" as const),
      nth: fc.nat({ max: 2 }),
      moment: fc.constantFrom("before" as const, "after" as const),
      what: fc.constantFrom<Trouble>({ do: "crash" }, { do: "fail", how: "cut" }),
    }),
    { maxLength: 1 },
  ),
);

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "crash" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      how: fc.constantFrom("cut", "cut", "refused", "conflict"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("late" as const), steps: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("act" as const), act: acts }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), pass: passBetween }) },
);

/** Most strike at a request that changes something: there it hurts. */
const incident: fc.Arbitrary<Incident> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      on: fc.constant("write" as const),
      nth: fc.nat({ max: 4 }),
      moment: fc.constantFrom("before", "after", "after"),
      what: trouble,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      on: fc.constant("request" as const),
      nth: fc.nat({ max: 30 }),
      moment: fc.constantFrom("before", "after"),
      what: trouble,
    }),
  },
);

const troubledPass = pass(fc.array(incident, { minLength: 1, maxLength: 2 }));

/** A calm pass only lets the federation go on; a troubled one is where things go wrong. */
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: acts as fc.Arbitrary<Step> },
  { weight: 7, arbitrary: calmPass as fc.Arbitrary<Step> },
  { weight: 7, arbitrary: troubledPass as fc.Arbitrary<Step> },
);

const settings: fc.Arbitrary<NonNullable<History["settings"]>> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        localDesignation: fc.constantFrom("propose", "commit"),
        historyRewrite: fc.constantFrom("halt", "follow"),
        drift: fc.constantFrom("correct", "report"),
        batchWindowMs: fc.constantFrom(0, 2000),
        ackIntervalMs: fc.constantFrom(0, 5000),
      },
      { requiredKeys: [] },
    ),
  },
);

/** Random histories of a federation that has come to rest once. */
export function histories(options: Partial<Pick<History, "handoverTimeoutMs">> = {}): fc.Arbitrary<History> {
  const timeout = fc.constantFrom<number | null>(null, 60_000);
  return fc.record({
    clusters: fc.oneof(
      { weight: 6, arbitrary: fc.constant(3 as const) },
      { weight: 2, arbitrary: fc.constant(2 as const) },
      { weight: 1, arbitrary: fc.constant(4 as const) },
    ),
    publish: fc.oneof(
      { weight: 5, arbitrary: fc.constant("direct" as const) },
      { weight: 1, arbitrary: fc.constant("propose" as const) },
    ),
    handoverTimeoutMs: options.handoverTimeoutMs === undefined ? timeout : fc.constant(options.handoverTimeoutMs),
    settings,
    members: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    steps: fc.array(steps, { minLength: 3, maxLength: 22, size: "max" }),
  });
}
