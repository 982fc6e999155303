import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type CommitId, FEDERATED_KINDS, type Uid } from "../../src/core/model.ts";
import {
  formatRecords,
  formatRevision,
  parseCommitId,
  parseRecords,
  parseRevision,
  type Records,
} from "../../src/core/records.ts";

const A = "a".repeat(40) as CommitId;
const B = "b".repeat(40) as CommitId;
const UID = "6f2c1a8e-0000-4000-8000-000000000001" as Uid;

const NO_RECORDS: Records = {
  bases: { GSLBConfig: null, GlobalDeploymentPolicy: null },
  office: null,
  head: null,
  proposals: {},
  restart: null,
  owedFlip: null,
  flipOn: null,
};

const RECORDS: Records = {
  ...NO_RECORDS,
  bases: {
    GSLBConfig: { revision: A, amkoClusterUid: UID, exportId: "e1" },
    GlobalDeploymentPolicy: { revision: B, amkoClusterUid: UID, exportId: null },
  },
  office: { amkoClusterUid: UID, claim: B, unconfirmed: [A], unapplied: ["GSLBConfig"] },
  head: A,
  proposals: { config: { commit: B, digest: "d1", amkoClusterUid: UID, snapshots: { GSLBConfig: "s1" } } },
  owedFlip: UID,
  flipOn: B,
};

const DATA = {
  "base.GSLBConfig": `{"revision":"main@sha1:${A}","amkoClusterUid":"${UID}","exportId":"e1"}`,
  "base.GlobalDeploymentPolicy": `{"revision":"main@sha1:${B}","amkoClusterUid":"${UID}","exportId":null}`,
  office: `{"amkoClusterUid":"${UID}","claim":"${B}","unconfirmed":["${A}"],"unapplied":["GSLBConfig"]}`,
  head: `main@sha1:${A}`,
  "proposal.config": `{"commit":"${B}","digest":"d1","amkoClusterUid":"${UID}","snapshots":{"GSLBConfig":"s1"}}`,
  "owed-flip": UID,
  "flip-on": `main@sha1:${B}`,
};

describe("the records of an agent", () => {
  it("are written so that people can read them", () => {
    expect(formatRecords(RECORDS, "main", {})).toEqual(DATA);
    expect(parseRecords(DATA)).toEqual(RECORDS);
  });

  it("leave keys alone that are not theirs", () => {
    const foreign = { "rescue.GSLBConfig": "kept", note: "by hand" };
    expect(formatRecords(RECORDS, "main", foreign)).toEqual({ ...foreign, ...DATA });
    expect(formatRecords(NO_RECORDS, "main", { ...foreign, ...DATA })).toEqual(foreign);
  });

  it.each<[string, Record<string, string>]>([
    ["no JSON", { office: "{", "base.GSLBConfig": "x" }],
    ["JSON that is no object", { office: "[]", "base.GSLBConfig": "1", "base.GlobalDeploymentPolicy": "null" }],
    ["a string", { office: '"x"' }],
    ["no uid", { office: `{"claim":"${A}"}`, "base.GSLBConfig": `{"revision":"main@sha1:${A}"}` }],
    ["an empty uid", { office: `{"claim":"${A}","amkoClusterUid":""}` }],
    ["values of other types", { office: `{"claim":1,"amkoClusterUid":{}}`, "base.GSLBConfig": '{"revision":[]}' }],
    ["a short commit", { office: `{"claim":"abc","amkoClusterUid":"u"}`, head: "main@sha1:abc" }],
    ["upper case", { head: `main@sha1:${"A".repeat(40)}` }],
    ["nothing", {}],
  ])("count as not there when somebody broke them: %s", (_, data) => {
    expect(parseRecords(data)).toEqual(NO_RECORDS);
  });

  it("lose only what is broken", () => {
    expect(parseRecords({ ...DATA, office: "broken" })).toEqual({ ...RECORDS, office: null });
  });

  test("survive whatever text stands there", () =>
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(DATA)), fc.oneof(fc.string(), fc.json())), (data) => {
        expect(parseRecords(data)).toBeDefined();
      }),
    ));

  test("read back as they were written", () =>
    fc.assert(
      fc.property(records(), fc.constantFrom("main", "release/1.0", "a@sha1:b"), (written, branch) => {
        expect(parseRecords(formatRecords(written, branch, { other: "x" }))).toEqual(written);
      }),
    ));
});

describe("a revision", () => {
  it.each([
    [`main@sha1:${A}`, A],
    [`release/1@x@sha1:${A}`, A],
    [`main@sha1:${A}0`, null],
    [`main@sha1:${A}\n`, null],
    [A, null],
    ["", null],
  ])("is read of %j", (text, commit) => {
    expect(parseRevision(text)).toBe(commit);
  });

  it("is written with its branch", () => {
    expect(formatRevision("main", A)).toBe(`main@sha1:${A}`);
  });

  it("is told from other text", () => {
    expect(parseCommitId(A)).toBe(A);
    expect(parseCommitId(` ${A}`)).toBeNull();
    expect(parseCommitId("none")).toBeNull();
  });
});

function records(): fc.Arbitrary<Records> {
  const commit = fc.stringMatching(/^[0-9a-f]{40}$/) as fc.Arbitrary<string> as fc.Arbitrary<CommitId>;
  const amkoClusterUid = fc.string({ minLength: 1 }) as fc.Arbitrary<string> as fc.Arbitrary<Uid>;
  const base = fc.option(
    fc.record({ revision: commit, amkoClusterUid, exportId: fc.option(fc.string({ minLength: 1 })) }),
  );
  const digest = fc.string({ minLength: 1 });
  const snapshots = fc.record({ GSLBConfig: digest, GlobalDeploymentPolicy: digest }, { requiredKeys: [] });
  const proposal = fc.record({ commit, digest, amkoClusterUid, snapshots });
  const known = fc.record({
    bases: fc.record({ GSLBConfig: base, GlobalDeploymentPolicy: base }),
    office: fc.option(
      fc.record({
        amkoClusterUid,
        claim: commit,
        unconfirmed: fc.array(commit),
        unapplied: fc.subarray([...FEDERATED_KINDS]),
      }),
    ),
    head: fc.option(commit),
    owedFlip: fc.option(amkoClusterUid),
    flipOn: fc.option(commit),
    proposals: fc.record({ config: proposal, leader: proposal, version: proposal }, { requiredKeys: [] }),
  });
  return known.map((some) => ({ ...NO_RECORDS, ...some }));
}
