import { mkdtempSync, rmSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type KubernetesObject, NAMESPACE } from "../../src/core/model.ts";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { startApiServer } from "../../src/sandbox/api-server/server.ts";
import { DEFINITIONS } from "../sandbox/api-server/support.ts";
import { kubeconfigOf, startKubeCluster } from "../support/kube-clusters.ts";
import { createKubectl, type Kubectl } from "../support/kubectl.ts";
import { amkoClusterOf, LEADER_OBJECTS } from "../support/world.ts";
import { KUBE_ETCD_URL, told } from "./environment.ts";

/** What people type, in the sandbox and at a real cluster: the answers are the same, but for times and identities. */

interface Step {
  /** Its words, separated by blanks. */
  readonly command: string;
  /** What stands on standard input. */
  readonly objects?: readonly KubernetesObject[];
  /** What sed does to the file that `kubectl edit` opens. */
  readonly edit?: string;
  /** How far the answers are compared: an object is refused by both, each in its own words. */
  readonly words?: "free";
}

const CONTEXT = "cluster1";
const { GSLBConfig, GlobalDeploymentPolicy } = LEADER_OBJECTS;
const AMKO_CLUSTER = amkoClusterOf(CONTEXT);
const SPEC = GlobalDeploymentPolicy.spec as object;
const gdp = (name: string, spec: object): KubernetesObject =>
  ({ ...GlobalDeploymentPolicy, metadata: { name, namespace: NAMESPACE }, spec }) as unknown as KubernetesObject;
const MERGE = "--type=merge -p";
const CONDITIONS = [
  { type: "Synced", status: "True", reason: "main@sha1:1" },
  { type: "GDP Federation", status: "federated to all valid clusters successfully", reason: "" },
];

const STEPS: readonly Step[] = [
  { command: "get gslbconfig,gdp,amkocluster" },
  { command: "create -f -", objects: [AMKO_CLUSTER, GSLBConfig, GlobalDeploymentPolicy] },
  { command: "create -f -", objects: [GlobalDeploymentPolicy] },
  { command: "get gslbconfig,gdp,amkocluster" },
  { command: "get gdp -A" },
  { command: "get gdp global-gdp" },
  { command: "get gdp global-gdp -o wide" },
  { command: "get gdp global-gdp -o name" },
  { command: "get gdp global-gdp -o yaml" },
  { command: "get gdp global-gdp -o json" },
  { command: "get gslbconfig gc-1 -o yaml" },
  { command: "get amkocluster -o yaml" },
  { command: "get gdp global-gdp -o jsonpath={.spec.ttl}" },
  { command: "get gdp nobody" },
  { command: "get gdp nobody --ignore-not-found" },
  { command: "get gpd" },
  { command: "api-resources --api-group=amko.vmware.com" },
  { command: "api-resources --api-group=amko.vmware.com -o wide" },
  { command: "explain gdp", words: "free" },
  { command: "explain gdp.spec.trafficSplit" },
  { command: "explain gslbconfig.spec.gslbLeader" },
  { command: "explain amkocluster.spec.nothing" },
  { command: "edit gdp global-gdp", edit: "s/ttl: 10/ttl: 77/" },
  { command: "get gdp global-gdp -o jsonpath={.spec.ttl}" },
  { command: "edit gdp global-gdp", edit: "s/nothing/else/" },
  { command: `patch gdp global-gdp ${MERGE} {"spec":{"ttl":4711}}` },
  { command: `patch gdp global-gdp ${MERGE} {"spec":{"ttl":4711}}` },
  { command: `patch gdp global-gdp ${MERGE} {"spec":{"ttl":86401}}`, words: "free" },
  { command: 'patch gdp global-gdp --type=json -p [{"op":"replace","path":"/spec/ttl","value":12}]' },
  { command: 'patch gdp global-gdp --type=json -p [{"op":"test","path":"/spec/ttl","value":1}]', words: "free" },
  { command: 'patch gdp global-gdp -p {"spec":{"ttl":13}}' },
  { command: `patch gdp nobody ${MERGE} {"spec":{"ttl":1}}` },
  { command: "annotate gdp global-gdp amko-gitops.io/change-reason=CHG-4211" },
  { command: "annotate gdp global-gdp amko-gitops.io/change-reason-" },
  { command: "label gdp global-gdp tier=gold" },
  { command: "get gdp -l tier=gold" },
  { command: "get gdp -l tier=silver" },
  { command: "get gdp --show-labels" },
  { command: "get gdp --field-selector=metadata.name=global-gdp -o name" },
  {
    command: `patch amkocluster ${AMKO_CLUSTER.metadata.name} --subresource=status ${MERGE} ${JSON.stringify({ status: { conditions: CONDITIONS } }).replaceAll(" ", "\\u0020")}`,
  },
  { command: `wait --for=condition=Synced amkocluster/${AMKO_CLUSTER.metadata.name} --timeout=10s` },
  { command: "describe amkocluster" },
  { command: "describe gdp global-gdp" },
  { command: "apply -f -", objects: [gdp("applied", { ...SPEC, ttl: 20 })] },
  { command: "apply -f -", objects: [gdp("applied", { ...SPEC, ttl: 20 })] },
  { command: "apply -f -", objects: [gdp("applied", { ttl: 21 })] },
  { command: "diff -f -", objects: [gdp("applied", { ttl: 22 })] },
  { command: "apply --dry-run=server -f -", objects: [gdp("applied", { ttl: 22 })] },
  { command: "apply --server-side -f -", objects: [gdp("served", { ttl: 30 })] },
  { command: `patch gdp served --field-manager=somebody ${MERGE} {"spec":{"ttl":31}}` },
  { command: "apply --server-side -f -", objects: [gdp("served", { ttl: 32 })] },
  { command: "apply --server-side --force-conflicts -f -", objects: [gdp("served", { ttl: 32 })] },
  { command: "create --dry-run=server -f -", objects: [gdp("unborn", { ttl: 1 })] },
  { command: "create -f -", objects: [gdp("misspelt", { tll: 1 })] },
  { command: "create -f -", objects: [gdp("invalid", { ttl: -1 })], words: "free" },
  { command: "create -f -", objects: [gdp("Wrong_Name", {})], words: "free" },
  { command: "create -n nowhere -f -", objects: [gdp("lost", {})] },
  { command: "replace -f -", objects: [gdp("applied", { ttl: 40 })] },
  { command: "replace -f -", objects: [gdp("nobody", { ttl: 40 })] },
  { command: "create secret generic gslb-config-secret --from-literal=gslb-members=text" },
  { command: "get secret gslb-config-secret -o jsonpath={.data}" },
  { command: "create configmap amko-gitops --from-literal=a=1" },
  { command: 'patch configmap amko-gitops -p {"data":{"b":"2"}}' },
  { command: "get configmap amko-gitops -o yaml" },
  { command: "get ns avi-system" },
  { command: "get events" },
  { command: "delete gdp applied served" },
  { command: "delete gdp applied" },
  { command: "delete gslbconfig gc-1 --dry-run=server" },
  { command: "delete gslbconfig gc-1" },
  { command: "get gslbconfig,gdp,amkocluster" },
];

