import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import type { ApiServer } from "../../src/sandbox/api-server/server.ts";
import { amkoCluster, asking, CLUSTERS, freshServer, GDPS, gdp } from "../sandbox/api-server/support.ts";
import { createKubectl, type Kubectl, type KubectlOptions } from "../support/kubectl.ts";

let server: ApiServer;
let kubectl: Kubectl;
let folder: string;

beforeAll(async () => {
  server = await freshServer();
  folder = await mkdtemp(join(tmpdir(), "amko-gitops-e2e-"));
  const kubeconfig = join(folder, "kubeconfig");
  await writeKubeconfig(kubeconfig, [{ context: "arn:aws:eks:eu-west-1:1:cluster/a", url: server.url }]);
  kubectl = await createKubectl(kubeconfig);
});

afterAll(() => server.stop({ abruptly: true }));

/** Runs a command, its words separated by blanks, and expects it to succeed; answers what it printed. */
async function run(command: string, options?: KubectlOptions): Promise<string> {
  const { code, stdout, stderr } = await kubectl(command.split(" "), options);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

/** Runs a command and expects it to be refused; answers what it complained. */
async function refused(command: string, options?: KubectlOptions): Promise<string> {
  const { code, stderr } = await kubectl(command.split(" "), options);
  expect(code).toBe(1);
  return stderr;
}

async function seed(name: string, spec: unknown = { ttl: 10 }, metadata: object = {}): Promise<void> {
  expect(await asking(server)("POST", GDPS, gdp(name, spec, metadata))).toMatchObject({ code: 201 });
}

async function read(name: string) {
  return (await asking(server)("GET", `${GDPS}/${name}`)).body;
}

const namespaced = (name: string, spec: unknown) => stringify(gdp(name, spec, { namespace: "avi-system" }));

describe("kubectl reads", () => {
  test("a table by short name, in the kubeconfig's namespace", async () => {
    await seed("table");
    expect(await run("get gdp table")).toMatch(/^NAME +AGE\ntable +\d+s\n$/);
    expect(await run("get gdp -A")).toMatch(/avi-system +table /);
    expect(await run("get gc")).toBe("");
  });

  test("an object as YAML, and wide", async () => {
    await seed("yaml", { trafficSplit: [{ cluster: "c1" }] });
    expect(await run("get gdp yaml -o yaml")).toContain("- cluster: c1\n    priority: 10\n    weight: 1\n");
    expect(await run("get gdp yaml -o wide")).toMatch(/^NAME +AGE\nyaml /);
  });

  test("what it may use", async () => {
    const resources = await run("api-resources --api-group=amko.vmware.com");
    expect(resources).toMatch(
      /^globaldeploymentpolicies +gdp +amko.vmware.com\/v1alpha2 +true +GlobalDeploymentPolicy$/m,
    );
    expect(resources).toMatch(/^gslbconfigs +gc +amko.vmware.com\/v1alpha1 +true +GSLBConfig$/m);
    expect(resources).toMatch(/^amkoclusters +amko.vmware.com\/v1alpha1 +true +AMKOCluster$/m);
    expect(await run("get crd")).toMatch(/^gslbconfigs\.amko\.vmware\.com +\d{4}-/m);
    expect(await run("get ns")).toMatch(/^avi-system +Active /m);
  });

  test("what a field means", async () => {
    const text = await run("explain gdp.spec.trafficSplit");
    expect(text).toContain("How traffic is shared between clusters");
    expect(text).toMatch(/weight\t<integer>/);
  });

  test("events, in a list and in the description of their object", async () => {
    await seed("eventful");
    const { uid, namespace } = (await read("eventful")).metadata;
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "eventful.1", namespace },
      involvedObject: { kind: "GlobalDeploymentPolicy", name: "eventful", namespace, uid },
      reason: "DriftReverted",
      message: "spec.ttl was put back",
      type: "Warning",
    };
    await run("create -f -", { input: JSON.stringify(event) });
    expect(await run("get events")).toMatch(
      /Warning +DriftReverted +globaldeploymentpolicy\/eventful +spec\.ttl was put back/,
    );
    const description = await run("describe gdp eventful");
    expect(description).toMatch(/Ttl: +10/);
    expect(description).toMatch(/Warning +DriftReverted .* spec\.ttl was put back/);
    expect(await run("get events.events.k8s.io eventful.1 -o jsonpath={.note}")).toBe("spec.ttl was put back");
  });
});

