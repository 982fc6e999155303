import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { startApiServer } from "../../src/sandbox/api-server/server.ts";
import { createKubectl } from "../support/kubectl.ts";
import { never, open } from "./support.ts";

const CRDS = new URL("../../deploy/crds/", import.meta.url);

it("shows an Event where people look for it: in kubectl describe and kubectl get events", async () => {
  const files = (await readdir(CRDS)).filter((file) => file.endsWith(".yaml"));
  const definitions = await Promise.all(files.map(async (file) => parse(await readFile(new URL(file, CRDS), "utf8"))));
  const server = await startApiServer({ name: "east", port: 0, definitions });
  onTestFinished(() => server.stop({ abruptly: true }));
  const folder = mkdtempSync(join(tmpdir(), "describe-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const kubeconfig = join(folder, "config");
  await writeKubeconfig(kubeconfig, [{ context: "east", url: server.url }]);

  // The same file, and the same choice of context, as kubectl's.
  const { cluster } = open("", { connection: { kubeconfig, context: null } });
  const metadata = { name: "amkocluster-federation" };
  const manifest = { apiVersion: "amko.vmware.com/v1alpha1", kind: "AMKOCluster", metadata, spec: { isLeader: false } };
  const regarding = await cluster.create(manifest, { dryRun: false }, never);
  const message = "Two clusters lead: east and west.";
  await cluster.recordEvent({ type: "Warning", reason: "Held", message, regarding }, never);

  const kubectl = await createKubectl(kubeconfig);
  const described = await kubectl(["describe", "amkocluster", metadata.name]);
  expect(described.stdout).toMatch(/Warning +Held +\S+ +amko-gitops +Two clusters lead: east and west\./);
  const events = await kubectl(["get", "events"]);
  expect(events.stdout).toMatch(/Warning +Held +amkocluster\/amkocluster-federation +Two clusters lead/);
});
