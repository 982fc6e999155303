import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KubernetesObject, NAMESPACE } from "../../src/core/model.ts";
import { askAsAdmin } from "../kubernetes/gate.ts";
import { FULL_VALUES, MINIMAL_VALUES } from "../support/chart-values.ts";
import { type PodSpec, podOf } from "../support/deployment.ts";
import { createHelm, type Helm, renderChart } from "../support/helm.ts";
import { type KubeCluster, kubeconfigOf, startKubeCluster } from "../support/kube-clusters.ts";
import { createKubectl, type Kubectl } from "../support/kubectl.ts";
import { renderKustomize } from "../support/kustomize.ts";
import { KUBE_ETCD_URL, told } from "./environment.ts";
import { becomes } from "./wait.ts";

/** A real API server takes everything that `deploy/` renders, in a namespace that enforces restricted Pod Security. */

const folder = mkdtempSync(join(tmpdir(), "kube-deploy-"));
let cluster: KubeCluster;
let kubectl: Kubectl;
let helm: Helm;

beforeAll(async () => {
  cluster = await startKubeCluster("cluster1", join(folder, "kube"), told(KUBE_ETCD_URL));
  await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfigOf([cluster.context])), { mode: 0o600 });
  kubectl = await createKubectl(join(folder, "kubeconfig"));
  helm = await createHelm(join(folder, "helm"));
  const enforce = { metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } } };
  await askAsAdmin(cluster.upstream, "PATCH", `/api/v1/namespaces/${NAMESPACE}`, enforce);
  await installPrometheusOperator();
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true });
});

const RENDERED: readonly (readonly [string, () => Promise<readonly KubernetesObject[]>])[] = [
  ["kustomize", () => renderKustomize("kustomize")],
  ["the overlay of cluster1", () => renderKustomize("overlays/cluster1")],
  ["the overlay of cluster3", () => renderKustomize("overlays/cluster3")],
  ["the chart with default values", () => renderChart(helm)],
  ["the chart with minimal values", () => renderChart(helm, MINIMAL_VALUES)],
  ["the chart with full values", () => renderChart(helm, FULL_VALUES)],
];

describe.each(RENDERED)("what %s renders", (_, render) => {
  it("is taken, object by object", async () => expectTaken(await render()));

  it("makes pods that the restricted Pod Security Standard admits", async () => {
    expect(await createPod(podOf(await render()))).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("what kustomize renders for the Prometheus operator", () => {
  it("is taken, object by object", async () => expectTaken(await renderKustomize("monitoring")));
});

describe("a pod that asks for more than restricted Pod Security gives", () => {
  it.each([
    ["root", { runAsNonRoot: false }],
    ["a system call filter of its own", { seccompProfile: { type: "Unconfined" } }],
  ])("is refused here: %s", async (_, securityContext) => {
    const pod = podOf(await renderKustomize("kustomize"));
    const { code, stderr } = await createPod({ ...pod, ...{ securityContext } });
    expect(code).toBe(1);
    expect(stderr).toContain('violates PodSecurity "restricted:latest"');
  });
});

async function expectTaken(objects: readonly KubernetesObject[]): Promise<void> {
  for (const object of objects) {
    const args = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"];
    const { code, stderr } = await kubectl(args, { input: JSON.stringify(object) });
    expect({ object: `${object.kind} ${object.metadata.name}`, code, stderr }).toMatchObject({ code: 0, stderr: "" });
  }
}

function createPod(spec: PodSpec): ReturnType<Kubectl> {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "amko-gitops", namespace: NAMESPACE }, spec };
  return kubectl(["create", "--dry-run=server", "-f", "-"], { input: JSON.stringify(pod) });
}

/** As much of the Prometheus operator's definitions as `deploy/` relies on. */
async function installPrometheusOperator(): Promise<void> {
  const schema = { type: "object", properties: { spec: { type: "object", ...{ [PRESERVE]: true } } } };
  for (const [plural, kind] of [
    ["servicemonitors", "ServiceMonitor"],
    ["prometheusrules", "PrometheusRule"],
  ]) {
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.monitoring.coreos.com` },
      spec: {
        group: "monitoring.coreos.com",
        scope: "Namespaced",
        names: { plural, kind },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    };
    await askAsAdmin(cluster.upstream, "POST", DEFINITIONS, definition);
    const path = `/apis/monitoring.coreos.com/v1/namespaces/${NAMESPACE}/${plural}`;
    expect(await becomes(async () => (await askAsAdmin(cluster.upstream, "GET", path)).status === 200)).toBe(true);
  }
}

const PRESERVE = "x-kubernetes-preserve-unknown-fields";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
