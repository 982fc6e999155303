import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type LiveObject, NAMESPACE } from "../../src/core/model.ts";
import type { ClusterSettings } from "../../src/kubernetes/cluster.ts";
import type { Cluster } from "../../src/ports.ts";
import { askAsAdmin, type Gate, openGate } from "../kubernetes/gate.ts";
import { never, open, plainConnection, systemClock, uid, version } from "../kubernetes/support.ts";
import { watchContract } from "./cluster-watch.ts";
import {
  amkoCluster,
  type ClusterWorld,
  CONFIG_MAP_PATH,
  DEFINITIONS_PATH,
  EVENTS_PATH,
  emptyNamespace,
  errorOf,
  gslbConfig,
  installDefinitions,
  pathOf,
  policy,
  SECRETS_PATH,
  STATEFUL_SETS_PATH,
  statefulSet,
  target,
} from "./cluster-world.ts";

const SHORT_MS = 1_500;

const real = { dryRun: false };
const dry = { dryRun: true };

/**
 * What every {@link Cluster} does, tried through a gate that breaks things on demand. It needs nothing of the API
 * server but what each one has, so that it runs on the embedded one and on a real kube-apiserver unchanged.
 */
export function clusterContract(name: string, makeWorld: () => Promise<ClusterWorld>): void {
  describe(`a cluster: ${name}`, () => {
    let world: ClusterWorld;
    let gate: Gate;
    let cluster: Cluster;

    const admin = (method: string, path: string, body?: unknown) => askAsAdmin(world.upstream, method, path, body);
    const connect = (settings: Partial<ClusterSettings> = {}) => open(gate.url, settings).cluster;

    beforeAll(async () => {
      world = await makeWorld();
      await admin("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
      await installDefinitions(world.upstream);
    });
    afterAll(() => world.stop());

    beforeEach(async () => {
      await emptyNamespace(world.upstream);
      gate = await openGate(world.upstream);
      cluster = connect();
    });
    afterEach(async () => {
      await gate.close();
      expect(gate.requests.filter((request) => !/^[A-Z]+ \S*\/namespaces\/avi-system(?![^/?])/.test(request))).toEqual(
        [],
      );
    });

    describe("objects", () => {
      it("are listed with everything that stands in them", async () => {
        expect(await cluster.list("GSLBConfig", never)).toEqual([]);
        const labels = { "helm.sh/chart": "amko" };
        const annotations = { "amko.vmware.com/amko-uuid": "u-1", "example.com/note": "mine" };
        await admin("POST", pathOf("GSLBConfig"), gslbConfig({ labels, annotations }, { refreshInterval: 300 }));
        expect(await cluster.list("GSLBConfig", never)).toMatchObject([
          {
            apiVersion: "amko.vmware.com/v1alpha1",
            kind: "GSLBConfig",
            metadata: {
              name: "gc-1",
              labels,
              annotations,
              uid: expect.any(String),
              resourceVersion: expect.any(String),
            },
            spec: { refreshInterval: 300 },
          },
        ]);
        expect(await cluster.list("GlobalDeploymentPolicy", never)).toEqual([]);
      });

      it("are created once, under the agent's name", async () => {
        const created = await cluster.create(gslbConfig(), real, never);
        expect(created.metadata.managedFields).toContainEqual(expect.objectContaining({ manager: "amko-gitops" }));
        expect(await cluster.list("GSLBConfig", never)).toMatchObject([{ metadata: { uid: created.metadata.uid } }]);
        await expect(cluster.create(gslbConfig(), real, never)).rejects.toMatchObject({ code: "AG3016" });
      });

      it("have no annotations rather than empty ones", async () => {
        const created = await cluster.create(gslbConfig({ labels: {}, annotations: { a: "1" } }), real, never);
        expect(created.metadata).not.toHaveProperty("labels");
        const patch = [{ op: "remove", path: "/metadata/annotations/a" }] as const;
        expect((await cluster.patch(target(created), patch, real, never)).metadata).not.toHaveProperty("annotations");
      });

      it("are refused with the field's name when they do not fit their schema", async () => {
        for (const options of [dry, real]) {
          const error = await errorOf(cluster.create(policy({ ttl: 86_401 }), options, never));
          expect(error).toMatchObject({ code: "AG3007", message: expect.stringContaining("spec.ttl") });
        }
        expect(await cluster.list("GlobalDeploymentPolicy", never)).toEqual([]);
      });

      it("are returned by a dry run as they would be kept, with defaults and without unknown fields", async () => {
        const spec = { trafficSplit: [{ cluster: "east" }], ttl: 10, invented: true };
        const shown = await cluster.create(policy(spec), dry, never);
        expect(shown.spec).toEqual({ trafficSplit: [{ cluster: "east", priority: 10, weight: 1 }], ttl: 10 });
        expect(await cluster.list("GlobalDeploymentPolicy", never)).toEqual([]);
      });

      it("are listed as their definition of today has them, whatever it was when they were created", async () => {
        const path = `${DEFINITIONS_PATH}/globaldeploymentpolicies.amko.vmware.com`;
        const { body: before } = await admin("GET", path);
        const redefine = async (spec: unknown, shown: object): Promise<void> => {
          await admin("PATCH", path, { spec });
          for (let seen: unknown; !isDeepStrictEqual(seen, shown); ) {
            seen = (await admin("GET", pathOf("GlobalDeploymentPolicy"))).body.items?.[0]?.spec;
          }
        };
        await cluster.create(policy({ ttl: 10, defaultDomain: "example.com" }), real, never);
        const text = JSON.stringify(before.spec).replace('"defaultDomain":', '"formerDomain":');
        const after = JSON.parse(text.replace('"ttl":', '"dnsMode":{"type":"string","default":"auto"},"ttl":'));
        await redefine(after, { dnsMode: "auto", ttl: 10 });
        expect(await cluster.list("GlobalDeploymentPolicy", never)).toMatchObject([{ spec: { dnsMode: "auto" } }]);
        await redefine(before.spec, { defaultDomain: "example.com", ttl: 10 });
      });

      it("with an integer beyond what JavaScript keeps are an error, not a rounded number", async () => {
        const body = JSON.stringify(gslbConfig({}, { refreshInterval: 0 })).replace(":0}", ":9007199254740993}");
        expect((await admin("POST", pathOf("GSLBConfig"), body)).status).toBe(201);
        const error = await errorOf(cluster.list("GSLBConfig", never));
        expect(error).toMatchObject({ code: "AG1014", message: expect.stringContaining("spec.refreshInterval") });
      });
    });

    describe("a patch", () => {
      let live: LiveObject;

      beforeEach(async () => {
        const labels = { "helm.sh/chart": "amko" };
        const annotations = { "example.com/note": "mine" };
        live = await cluster.create(
          gslbConfig({ labels, annotations }, { logLevel: "INFO", refreshInterval: 300 }),
          real,
          never,
        );
      });

      const removal = [{ op: "remove", path: "/spec/refreshInterval" }] as const;
      const level = (value: string) => [{ op: "replace", path: "/spec/logLevel", value }] as const;

      it("changes what it names, and leaves labels and annotations of others", async () => {
        const patch = [
          ...removal,
          ...level("WARN"),
          { op: "add", path: "/metadata/annotations/amko-gitops.io~1base", value: "b" },
        ] as const;
        const patched = await cluster.patch(target(live), patch, real, never);
        expect(patched).toMatchObject({
          metadata: { uid: live.metadata.uid, labels: { "helm.sh/chart": "amko" } },
          spec: { logLevel: "WARN" },
        });
        expect(patched.metadata.annotations).toEqual({ "example.com/note": "mine", "amko-gitops.io/base": "b" });
        expect(patched.spec).not.toHaveProperty("refreshInterval");
        expect(patched.metadata.resourceVersion).not.toBe(live.metadata.resourceVersion);
        expect(await cluster.list("GSLBConfig", never)).toMatchObject([{ spec: { logLevel: "WARN" } }]);
      });

      it("as a dry run shows the result and changes nothing", async () => {
        const shown = await cluster.patch(target(live), level("WARN"), dry, never);
        expect(shown.spec).toMatchObject({ logLevel: "WARN" });
        expect(await cluster.list("GSLBConfig", never)).toMatchObject([
          { spec: { logLevel: "INFO" }, metadata: { resourceVersion: live.metadata.resourceVersion } },
        ]);
      });

      it.each([
        ["of a field that is still there", level("WARN")],
        ["of a field that is gone", removal],
      ])("made for an older version is a conflict: %s", async (_what, patch) => {
        await cluster.patch(target(live), [...level("ERROR"), ...removal], real, never);
        for (const options of [dry, real]) {
          expect(await errorOf(cluster.patch(target(live), patch, options, never))).toMatchObject({ code: "AG3004" });
        }
        expect(await cluster.list("GSLBConfig", never)).toMatchObject([{ spec: { logLevel: "ERROR" } }]);
      });

      it("of an object that was replaced by another of its name is a conflict", async () => {
        await admin("DELETE", `${pathOf("GSLBConfig")}/gc-1`);
        await cluster.create(gslbConfig({}, { logLevel: "INFO" }), real, never);
        expect(await errorOf(cluster.patch(target(live), level("WARN"), real, never))).toMatchObject({
          code: "AG3004",
        });
      });

      it("of an object that is gone says so", async () => {
        await admin("DELETE", `${pathOf("GSLBConfig")}/gc-1`);
        expect(await errorOf(cluster.patch(target(live), level("WARN"), real, never))).toMatchObject({
          code: "AG3010",
        });
      });

      it("is refused with the field's name when the result does not fit the schema", async () => {
        const error = await errorOf(cluster.patch(target(live), level("LOUD"), real, never));
        expect(error).toMatchObject({ code: "AG3007", message: expect.stringContaining("spec.logLevel") });
      });
    });

    describe("a status", () => {
      it("is written beside the spec, and only while nobody else wrote", async () => {
        const live = await cluster.create(amkoCluster(), real, never);
        const conditions = [{ type: "Synced", status: "True", reason: "main@sha1:1" }];
        const patch = [{ op: "add", path: "/status", value: { conditions } }] as const;
        const patched = await cluster.patchStatus(target(live), patch, never);
        expect(patched).toMatchObject({ spec: live.spec, status: { conditions } });
        expect(await errorOf(cluster.patchStatus(target(live), patch, never))).toMatchObject({ code: "AG3004" });
      });

      it("survives a patch of the spec", async () => {
        const live = await cluster.create(amkoCluster(), real, never);
        const conditions = [{ type: "Synced", status: "True", reason: "main@sha1:1" }];
        const told = await cluster.patchStatus(
          target(live),
          [{ op: "add", path: "/status", value: { conditions } }],
          never,
        );
        const patched = await cluster.patch(
          target(told),
          [{ op: "replace", path: "/spec/isLeader", value: true }],
          real,
          never,
        );
        expect(patched).toMatchObject({ spec: { isLeader: true }, status: { conditions } });
      });
    });

    describe("a removal", () => {
      it("removes exactly the version that was read, and succeeds when it is gone already", async () => {
        const live = await cluster.create(gslbConfig(), real, never);
        const newer = await cluster.patch(
          target(live),
          [{ op: "add", path: "/spec/logLevel", value: "WARN" }],
          real,
          never,
        );
        expect(await errorOf(cluster.remove(target(live), real, never))).toMatchObject({ code: "AG3004" });
        expect(await errorOf(cluster.remove({ ...target(newer), uid: uid("another") }, real, never))).toMatchObject({
          code: "AG3004",
        });
        await cluster.remove(target(newer), dry, never);
        expect(await cluster.list("GSLBConfig", never)).toHaveLength(1);
        await cluster.remove(target(newer), real, never);
        expect(await cluster.list("GSLBConfig", never)).toEqual([]);
        await cluster.remove(target(newer), real, never);
      });

      it("leaves an object that a finalizer holds, marked as being deleted", async () => {
        const live = await cluster.create(gslbConfig({ finalizers: ["example.com/hold"] }), real, never);
        await cluster.remove(target(live), real, never);
        expect(await cluster.list("GSLBConfig", never)).toMatchObject([
          { metadata: { deletionTimestamp: expect.any(String), finalizers: ["example.com/hold"] } },
        ]);
      });
    });

    describe("what is not AMKO's", () => {
      it("is the namespace, with its uid", async () => {
        const { body } = await admin("GET", `/api/v1/namespaces/${NAMESPACE}`);
        expect(await cluster.readNamespace(never)).toEqual({ uid: body.metadata.uid, terminating: false });
      });

      it("is the ConfigMap, which only one of two writers changes at a time", async () => {
        expect(await cluster.readConfigMap(never)).toBeNull();
        const first = await cluster.writeConfigMap({ a: "1" }, null, never);
        expect(await errorOf(cluster.writeConfigMap({ a: "2" }, null, never))).toMatchObject({ code: "AG3016" });
        const second = await cluster.writeConfigMap({ b: "2" }, first.resourceVersion, never);
        expect(second).toMatchObject({ uid: first.uid, data: { b: "2" } });
        expect(second.data).toEqual({ b: "2" });
        expect(await errorOf(cluster.writeConfigMap({ c: "3" }, first.resourceVersion, never))).toMatchObject({
          code: "AG3004",
        });
        expect(await cluster.readConfigMap(never)).toEqual(second);
        await admin("DELETE", CONFIG_MAP_PATH);
        expect(await errorOf(cluster.writeConfigMap({ c: "3" }, second.resourceVersion, never))).toMatchObject({
          code: "AG3010",
        });
      });

      it("keeps what others wrote on the ConfigMap", async () => {
        await cluster.writeConfigMap({ a: "1" }, null, never);
        await admin("PATCH", CONFIG_MAP_PATH, { metadata: { labels: { team: "lb" } }, data: null });
        const read = await cluster.readConfigMap(never);
        expect(read?.data).toEqual({});
        await cluster.writeConfigMap({ b: "2" }, read?.resourceVersion ?? version(""), never);
        const { body } = await admin("GET", CONFIG_MAP_PATH);
        expect(body).toMatchObject({ metadata: { labels: { team: "lb" } }, data: { b: "2" } });
      });

      it("is AMKO's StatefulSet: its containers, and whether every pod runs the newest revision", async () => {
        expect(await cluster.readWorkload(never)).toBeNull();
        await admin("POST", STATEFUL_SETS_PATH, statefulSet("amko", "amko-federator"));
        expect(await cluster.readWorkload(never)).toEqual({
          containers: ["amko", "amko-federator"],
          revision: null,
          rolledOut: false,
        });
        const tell = (status: object) =>
          admin("PATCH", `${STATEFUL_SETS_PATH}/amko/status`, { status: { replicas: 1, ...status } });
        await tell({ updateRevision: "amko-1", currentRevision: "amko-1" });
        expect(await cluster.readWorkload(never)).toMatchObject({ revision: "amko-1", rolledOut: true });
        await tell({ updateRevision: "amko-2" });
        expect(await cluster.readWorkload(never)).toMatchObject({ revision: "amko-2", rolledOut: false });
      });

      it("is the members' kubeconfig in AMKO's Secret", async () => {
        expect(await cluster.readMembersKubeconfig(never)).toBeNull();
        const secret = (data: object) => ({
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "gslb-config-secret" },
          data,
        });
        await admin("POST", SECRETS_PATH, secret({}));
        expect(await cluster.readMembersKubeconfig(never)).toBeNull();
        const text = "kind: Config\n# für alle\n";
        await admin("PATCH", `${SECRETS_PATH}/gslb-config-secret`, {
          data: { "gslb-members": Buffer.from(text).toString("base64") },
        });
        expect(await cluster.readMembersKubeconfig(never)).toBe(text);
      });

      it("is an Event on an object, found as kubectl describe finds it, and counted when it repeats", async () => {
        const regarding = await cluster.create(amkoCluster(), real, never);
        let laterMs = 0;
        const clock = systemClock();
        const elapsedMs = (): number => clock.elapsedMs() + laterMs;
        const events = connect({ clock: { ...clock, nowMs: () => clock.nowMs() + laterMs, elapsedMs } });
        const event = { type: "Warning", reason: "Held", message: "Two clusters lead.", regarding } as const;
        await events.recordEvent(event, never);
        laterMs = 61_000;
        await events.recordEvent(event, never);
        const selector = `involvedObject.uid=${regarding.metadata.uid},involvedObject.kind=AMKOCluster`;
        const { body } = await admin("GET", `${EVENTS_PATH}?fieldSelector=${encodeURIComponent(selector)}`);
        expect(body.items).toMatchObject([
          {
            type: "Warning",
            reason: "Held",
            message: "Two clusters lead.",
            count: 2,
            source: { component: "amko-gitops" },
            reportingComponent: "amko-gitops",
          },
        ]);
      });
    });

    watchContract(() => ({ world, gate, cluster, admin, connect }));

    describe("a server in trouble", () => {
      it("that does not answer is given up in time", async () => {
        gate.set({ kind: "hang" });
        const impatient = connect({ timeoutMs: SHORT_MS });
        expect(await errorOf(impatient.list("GSLBConfig", never))).toMatchObject({ code: "AG3006" });
        expect(await errorOf(impatient.writeConfigMap({}, null, never))).toMatchObject({ code: "AG3006" });
        gate.set({ kind: "open" });
        expect(await impatient.list("GSLBConfig", never)).toEqual([]);
      });

      it("that asks to wait says for how long", async () => {
        gate.set({ kind: "refuse", status: 429, reason: "TooManyRequests", headers: { "Retry-After": "3" } });
        expect(await errorOf(cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3009", retryAfterMs: 3_000 });
      });

      it("that is not there cannot be reached", async () => {
        gate.set({ kind: "cut" });
        expect(await errorOf(cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3001" });
      });

      it("is reached again after a restart, on the connections of before", async () => {
        await cluster.create(gslbConfig(), real, never);
        await world.restart();
        expect(await cluster.list("GSLBConfig", never)).toHaveLength(1);
      });
    });

    it("lets in a token that was rotated in its file, at once", async () => {
      const folder = mkdtempSync(join(tmpdir(), "token-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const path = join(folder, "token");
      writeFileSync(path, "old");
      const connection = plainConnection(gate.url, { token: { kind: "file", path } });
      const rotating = connect({ connection });
      gate.demand("old");
      await rotating.list("GSLBConfig", never);
      gate.demand("new");
      expect(await errorOf(rotating.list("GSLBConfig", never))).toMatchObject({ code: "AG3002" });
      writeFileSync(path, "new");
      await rotating.list("GSLBConfig", never);
    });
  });
}
