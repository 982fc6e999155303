import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "../../src/core/model.ts";
import { pathWithKubectl } from "./kubectl.ts";
import { unpackProgram } from "./layer.ts";
import { PROJECT, type RunResult } from "./process.ts";

/** What it is given stands on standard input. */
export type Helm = (args: readonly string[], input?: string) => Promise<RunResult>;

export const CHART = join(PROJECT, "deploy/helm");

const COMMAND_TIMEOUT_MS = 50_000;

/** Runs helm, that of a dev dependency or another, with `home` for all that it keeps, so that nothing of the user's matters. */
export async function createHelm(home: string, helm?: string): Promise<Helm> {
  const program = helm ?? (await unpackProgram("helm"));
  const env = {
    PATH: await pathWithKubectl(),
    HOME: home,
    ...{ HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home },
  };
  return (args, input = "") =>
    new Promise((resolve) => {
      const child = execFile(program, [...args], { env, timeout: COMMAND_TIMEOUT_MS }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? -1), stdout, stderr });
      });
      child.stdin?.end(input);
    });
}

/** The chart's objects. @throws Error with what helm complained about. */
export async function renderChart(helm: Helm, values: object = {}): Promise<readonly KubernetesObject[]> {
  const { code, stdout, stderr } = await helm(
    ["template", "amko-gitops", CHART, "--values", "-"],
    JSON.stringify(values),
  );
  if (code !== 0) throw new Error(stderr);
  return readObjects(stdout);
}

/** Every object of a stream of YAML documents. */
export function readObjects(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}