describe("kubectl applies", () => {
  test("on the client's side, and removes what the file no longer says", async () => {
    expect(await run("apply -f -", { input: namespaced("client", { ttl: 10, defaultDomain: "a.b" }) })).toContain(
      "created",
    );
    expect(await run("apply -f -", { input: namespaced("client", { ttl: 11 }) })).toContain("configured");
    expect(await run("apply -f -", { input: namespaced("client", { ttl: 11 }) })).toContain("unchanged");
    expect((await read("client")).spec).toEqual({ ttl: 11 });
  });

  test("on the server's side, in conflict with an edit until it is forced", async () => {
    const apply = "apply --server-side -f -";
    await run(apply, { input: namespaced("server", { ttl: 10, defaultDomain: "a.b" }) });
    await run('patch gdp server --type=merge --field-manager=somebody -p {"spec":{"ttl":20}}');
    const complaint = await refused(apply, { input: namespaced("server", { ttl: 30 }) });
    expect(complaint).toContain('conflict with "somebody" using amko.vmware.com/v1alpha2: .spec.ttl');
    expect((await read("server")).spec).toEqual({ ttl: 20, defaultDomain: "a.b" });
    await run(`${apply} --force-conflicts`, { input: namespaced("server", { ttl: 30 }) });
    expect((await read("server")).spec).toEqual({ ttl: 30 });
  });

  test("takes over on the server's side what it applied on the client's", async () => {
    await run("apply -f -", { input: namespaced("migrated", { ttl: 10, defaultDomain: "a.b" }) });
    await run("apply --server-side -f -", { input: namespaced("migrated", { ttl: 12 }) });
    expect((await read("migrated")).spec).toEqual({ ttl: 12 });
  });

  test("shows what would change, and changes nothing", async () => {
    await seed("diffed");
    const { code, stdout } = await kubectl(["diff", "-f", "-"], { input: namespaced("diffed", { ttl: 99 }) });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^- {2}ttl: 10\n\+ {2}ttl: 99$/m);
    expect(await run("apply --dry-run=server -f -", { input: namespaced("diffed", { ttl: 99 }) })).toContain(
      "configured (server dry run)",
    );
    expect((await read("diffed")).spec).toEqual({ ttl: 10 });
    const created = await run("create --dry-run=server -o name -f -", { input: namespaced("unborn", { ttl: 1 }) });
    expect(created).toContain("globaldeploymentpolicy.amko.vmware.com/unborn");
    expect(await read("unborn")).toMatchObject({ reason: "NotFound" });
  });

  test("is refused an invalid object, with the field", async () => {
    const invalid = { input: namespaced("invalid", { ttl: 86_401, trafficSplit: [{ weight: 0 }] }) };
    const complaint = await refused("apply -f -", invalid);
    expect(complaint).toContain('The GlobalDeploymentPolicy "invalid" is invalid');
    expect(complaint).toContain("spec.ttl: Invalid value: must be at most 86400, but is 86401");
    expect(complaint).toContain("spec.trafficSplit[0].weight: Invalid value: must be at least 1, but is 0");
  });

  test("is refused a field that does not exist, unless validation is off", async () => {
    const misspelt = { input: namespaced("misspelt", { tll: 1 }) };
    expect(await refused("create -f -", misspelt)).toContain('unknown field "spec.tll"');
    const { stderr } = await kubectl(["create", "--validate=warn", "-f", "-"], misspelt);
    expect(stderr).toContain('Warning: unknown field "spec.tll"');
    expect((await read("misspelt")).spec).toEqual({});
  });
});

