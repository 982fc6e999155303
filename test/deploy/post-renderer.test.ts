import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../src/core/model.ts";
import { temporaryFolder, writeFiles } from "../support/git.ts";
import { createHelm, type Helm, readObjects } from "../support/helm.ts";
import { pathWithKubectl } from "../support/kubectl.ts";
import { PROJECT, type RunResult } from "../support/process.ts";

/** What takes AMKO's own federator out of AMKO's chart, as Helm 3 and Helm 4 call it. */

const FOLDER = join(PROJECT, "deploy/helm/post-renderer");
const SCRIPT = join(FOLDER, "without-federator.sh");

/** As AMKO's chart has it: the federator stands in the middle. */
const STATEFUL_SET = `
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: amko
  namespace: {{ .Release.Namespace }}
  labels: {app: amko}
spec:
  replicas: 1
  serviceName: amko
  template:
    spec:
      serviceAccountName: amko-sa
      containers:
        - name: amko
          image: "registry.example.com/amko:2.2.1"
          env:
            - name: GSLB_CONFIG
              valueFrom: {secretKeyRef: {name: gslb-config-secret, key: gslb-members}}
            - {name: USE_PVC, value: "true"}
        - name: amko-federator
          image: "registry.example.com/amko-federator:2.2.1"
        - name: amko-service-discovery
          image: "registry.example.com/amko-service-discovery:2.2.1"
`;

const OTHERS = `
apiVersion: v1
kind: Secret
metadata: {name: gslb-avi-secret, namespace: {{ .Release.Namespace }}}
data: {username: YWRtaW4=, password: "MDEyMw=="}
---
apiVersion: amko.vmware.com/v1alpha1
kind: GSLBConfig
metadata: {name: gc-1, namespace: {{ .Release.Namespace }}}
spec: {gslbLeader: {controllerVersion: "20.1.4", credentials: gslb-avi-secret}, refreshInterval: 1800}
---
# Has the container's name, and is another workload.
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: amko-federator, namespace: {{ .Release.Namespace }}}
spec: {template: {spec: {containers: [{name: amko-federator, image: registry.example.com/other}]}}}
`;

const CHART = {
  "Chart.yaml": "apiVersion: v2\nname: amko\nversion: 2.2.1\n",
  "templates/statefulset.yaml": STATEFUL_SET,
  "templates/others.yaml": OTHERS,
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let helm: Helm;

beforeAll(async () => {
  folder = await temporaryFolder();
  helm = await createHelm(join(folder.path, "helm"));
  await writeFiles(join(folder.path, "chart"), CHART);
});

afterAll(() => folder[Symbol.asyncDispose]());

describe("the post-renderer", () => {
  it("takes the federator out of AMKO, and leaves everything else as it was", async () => {
    const rendered = await renderAmko();
    const { code, stdout, stderr } = await run(rendered);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(byName(readObjects(stdout))).toEqual(byName(withoutFederator(readObjects(rendered))));
  });

  it.each([
    ["there is no such container", (text: string) => text.replaceAll(/amko-federator\n/g, "amko-federation\n")],
    ["there is no such StatefulSet", (text: string) => text.replaceAll("name: amko\n", "name: renamed\n")],
    ["there is nothing", () => ""],
    ["what comes is no YAML", () => "a: ["],
  ])("fails, says why and gives nothing on where %s", async (_, change) => {
    const { code, stdout, stderr } = await run(change(await renderAmko()));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^without-federator: (there is no container|kubectl kustomize cannot)/m);
  });

  it("says what it needs where there is no kubectl", async () => {
    const { code, stderr } = await run("", { PATH: "/nonexistent" });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("kubectl is not on the PATH") });
  });

  it("leaves nothing behind of what it read", async () => {
    const TMPDIR = join(folder.path, "tmp");
    await writeFiles(TMPDIR, { here: "" });
    await run(await renderAmko(), { TMPDIR });
    await run("", { TMPDIR });
    expect(await readdir(TMPDIR)).toEqual(["here"]);
  });

  it("is a plugin of Helm 4", async () => {
    expect(await helm(["plugin", "install", FOLDER])).toMatchObject({ code: 0 });
    const rendered = await renderAmko();
    const processed = await renderAmko("--post-renderer", "amko-without-federator");
    expect(byName(readObjects(processed))).toEqual(byName(withoutFederator(readObjects(rendered))));
  });
});

async function renderAmko(...more: readonly string[]): Promise<string> {
  const args = ["template", "amko", join(folder.path, "chart"), "--namespace", "avi-system", ...more];
  const { code, stdout, stderr } = await helm(args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** As Helm 3 does it. */
async function run(input: string, environment: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  const env = { PATH: await pathWithKubectl(), ...environment };
  return await new Promise((resolve) => {
    const child = execFile("/bin/sh", [SCRIPT], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? -1), stdout, stderr }),
    );
    // It may be gone before it has read anything.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

function withoutFederator(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  return objects.map((object) => {
    if (object.kind !== "StatefulSet" || object.metadata.name !== "amko") return object;
    const changed = structuredClone(object) as unknown as { spec: { template: { spec: { containers: unknown[] } } } };
    changed.spec.template.spec.containers.splice(1, 1);
    return changed as unknown as KubernetesObject;
  });
}

function byName(objects: readonly KubernetesObject[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}
