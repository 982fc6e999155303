import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentName, readAgentConfig } from "../../src/config.ts";
import { environmentOf } from "../support/deployment.ts";
import { renderKustomize } from "../support/kustomize.ts";
import { PROJECT } from "../support/process.ts";

const OVERLAYS = readdirSync(join(PROJECT, "deploy/overlays"));

describe("the example overlay of", () => {
  it.each(OVERLAYS)("%s gives its agent settings that it takes", async (cluster) => {
    const { config, problems } = readAgentConfig({}, environmentOf(await renderKustomize(`overlays/${cluster}`)));
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ cluster, gitCredentials: "/etc/amko-gitops/git" });
  });

  it.each(OVERLAYS)("%s grants the right to read the members' kubeconfig only where it is used", async (cluster) => {
    const objects = await renderKustomize(`overlays/${cluster}`);
    const role = JSON.stringify(objects.filter(({ kind }) => kind === "Role"));
    const uses = environmentOf(objects)[environmentName("member-credentials")] !== "ignore";
    expect(role.includes("gslb-config-secret")).toBe(uses);
    expect(role).toContain("statefulsets");
  });
});
