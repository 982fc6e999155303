import { describe, expect, it } from "vitest";
import type { CommitId, JsonObject } from "../../src/core/model.ts";
import { noteRestart, type RestartFacts, type RestartRecord, restartFields } from "../../src/core/restart.ts";

const CLAIM = "a".repeat(40) as CommitId;
const NEXT_CLAIM = "b".repeat(40) as CommitId;

const LEADER = { controllerIP: "10.0.0.1", controllerVersion: "20.1.5", credentials: "avi", tenant: "admin" };
const SPEC: JsonObject = {
  gslbLeader: LEADER,
  memberClusters: [{ clusterContext: "cluster1" }],
  refreshInterval: 300,
  logLevel: "INFO",
};

const rolled = (revision: string) => ({ revision, rolledOut: true });
const rolling = (revision: string) => ({ revision, rolledOut: false });

/** Looks at the object, one look after the other; each look changes what it names. */
function look(...looks: readonly Partial<RestartFacts>[]): RestartRecord | null {
  let facts: RestartFacts = { record: null, claim: CLAIM, workload: rolled("amko-1"), spec: SPEC };
  for (const next of looks) {
    facts = { ...facts, ...next };
    facts = { ...facts, record: noteRestart(facts) };
  }
  return facts.record;
}

const leader = (changes: JsonObject): Partial<RestartFacts> => ({
  spec: { ...SPEC, gslbLeader: { ...LEADER, ...changes } },
});
const spec = (changes: JsonObject): Partial<RestartFacts> => ({ spec: { ...SPEC, ...changes } });

interface Case {
  readonly when: string;
  readonly looks: readonly Partial<RestartFacts>[];
  readonly fields: readonly string[];
}

describe("a running AMKO has to be restarted", () => {
  it.each<Case>([
    { when: "nothing changed", looks: [{}, {}], fields: [] },
    { when: "the agent is new here and knows no other state", looks: [spec({ refreshInterval: 60 })], fields: [] },
    {
      when: "a field was given the value that it has when it is not set",
      looks: [{}, spec({ useCustomGlobalFqdn: false })],
      fields: [],
    },
    {
      when: "its member clusters changed",
      looks: [{}, spec({ memberClusters: [{ clusterContext: "cluster2" }] })],
      fields: ["spec.memberClusters"],
    },
    {
      when: "the credentials changed",
      looks: [{}, leader({ credentials: "other" })],
      fields: ["spec.gslbLeader.credentials"],
    },
    {
      when: "the controller's version changed",
      looks: [{}, leader({ controllerVersion: "22.1.1" })],
      fields: ["spec.gslbLeader.controllerVersion"],
    },
    { when: "the tenant changed", looks: [{}, leader({ tenant: "t" })], fields: ["spec.gslbLeader.tenant"] },
    { when: "the interval changed", looks: [{}, spec({ refreshInterval: 60 })], fields: ["spec.refreshInterval"] },
    {
      when: "custom names were switched on",
      looks: [{}, spec({ useCustomGlobalFqdn: true })],
      fields: ["spec.useCustomGlobalFqdn"],
    },
    {
      when: "only the log level changed, which takes effect at once",
      looks: [{}, spec({ logLevel: "DEBUG" })],
      fields: [],
    },
    {
      when: "the controller's address changed too, which makes AMKO restart by itself",
      looks: [{}, leader({ tenant: "t", controllerIP: "10.0.0.2" })],
      fields: [],
    },
    {
      when: "a field was changed and changed back",
      looks: [{}, spec({ refreshInterval: 60 }), spec({})],
      fields: [],
    },
    {
      when: "the agent has looked many times since",
      looks: [{}, spec({ refreshInterval: 60 }), {}, {}],
      fields: ["spec.refreshInterval"],
    },
    {
      when: "it is being rolled at the moment",
      looks: [{}, spec({ refreshInterval: 60 }), { workload: rolling("amko-2") }],
      fields: ["spec.refreshInterval"],
    },
    {
      when: "it was rolled since",
      looks: [{}, spec({ refreshInterval: 60 }), { workload: rolling("amko-2") }, { workload: rolled("amko-2") }],
      fields: [],
    },
    {
      when: "it was rolled before the change, and both are seen at once",
      looks: [{}, { ...spec({ refreshInterval: 60 }), workload: rolled("amko-2") }],
      fields: ["spec.refreshInterval"],
    },
    {
      when: "it changed in the middle of a roll, and that roll is over",
      looks: [{}, { ...spec({ refreshInterval: 60 }), workload: rolling("amko-2") }, { workload: rolled("amko-2") }],
      fields: ["spec.refreshInterval"],
    },
    {
      when: "the cluster took office anew, and AMKO restarted with that",
      looks: [{}, spec({ refreshInterval: 60 }), { claim: NEXT_CLAIM }],
      fields: [],
    },
    {
      when: "the object is gone for a moment",
      looks: [{}, spec({ refreshInterval: 60 }), { spec: undefined }],
      fields: ["spec.refreshInterval"],
    },
    {
      when: "its StatefulSet is not there",
      looks: [{ workload: null }, spec({ refreshInterval: 60 })],
      fields: ["spec.refreshInterval"],
    },
  ])("$fields when $when", ({ looks, fields }) => {
    expect(restartFields(look(...looks))).toEqual(fields);
  });

  it("where nothing is known of it yet", () => {
    expect(look({ spec: undefined })).toBeNull();
    expect(restartFields(null)).toEqual([]);
  });
});
