import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { expect, it, test } from "vitest";
import { parse } from "yaml";
import { UUID_ANNOTATION } from "../../src/core/model.ts";
import { readSnapshot, writeSnapshot } from "../../src/core/snapshot.ts";
import { evaluate } from "../../src/core/view.ts";
import { CLUSTERS, file, schemas } from "../support/builders.ts";

const ROOT = new URL("../../fixtures/repo", import.meta.url).pathname;

const files = readdirSync(ROOT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => file(relative(ROOT, path).split(sep).join("/"), readFileSync(path)));

const snapshots = files.filter(({ path }) => path.startsWith("federation/"));

test("the example federation has nothing wrong", () => {
  const view = evaluate(files, schemas());
  expect(view.problems).toEqual([]);
  expect(view.leadership).toEqual({ kind: "leader", cluster: "cluster1" });
  expect([...view.manifests.keys()]).toEqual(CLUSTERS);
  expect([...view.members.keys()]).toEqual(["cluster2", "cluster3"]);
  expect(view.kinds).toMatchObject({
    GSLBConfig: { kind: "present", snapshot: { name: "gc-1", annotations: { [UUID_ANNOTATION]: expect.any(String) } } },
    GlobalDeploymentPolicy: { kind: "present", snapshot: { name: "global-gdp" } },
  });
});

it.each(snapshots)("$path is canonical", (snapshotFile) => {
  const read = readSnapshot(snapshotFile, schemas());
  expect(read).toMatchObject({ ok: true, warnings: [] });
  if (read.ok) expect(new TextDecoder().decode(writeSnapshot(read.snapshot))).toBe(text(snapshotFile.path));
});

test("the workflow reads contents only, on pull requests to the tracked branch only, with a pinned image", () => {
  const workflow = parse(text(".github/workflows/validate.yaml"));
  expect(workflow.on).toEqual({ pull_request: { branches: ["main"] } });
  expect(workflow.permissions).toEqual({ contents: "read" });
  const steps: readonly { uses?: string; run?: string; with?: object }[] = workflow.jobs.validate.steps;
  for (const { uses } of steps) expect(uses ?? "x@0123456789012345678901234567890123456789").toMatch(/@[0-9a-f]{40}$/);
  expect(steps.find(({ uses }) => uses?.startsWith("actions/checkout@"))?.with).toMatchObject({ "fetch-depth": 0 });
  expect(steps.at(-1)?.run).toContain("validate . --base origin/main -o github");
});

test("GitLab's job runs for merge requests to the default branch only, with an image that has to be pinned", () => {
  const pipeline = parse(text(".gitlab-ci.yml"));
  expect(pipeline.workflow.rules).toEqual([
    {
      if: '$CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_TARGET_BRANCH_NAME == $CI_DEFAULT_BRANCH',
    },
  ]);
  expect(pipeline.variables).toMatchObject({ AMKO_GITOPS_IMAGE: "", GIT_DEPTH: "0" });
  expect(pipeline.validate.image.name).toBe("$AMKO_GITOPS_IMAGE");
  expect(pipeline.validate.script.join("\n")).toContain('validate . --base "origin/$CI_DEFAULT_BRANCH"');
});

function text(path: string): string {
  return new TextDecoder().decode(files.find((one) => one.path === path)?.bytes ?? new Uint8Array());
}
