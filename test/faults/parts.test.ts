import { describe, expect, it } from "vitest";
import { createDice } from "./dice.ts";
import { FAULT_KINDS } from "./fault-kinds.ts";
import { momentName, parseTime, planKills } from "./kills.ts";
import { cellName, cellsOf } from "./matrix.ts";
import { readOptions, sliceOf, WrongUsage } from "./options.ts";
import { nameRequest, type Side } from "./request-name.ts";
import { whySilent } from "./silence.ts";
import type { Asked } from "./stage.ts";
import { STEPS, stepNamed } from "./steps.ts";
import { formatTable } from "./table.ts";
import { tallyOf } from "./trial.ts";

const HERE = "/apis/amko.vmware.com/v1alpha1/namespaces/avi-system";
const ID = "0123456789abcdef0123456789abcdef01234567";
const NONE = "0".repeat(40);

function asked(name: string, more: Partial<Asked> = {}): Asked {
  return { role: "leader", side: "git", name, nth: 1, ...more };
}

describe("a request's name", () => {
  interface Case {
    readonly side: Side;
    readonly method: string;
    readonly url: string;
    readonly body?: string;
    readonly name: string;
  }
  it.each<Case>([
    { side: "api", method: "GET", url: `${HERE}/gslbconfigs?limit=500`, name: "GET gslbconfigs" },
    {
      side: "api",
      method: "GET",
      url: `${HERE}/amkoclusters?watch=true&resourceVersion=7`,
      name: "WATCH amkoclusters",
    },
    { side: "api", method: "PATCH", url: `${HERE}/amkoclusters/a/status`, name: "PATCH amkoclusters/{name}/status" },
    { side: "api", method: "POST", url: `${HERE}/gslbconfigs?dryRun=All`, name: "POST gslbconfigs (dry run)" },
    { side: "api", method: "GET", url: "/api/v1/namespaces/avi-system", name: "GET namespaces/{name}" },
    { side: "api", method: "PATCH", url: "/api/v1/namespaces/avi-system/events/a.1f", name: "PATCH events/{name}" },
    {
      side: "git",
      method: "POST",
      url: "/federation.git/git-upload-pack",
      body: "0014command=ls-refs\n",
      name: "POST git-upload-pack ls-refs",
    },
    {
      side: "git",
      method: "POST",
      url: "/federation.git/git-receive-pack",
      body: `00a0${ID} ${ID} refs/heads/main\0report-status`,
      name: "POST git-receive-pack main",
    },
    {
      side: "git",
      method: "POST",
      url: "/federation.git/git-receive-pack",
      body: `00a0${NONE} ${ID} refs/heads/amko/propose/cluster2/version\0report-status`,
      name: "POST git-receive-pack amko/propose/version",
    },
    {
      side: "git",
      method: "POST",
      url: "/federation.git/git-receive-pack",
      body: `00a0${ID} ${NONE} refs/heads/amko/leading/cluster1\0report-status`,
      name: "POST git-receive-pack amko/leading (deletion)",
    },
  ])("is $name", ({ side, method, url, body = "", name }) => {
    expect(nameRequest(side, { method, url, body: Buffer.from(body) })).toBe(name);
  });
});

describe("the matrix", () => {
  it("has a cell for every request and every fault, each under a name of its own", () => {
    const cells = cellsOf(stepNamed("edit"), [asked("POST git-receive-pack main"), asked("GET secrets/{name}")]);
    expect(new Set(cells.map(cellName)).size).toBe(2 * FAULT_KINDS.length);
    expect(cellName(cells[0] ?? cells[1] ?? never())).toBe("edit leader git POST git-receive-pack main #1 delay");
  });

  it("shows how many cells passed of how many, where they are not all", () => {
    const [first, second] = cellsOf(stepNamed("edit"), [asked("GET a")]);
    if (first === undefined || second === undefined) throw new TypeError("there are two faults at least");
    const verdict = { met: true, wrongs: [], codes: [], silence: null };
    const table = formatTable([
      { ...verdict, cell: first },
      { ...verdict, cell: second, met: false },
    ]);
    expect(table[1]).toMatch(/^git {3}GET a {4}\s*1\s+0\/1\s+0/);
  });

  it("lets nobody be silent who is refused, or hears nonsense", () => {
    for (const name of ["GET gslbconfigs", "POST events", "POST git-receive-pack main", "PATCH configmaps/{name}"]) {
      for (const fault of FAULT_KINDS.filter(({ name: kind }) =>
        ["401", "403", "500", "html", "hang"].includes(kind),
      )) {
        expect(whySilent({ step: stepNamed("edit"), asked: asked(name), fault })).toBeNull();
      }
    }
  });
});

describe("slices", () => {
  const all = Array.from({ length: 200 }, (_, place) => place);

  it.each([1, 3, 10, 17, 60])("%d of them hold everything once, and together all", (of) => {
    const held = STEPS.flatMap((step) =>
      Array.from({ length: of }, (_, index) => sliceOf(STEPS, { index, of })).flatMap(({ all: steps, within }) =>
        steps.includes(step) ? within(all).map((part) => `${step.name} ${part}`) : [],
      ),
    );
    expect(held.length).toBe(STEPS.length * all.length);
    expect(new Set(held).size).toBe(held.length);
  });

  it("begin anew beyond the last", () => {
    expect(readOptions(["--slice", "483290/60"]).slice).toEqual({ index: 50, of: 60 });
  });

  it.each(["--slice=1", "--slice=1/0", "--kills=0", "--kills=many", "--what"])("%s is wrong usage", (argument) => {
    expect(() => readOptions([argument])).toThrow(WrongUsage);
  });
});

describe("kills", () => {
  const recorded = new Map([
    [stepNamed("edit"), { asked: [asked("GET gslbconfigs"), asked("POST git-receive-pack main")], durationMs: 1000 }],
  ]);

  it("come again from the same seed", () => {
    const names = (seed: number) => planKills(recorded, 50, createDice(seed)).map(momentName);
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
  });

  it("come before and after every write first, and at random in between", () => {
    const names = planKills(recorded, 6, createDice(1)).map(momentName);
    const push = "edit leader git POST git-receive-pack main #1";
    expect(new Set(names.slice(0, 2))).toEqual(new Set([`${push} before`, `${push} after`]));
    expect(names.filter((name) => parseTime(name) !== null)).toHaveLength(2);
  });

  it("at random are found again by their name", () => {
    const moment = parseTime("edit follower at 317 ms");
    expect(moment === null ? null : momentName(moment)).toBe("edit follower at 317 ms");
    expect(parseTime("edit follower git POST git-receive-pack main #1 after")).toBeNull();
  });
});

describe("a run", () => {
  const [good, unmet, wrong] = [
    { met: true, wrongs: [] },
    { met: false, wrongs: [] },
    { met: true, wrongs: ["something is lost"] },
  ];
  const many = (count: number) => Array.from({ length: count }, () => good);

  it.each([
    ["where all passed", many(200), true],
    ["of nothing", [], false],
    ["where one went wrong", [...many(199), wrong], false],
    ["where one went wrong before what it is about", [...many(199), { met: false, wrongs: ["no rest"] }], false],
    ["where one request of a hundred was not made again", [...many(99), unmet], true],
    ["where two requests of a hundred were not made again", [...many(98), unmet, unmet], false],
    ["where no request was made again", [unmet], false],
  ])("%s", (_, endings, isGreen) => {
    expect(tallyOf(endings).isGreen).toBe(isGreen);
  });
});

function never(): never {
  throw new TypeError("there is a cell");
}
