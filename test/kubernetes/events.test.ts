import { describe, expect, it } from "vitest";
import type { LiveObject } from "../../src/core/model.ts";
import type { ClusterEvent } from "../../src/ports.ts";
import {
  answerJson,
  ManualClock,
  never,
  open,
  type Received,
  startScriptedServer,
  status,
  uid,
  version,
} from "./support.ts";

const regarding: LiveObject = {
  apiVersion: "amko.vmware.com/v1alpha1",
  kind: "AMKOCluster",
  metadata: { name: "amkocluster-federation", namespace: "avi-system", uid: uid("u-1"), resourceVersion: version("5") },
};

const event = (changes: Partial<ClusterEvent> = {}): ClusterEvent => ({
  type: "Normal",
  reason: "Applied",
  message: "Applied revision 1234.",
  regarding,
  ...changes,
});

const MINUTE_MS = 60_000;

async function recorder(answer: (request: Received) => readonly [number, object] = () => [201, {}]) {
  const server = await startScriptedServer((request, response) => answerJson(response, ...answer(request)));
  const clock = new ManualClock();
  const { cluster } = open(server.url, { clock });
  return {
    clock,
    record: (changes?: Partial<ClusterEvent>) => cluster.recordEvent(event(changes), never),
    sent: server.received,
  };
}

describe("an Event", () => {
  it("carries everything by which kubectl finds and shows it", async () => {
    const { record, sent } = await recorder();
    await record();
    expect(sent[0]).toMatchObject({
      method: "POST",
      path: "/api/v1/namespaces/avi-system/events",
      body: {
        metadata: { name: expect.stringMatching(/^amkocluster-federation\.[0-9a-f]{16}$/), namespace: "avi-system" },
        involvedObject: {
          apiVersion: "amko.vmware.com/v1alpha1",
          kind: "AMKOCluster",
          uid: "u-1",
          namespace: "avi-system",
        },
        source: { component: "amko-gitops" },
        reportingComponent: "amko-gitops",
        type: "Normal",
        count: 1,
        firstTimestamp: expect.stringMatching(/Z$/),
        lastTimestamp: expect.stringMatching(/Z$/),
      },
    });
  });

  it("is cut to 1,024 characters", async () => {
    const { record, sent } = await recorder();
    await record({ message: "x".repeat(5_000) });
    expect(sent[0]?.body).toMatchObject({ message: "x".repeat(1_024) });
  });

  it("that repeats is counted: dropped within a minute, written as a count after it", async () => {
    const { clock, record, sent } = await recorder();
    await record();
    await record();
    await record();
    expect(sent).toHaveLength(1);
    clock.advance(MINUTE_MS);
    await record();
    expect(sent[1]).toMatchObject({ method: "PATCH", headers: { "content-type": "application/json-patch+json" } });
    expect(sent[1]?.body).toMatchObject([{ path: "/count", value: 4 }, { path: "/lastTimestamp" }]);
  });

  it("is written anew after ten minutes also where the clock was set back meanwhile", async () => {
    const { clock, record, sent } = await recorder();
    await record();
    clock.set(-60 * MINUTE_MS);
    clock.advance(10 * MINUTE_MS);
    await record();
    expect(sent.map(({ method }) => method)).toEqual(["POST", "POST"]);
  });

  it("is written anew after ten minutes of silence", async () => {
    const { clock, record, sent } = await recorder();
    await record();
    clock.advance(10 * MINUTE_MS);
    await record();
    expect(sent.map(({ method }) => method)).toEqual(["POST", "POST"]);
  });

  it("is written anew when the server has forgotten it", async () => {
    const gone = status(404, "NotFound", { details: { kind: "events", name: "e" } });
    const { clock, record, sent } = await recorder(({ method }) => (method === "PATCH" ? [404, gone] : [201, {}]));
    await record();
    clock.advance(MINUTE_MS);
    await record();
    expect(sent.map(({ method }) => method)).toEqual(["POST", "PATCH", "POST"]);
  });

  it("that says something else, or of another object, is another one", async () => {
    const { record, sent } = await recorder();
    await record();
    await record({ message: "Applied revision 5678." });
    await record({ regarding: { ...regarding, metadata: { ...regarding.metadata, uid: uid("u-2") } } });
    expect(sent.map(({ method }) => method)).toEqual(["POST", "POST", "POST"]);
  });

  it("that could not be written is tried again by the next one", async () => {
    const { record, sent } = await recorder(() =>
      sent.length === 1 ? [500, status(500, "InternalError")] : [201, {}],
    );
    await expect(record()).rejects.toMatchObject({ code: "AG3001" });
    await record();
    expect(sent.map(({ method }) => method)).toEqual(["POST", "POST"]);
  });

  it("is remembered among the last 200, no more", async () => {
    const { record, sent } = await recorder();
    for (let turn = 0; turn <= 200; turn += 1) await record({ message: `message ${turn}` });
    await record({ message: "message 200" });
    await record({ message: "message 0" });
    expect(sent).toHaveLength(202);
  });
});
