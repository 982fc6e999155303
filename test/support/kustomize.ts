import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KubernetesObject } from "../../src/core/model.ts";
import { readObjects } from "./helm.ts";
import { findKubectl } from "./kubectl.ts";
import { PROJECT } from "./process.ts";

/** The objects of a folder below `deploy/`. @throws Error with what kustomize complained about. */
export async function renderKustomize(folder: string): Promise<readonly KubernetesObject[]> {
  const { stdout } = await promisify(execFile)(await findKubectl(), ["kustomize", join(PROJECT, "deploy", folder)]);
  return readObjects(stdout);
}
