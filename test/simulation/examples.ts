import type { History, Step } from "./acts.ts";

/** A history that once broke an invariant, as it was found and made small. */
export interface Example {
  readonly name: string;
  readonly history: History;
}

const pass = (at: number): Step => ({ do: "pass", at, process: 0, wake: "resync", incidents: [] });

function example(name: string, steps: readonly Step[], rest: Partial<History> = {}): Example {
  return { name, history: { clusters: 3, publish: "direct", handoverTimeoutMs: null, ...rest, steps } };
}

export const EXAMPLES: readonly Example[] = [
  example("what is deleted on a cluster that claimed and waits for its office comes back, and is no tombstone", [
    { do: "flip", to: 1, way: "push", edit: null },
    pass(1),
    pass(0),
    { do: "delete", at: 1, kind: 0 },
  ]),
  example("a claim that git did not let go is given up at the next resync", [
    { do: "flip", to: 2, way: "push", edit: null },
    { ...pass(2), process: 1 } as Step,
    { do: "nobody leads" },
    pass(0),
    {
      do: "pass",
      at: 2,
      process: 0,
      wake: "cluster",
      incidents: [{ on: "write", nth: 1, moment: "before", what: { do: "fail", how: "refused" } }],
    },
  ]),
  example("what a leader took from the history, since the file was missing, does not win over a later edit in git", [
    { do: "git edit", change: { field: 3, value: "fresh" } },
    { do: "git remove", kind: 0 },
    { do: "pass", at: 0, process: 0, wake: "poll", incidents: [] },
    { do: "git edit", change: { field: 3, value: "fresh" } },
  ]),
  example(
    "who claimed, missed a flip away and is named again later waits anew for who led in between",
    [
      { do: "flip", to: 2, way: "push", edit: null },
      pass(2),
      { do: "flip", to: 0, way: "push", edit: null },
      { do: "time", ms: 600_000 },
      pass(0),
      { do: "flip", to: 2, way: "push", edit: null },
      pass(2),
      pass(2),
    ],
    { handoverTimeoutMs: 60_000 },
  ),
  example("a second merge before the first one was exported still names what the first one overrode", [
    { do: "git edit", change: { field: 1, value: "fresh" } },
    { do: "flip", to: 0, way: "push", edit: { field: 0, value: "fresh" } },
    { do: "edit", at: 0, change: { field: 1, value: "fresh" } },
    { do: "pass", at: 0, process: 0, wake: "cluster", incidents: [] },
    { do: "git edit", change: { field: 0, value: "fresh" } },
    {
      do: "pass",
      at: 0,
      process: 0,
      wake: "cluster",
      incidents: [{ on: "write", nth: 0, moment: "before", what: { do: "fail", how: "cut" } }],
    },
    { do: "edit", at: 0, change: { field: 1, value: "fresh" } },
  ]),
  example(
    "a proposal that people merged beside a renamed file, so that git has two, is no older state of git",
    [
      { do: "edit", at: 0, change: { field: 0, value: "fresh" } },
      pass(0),
      pass(0),
      { do: "git rename", kind: 1 },
      { do: "merge proposal", at: 0, way: "push", topic: "any" },
      pass(0),
    ],
    { publish: "propose" },
  ),
  example(
    "a leader whose object waits to be proposed over a tombstone does not acknowledge the tombstone",
    [
      { do: "git rename", kind: 1 },
      { do: "git edit", change: { field: 0, value: "fresh" } },
      pass(0),
      pass(0),
      { do: "git tombstone", kind: 1 },
    ],
    { publish: "propose" },
  ),
  example(
    "what was proposed, merged and then broken in git is proposed again, to heal it",
    [
      { do: "edit", at: 0, change: { field: 0, value: "fresh" } },
      pass(0),
      pass(0),
      { do: "merge proposal", at: 0, way: "push", topic: "any" },
      { do: "git break", kind: 1 },
    ],
    { publish: "propose" },
  ),
  example(
    "a rebuilt cluster with the ConfigMap of its former life leaves that life's proposal to people",
    [
      { do: "edit", at: 0, change: { field: 0, value: "fresh" } },
      pass(0),
      pass(0),
      { do: "rebuild", at: 0, accepted: true },
      { do: "restore", at: 0, what: "ConfigMap", back: 1 },
      pass(0),
      pass(0),
      pass(0),
    ],
    { publish: "propose" },
  ),
  example("an own export whose answer was lost does not win over the edit that takes it back", [
    { do: "edit", at: 0, change: { field: 0, value: "fresh" } },
    {
      do: "pass",
      at: 0,
      process: 0,
      wake: "resync",
      incidents: [{ on: "write", nth: 2, moment: "after", what: { do: "fail", how: "cut" } }],
    },
    { do: "edit", at: 0, change: { field: 0, value: "gone" } },
  ]),
  example("what could not be applied when it took office is no deletion", [
    { do: "flip", to: 1, way: "push", edit: null },
    { do: "refuse", at: 1, kind: 1, refuse: true },
    pass(0),
    { do: "delete", at: 1, kind: 1 },
    pass(1),
    pass(1),
    { do: "time", ms: 61_000 },
    pass(1),
  ]),
  example(
    "an agent that died while it withdrew a proposal does not take that for a person's refusal",
    [
      { do: "git remove", kind: 0 },
      pass(0),
      { do: "flip", to: 1, way: "push", edit: null },
      {
        do: "pass",
        at: 0,
        process: 0,
        wake: "poll",
        incidents: [{ on: "write", nth: 4, moment: "before", what: { do: "crash" } }],
      },
      { do: "flip", to: 0, way: "push", edit: null },
    ],
    { publish: "propose" },
  ),
  example(
    "the wait for who leads counts from when the claim stood, not from when its slow push began",
    [
      pass(0),
      { do: "flip", to: 1, way: "push", edit: null },
      {
        do: "pass",
        at: 1,
        process: 0,
        wake: "poll",
        incidents: [{ on: "write", nth: 3, moment: "before", what: { do: "act", act: { do: "time", ms: 61_000 } } }],
      },
      pass(1),
      pass(1),
    ],
    { handoverTimeoutMs: 60_000 },
  ),
  example("what a cluster exported before it was restored is news to it", [
    { do: "edit", at: 0, change: { field: 5, value: "fresh" } },
    { do: "pass", at: 0, process: 0, wake: "poll", incidents: [] },
    { do: "restore", at: 0, what: "everything", back: 1 },
    { do: "edit", at: 0, change: { field: 5, value: "fresh" } },
  ]),
  example(
    "what waits to be merged does not begin to wait for others anew, again and again",
    [
      { do: "git break", kind: 0 },
      { do: "pass", at: 0, process: 0, wake: "cluster", incidents: [] },
    ],
    { publish: "propose", settings: { batchWindowMs: 2000 } },
  ),
  example("a suspended agent does not take back what it proposed", [
    { do: "exclude", at: 0, how: "version" },
    pass(0),
    { do: "suspend", at: 0, forMs: 30_000 },
    pass(0),
  ]),
  example("what a leader deleted by a tombstone is no deletion by hand where the tombstone is gone again", [
    { do: "git tombstone", kind: 0 },
    {
      do: "pass",
      at: 0,
      process: 0,
      wake: "poll",
      incidents: [{ on: "write", nth: 2, moment: "before", what: { do: "crash" } }],
    },
    { do: "git rewind", by: 1 },
    pass(0),
  ]),
  example(
    "what two processes saw of a step-down, half before and half after it, is no designation by hand",
    [
      { do: "flip", to: 1, way: "push", edit: null },
      {
        do: "pass",
        at: 0,
        process: 0,
        wake: "resync",
        incidents: [
          {
            on: "request",
            nth: 6,
            moment: "before",
            what: { do: "pass", pass: { do: "pass", at: 0, process: 1, wake: "poll", incidents: [] } },
          },
        ],
      },
    ],
    { settings: { localDesignation: "commit" } },
  ),
  example(
    "a cluster at another version than its manifest's does not make itself the leader",
    [{ do: "flip", to: 1, way: "push", edit: null }, pass(0), { do: "helm upgrade", at: 0, newVersion: true }, pass(0)],
    { settings: { localDesignation: "commit" } },
  ),
  example(
    "a cluster whose manifest is invalid does not make itself the leader",
    [{ do: "git manifest", at: 2, how: "of another cluster" }, { do: "touch isLeader", at: 2, value: true }, pass(2)],
    { settings: { localDesignation: "commit" } },
  ),
  example("what landed is no export of the kind that was tried with it and refused since", [
    { do: "edit", at: 0, change: { field: 3, value: "fresh" } },
    { do: "edit", at: 0, change: { field: 0, value: "fresh" } },
    {
      do: "pass",
      at: 0,
      process: 0,
      wake: "resync",
      incidents: [
        {
          on: "write",
          nth: 0,
          moment: "before",
          what: { do: "act", act: { do: "flip", to: 0, way: "push", edit: { field: 4, value: "gone" } } },
        },
      ],
    },
    { do: "refuse", at: 0, kind: 0, refuse: true },
    pass(0),
    { do: "edit", at: 0, change: { field: 0, value: "fresh" } },
    pass(0),
  ]),
  example(
    "who was stood down by a successor, and missed it, waits for that one when it is named again",
    [{ do: "flip without handover", to: 1 }, pass(1), pass(1), { do: "flip", to: 0, way: "push", edit: null }, pass(0)],
    { members: true },
  ),
];
