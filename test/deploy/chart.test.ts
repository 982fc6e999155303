import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { AGENT_SETTINGS, environmentName, readAgentConfig } from "../../src/config.ts";
import type { KubernetesObject } from "../../src/core/model.ts";
import { FULL_VALUES, MINIMAL_VALUES } from "../support/chart-values.ts";
import { environmentOf, podOf } from "../support/deployment.ts";
import { temporaryFolder } from "../support/git.ts";
import { CHART, createHelm, type Helm, renderChart } from "../support/helm.ts";
import { renderKustomize } from "../support/kustomize.ts";
import { PROJECT } from "../support/process.ts";

let home: Awaited<ReturnType<typeof temporaryFolder>>;
let helm: Helm;

beforeAll(async () => {
  home = await temporaryFolder();
  helm = await createHelm(home.path);
});

afterAll(() => home[Symbol.asyncDispose]());

const VALUES = { default: {}, minimal: MINIMAL_VALUES, full: FULL_VALUES };

describe("the chart", () => {
  it.each(Object.entries(VALUES))("passes helm lint with %s values", async (_, values) => {
    const result = await helm(["lint", CHART, "--strict", "--values", "-"], JSON.stringify(values));
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("0 chart(s) failed") });
  });

  it.each(Object.entries(VALUES))("is rendered with %s values, into avi-system alone", async (_, values) => {
    const objects = await renderChart(helm, values);
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(["avi-system"]));
    expect(objects.filter(({ kind }) => kind.startsWith("Cluster"))).toEqual([]);
  });

  it("gives the same objects as kustomize", async () => {
    const [charted, kustomized] = await Promise.all([renderChart(helm), renderKustomize("kustomize")]);
    expect(byKind(charted)).toEqual(byKind(kustomized));
  });

  it("has the version of the program that it installs", () => {
    const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
    expect(parse(readFileSync(join(CHART, "Chart.yaml"), "utf8"))).toMatchObject({ version, appVersion: version });
  });

  it("knows no value that changes nothing", () => {
    const defaults = parse(readFileSync(join(CHART, "values.yaml"), "utf8"));
    expect(Object.keys(FULL_VALUES).toSorted()).toEqual(Object.keys(defaults).toSorted());
  });

  it("leaves the Secret rule out where the members' credentials are not used", async () => {
    for (const settings of [{ memberCredentials: "ignore" }, { membersKubeconfig: "/etc/members/kubeconfig" }]) {
      const objects = await renderChart(helm, { settings });
      expect(JSON.stringify(objects.filter(({ kind }) => kind === "Role"))).not.toContain("secrets");
    }
  });

  it("lets the agent out to the port of the git server", async () => {
    const portsWith = async (repo: string) => {
      const objects = await renderChart(helm, { settings: { repo } });
      const text = JSON.stringify(objects.find(({ kind }) => kind === "NetworkPolicy"));
      return [...text.slice(text.indexOf('"egress"')).matchAll(/"port":(\d+)/g)].map(([, port]) => Number(port));
    };
    const always = [53, 53, 5353, 5353, 443, 6443];
    expect(await portsWith("https://git.example.com/a.git")).toEqual(always);
    expect(await portsWith("http://git.example.com/a.git")).toEqual([...always, 80]);
    expect(await portsWith("http://[2001:db8::1]:3000/a.git")).toEqual([...always, 3000]);
  });
});

describe("the chart's settings", () => {
  it("reach every flag of the agent, and are such as it takes", async () => {
    const environment = environmentOf(await renderChart(helm, FULL_VALUES));
    const names = AGENT_SETTINGS.map(({ flag }) => environmentName(flag));
    expect(names.filter((name) => environment[name] === undefined)).toEqual([]);
    expect(readAgentConfig({}, environment).problems).toEqual([]);
  });

  it("are all settings of the agent", async () => {
    const environment = environmentOf(await renderChart(helm, FULL_VALUES));
    const known = new Set(AGENT_SETTINGS.map(({ flag }) => environmentName(flag)));
    const given = Object.keys(environment).filter((name) => name.startsWith("AMKO_GITOPS_"));
    expect(given.filter((name) => !known.has(name))).toEqual([]);
  });

  it("may be the agent's own defaults", async () => {
    const ours = new Set(["cluster", "listen", "git-credentials", "webhook-secret"]);
    const settings = AGENT_SETTINGS.filter(({ flag, fallback }) => fallback !== null && !ours.has(flag));
    const values = Object.fromEntries(settings.map(({ flag, fallback }) => [camelCase(flag), fallback]));
    await expect(renderChart(helm, { settings: values })).resolves.not.toEqual([]);
  });

  it.each([
    { repo: "ssh://git.example.com/federation.git" },
    { repo: "https://jo:secret@git.example.com/federation.git" },
    { poll: "* * *" },
    { publish: "sometimes" },
    { drift: "ignore" },
    { handoverTimeout: "always" },
    { gitTimeout: "30" },
    { ackInterval: "soon" },
    { author: "nobody" },
    { logLevel: "trace" },
  ])("are refused before anything is installed where the agent would refuse them: %o", async (settings) => {
    const given = Object.entries({ ...MINIMAL_VALUES.settings, ...settings });
    const environment = Object.fromEntries(given.map(([name, value]) => [environmentName(kebabCase(name)), value]));
    expect(readAgentConfig({}, environment).problems).toHaveLength(1);
    await expect(renderChart(helm, { settings })).rejects.toThrow(`at '/settings/${Object.keys(settings)[0]}'`);
  });

  it.each([
    [{ settings: { pol: "*/5 * * * * *" } }, "additional properties 'pol' not allowed"],
    [{ federation: { currentcluster: "cluster1" } }, "additional properties 'currentcluster' not allowed"],
    [{ replicas: 2 }, "additional properties 'replicas' not allowed"],
    [{ image: { digest: "sha256:12" } }, "at '/image/digest'"],
  ])("are refused where nothing knows them: %o", async (values, complaint) => {
    await expect(renderChart(helm, values)).rejects.toThrow(complaint);
  });
});

describe("what the chart mounts", () => {
  it("is mounted where the agent is told to look", async () => {
    const objects = await renderChart(helm, FULL_VALUES);
    const { containers, volumes } = podOf(objects);
    const secretAt = (path: string) => {
      const mount = containers[0].volumeMounts.find(({ mountPath }) => mountPath === path);
      return volumes.find(({ name }) => name === mount?.name)?.secret?.secretName;
    };
    const environment = environmentOf(objects);
    expect(secretAt(environment["AMKO_GITOPS_GIT_CREDENTIALS"] ?? "")).toBe("flux-system");
    expect(secretAt("/etc/amko-gitops/webhook")).toBe("amko-gitops-webhook");
    expect(environment["AMKO_GITOPS_WEBHOOK_SECRET"]).toBe("/etc/amko-gitops/webhook/token");
  });
});

/** What only helm writes. */
const HELM_LABELS: ReadonlySet<string> = new Set([
  "app.kubernetes.io/version",
  "app.kubernetes.io/managed-by",
  "helm.sh/chart",
]);

function byKind(objects: readonly KubernetesObject[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    objects.map(({ metadata, ...object }) => {
      const labels = Object.entries(metadata.labels ?? {}).filter(([name]) => !HELM_LABELS.has(name));
      return [object.kind, { ...object, metadata: { ...metadata, labels: Object.fromEntries(labels) } }];
    }),
  );
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function kebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