const folder = mkdtempSync(join(tmpdir(), "kube-kubectl-"));
const stopping: (() => Promise<void>)[] = [];
let real: Kubectl;
let embedded: Kubectl;

beforeAll(async () => {
  const cluster = await startKubeCluster(CONTEXT, join(folder, "kube"), told(KUBE_ETCD_URL));
  stopping.push(cluster.stop);
  await mkdir(join(folder, "real"));
  await writeFile(join(folder, "real", "kubeconfig"), stringify(kubeconfigOf([cluster.context])), { mode: 0o600 });
  real = await createKubectl(join(folder, "real", "kubeconfig"));
  const server = await startApiServer({ name: CONTEXT, port: 0, definitions: DEFINITIONS });
  stopping.push(() => server.stop({ abruptly: true }));
  await mkdir(join(folder, "embedded"));
  await writeKubeconfig(join(folder, "embedded", "kubeconfig"), [{ context: CONTEXT, url: server.url }]);
  embedded = await createKubectl(join(folder, "embedded", "kubeconfig"));
});

afterAll(async () => {
  for (const stop of stopping) await stop();
  rmSync(folder, { recursive: true });
});

/** What kubectl left behind, as far as it may be the same on both. */
interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

// One after the other: each finds what those before it have left.
test.each(STEPS)("kubectl $command", async (step) => {
  const right = await run(real, step);
  const found = await run(embedded, step);
  if (step.words === "free") expect(found.code).toBe(right.code);
  else expect(found).toEqual(right);
});

async function run(kubectl: Kubectl, { command, objects = [], edit }: Step): Promise<Answer> {
  const editor = join(folder, "editor.sh");
  await writeFile(editor, `#!/bin/sh\nsed -i '${edit ?? ""}' "$1"\n`);
  await chmod(editor, 0o755);
  const input = objects.map((object) => stringify(object)).join("---\n");
  const words = command.split(" ");
  const { code, stdout, stderr } = await kubectl(words, { input, environment: { KUBE_EDITOR: editor } });
  return { code, stdout: masked(stdout), stderr: masked(stderr) };
}

/** Without what differs between any two clusters: times and ages, identities, versions, and how wide they make a table. */
function masked(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+\d{4}/g, "TIME")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UID")
    .replaceAll(/(resourceVersion"?: )"\d+"/gi, '$1"VERSION"')
    .replaceAll(/Resource Version: +\d+/g, "Resource Version: VERSION")
    .replaceAll(/\b\d+s\b/g, "AGE")
    .replaceAll(/AGE +/g, "AGE ")
    .replaceAll(/\/tmp\/\S+/g, "FILE")
    .replaceAll(/ +$/gm, "");
}
