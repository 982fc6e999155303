import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaGaps } from "../../src/core/schema-gaps.ts";
import { createInspector } from "../../src/kubernetes/inspector.ts";
import { type ApiServer, startApiServer } from "../../src/sandbox/api-server/server.ts";
import { asking, DEFINITIONS } from "../sandbox/api-server/support.ts";
import { schemas } from "../support/builders.ts";

let server: ApiServer;
let bare: ApiServer;
let folder: string;
const { signal } = new AbortController();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inspector-"));
  server = await startApiServer({ name: "cluster1", port: 0, definitions: DEFINITIONS });
  bare = await startApiServer({ name: "bare", port: 0, definitions: [] });
});

afterAll(async () => {
  await Promise.all([server, bare].map((one) => one.stop({ abruptly: true })));
  await rm(folder, { recursive: true });
});

async function inspect(url: string) {
  const kubeconfig = join(folder, `${new URL(url).port}.json`);
  const config = {
    "current-context": "one",
    contexts: [{ name: "one", context: { cluster: "one", user: "one" } }],
    clusters: [{ name: "one", cluster: { server: url } }],
    users: [{ name: "one", user: {} }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return createInspector({ connection: { kubeconfig, context: null }, timeoutMs: 5_000, nowMs: () => Date.now() });
}

describe("an inspector", () => {
  it("reads the server's version and clock", async () => {
    const { version, clockMs } = await (await inspect(server.url)).readServer(signal);
    expect(version).toMatch(/^v1\./);
    expect(Math.abs((clockMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it.each(["AMKOCluster", "GSLBConfig", "GlobalDeploymentPolicy"] as const)(
    "finds every field of %s where its CRD is installed, and nothing where it is not",
    async (kind) => {
      const published = await (await inspect(server.url)).readSchema(kind, signal);
      const { spec } = (published as { readonly properties: { readonly spec: never } }).properties;
      const wanted = schemas()[kind].schema.properties.get("spec");
      expect(wanted && schemaGaps(wanted, spec, "spec")).toEqual([]);
      expect(await (await inspect(bare.url)).readSchema(kind, signal)).toBeNull();
    },
  );

  it("asks whether it may", async () => {
    const right = { verb: "patch", group: "amko.vmware.com", resource: "amkoclusters/status", name: null } as const;
    expect(await (await inspect(server.url)).may(right, signal)).toBe(true);
  });
});

describe("the embedded API server", () => {
  it("answers a review of one's own access, and keeps nothing of it", async () => {
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: {} };
    const { code, body } = await asking(server)("POST", path, review);
    expect({ code, body }).toEqual({ code: 201, body: { ...review, status: { allowed: true } } });
    expect((await asking(server)("GET", path)).code).toBe(404);
  });
});