describe("kubectl changes", () => {
  test("an object in an editor, under the editor's name", async () => {
    await seed("edited");
    const editor = join(folder, "editor.sh");
    await writeFile(editor, "#!/bin/sh\nsed -i 's/ttl: 10/ttl: 77/' \"$1\"\n");
    await chmod(editor, 0o755);
    expect(await run("edit gdp edited", { environment: { KUBE_EDITOR: editor } })).toContain("edited");
    const { spec, metadata } = await read("edited");
    expect(spec).toEqual({ ttl: 77 });
    const entry = metadata.managedFields.find(({ manager }: { manager: string }) => manager === "kubectl-edit");
    expect(entry).toMatchObject({ operation: "Update", fieldsV1: { "f:spec": { "f:ttl": {} } } });
  });

  test("by merge patch, by JSON patch, and built-in objects by strategic merge patch", async () => {
    await seed("patched", { ttl: 10, defaultDomain: "a.b" });
    await run('patch gdp patched --type=merge -p {"spec":{"ttl":5,"defaultDomain":null}}');
    expect((await read("patched")).spec).toEqual({ ttl: 5 });
    await run('patch gdp patched --type=json -p [{"op":"replace","path":"/spec/ttl","value":6}]');
    expect((await read("patched")).spec).toEqual({ ttl: 6 });
    expect(await refused('patch gdp patched --type=json -p [{"op":"test","path":"/spec/ttl","value":1}]')).toContain(
      "Test operation failed",
    );
    await run("create configmap patched --from-literal=a=1");
    await run('patch configmap patched -p {"data":{"b":"2"}}');
    expect(await run("get configmap patched -o jsonpath={.data}")).toBe('{"a":"1","b":"2"}');
  });

  test("annotations and labels, and selects by them", async () => {
    await seed("labelled");
    await run("label gdp labelled tier=gold");
    await run("annotate gdp labelled amko-gitops.io/change-reason=why-not");
    expect(await run("get gdp -l tier=gold -o name")).toBe("globaldeploymentpolicy.amko.vmware.com/labelled\n");
    expect(await run("get gdp -l tier=silver -o name")).toBe("");
    expect((await read("labelled")).metadata.annotations).toEqual({ "amko-gitops.io/change-reason": "why-not" });
  });

  test("deletes, and waits until it is gone", async () => {
    await seed("deleted", {}, { finalizers: ["example.com/hold"] });
    await run("delete gdp deleted --wait=false");
    expect((await read("deleted")).metadata.deletionTimestamp).toBeTypeOf("string");
    const gone = run("wait --for=delete gdp/deleted --timeout=30s");
    await run('patch gdp deleted --type=merge -p {"metadata":{"finalizers":null}}');
    await gone;
    expect(await refused("get gdp deleted")).toContain('globaldeploymentpolicies.amko.vmware.com "deleted" not found');
  });

  test("a namespace comes and goes with what is in it", async () => {
    await run("create namespace passing");
    await run("create configmap content -n passing");
    expect(await run("delete namespace passing")).toContain('"passing" deleted');
    expect(await refused("get configmap content -n passing")).toContain('namespaces "passing" not found');
  });
});

describe("kubectl follows", () => {
  test("changes as they happen", async () => {
    await seed("watched");
    const stop = new AbortController();
    let output = "";
    const seen = Promise.withResolvers<void>();
    const listed = Promise.withResolvers<void>();
    const watching = kubectl(["get", "gdp", "watched", "-w", "-o", "jsonpath={.spec.ttl};"], {
      signal: stop.signal,
      onOutput: (text) => {
        output += text;
        if (output.includes("10;")) listed.resolve();
        if (output.includes("10;42;")) seen.resolve();
      },
    });
    await listed.promise;
    await run('patch gdp watched --type=merge -p {"spec":{"ttl":42}}');
    await seen.promise;
    stop.abort();
    await watching;
    expect(output).toBe("10;42;");
  });

  test("a table row for each change", async () => {
    await seed("rows");
    const stop = new AbortController();
    let output = "";
    const enough = Promise.withResolvers<void>();
    const listed = Promise.withResolvers<void>();
    const watching = kubectl(["get", "gdp", "rows", "-w"], {
      signal: stop.signal,
      onOutput: (text) => {
        output += text;
        if (/^rows /m.test(output)) listed.resolve();
        if (/^rows .*\nrows /m.test(output)) enough.resolve();
      },
    });
    await listed.promise;
    await run("label gdp rows changed=yes");
    await enough.promise;
    stop.abort();
    await watching;
    expect(output).toMatch(/^NAME +AGE\nrows +\d+s\nrows +\d+s\n$/);
  });

  test("until a condition holds", async () => {
    const ask = asking(server);
    await ask("POST", CLUSTERS, amkoCluster("conditional"));
    const waiting = run("wait --for=condition=Federated amkocluster/conditional --timeout=30s");
    const conditions = [{ type: "Federated", status: "True", reason: "InSync" }];
    const path = `${CLUSTERS}/conditional/status`;
    await ask("PATCH", path, { status: { conditions } }, { contentType: "application/merge-patch+json" });
    expect(await waiting).toContain("condition met");
  });
});
