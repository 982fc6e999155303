import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT } from "./process.ts";

/** What worlds start their agents with; where it is not set, the sources as they stand. */
const LAUNCHER_VARIABLE = "AMKO_GITOPS_TEST_LAUNCHER";
const LAUNCHER = "src/launch.js";
const DOCKERFILE = "deploy/docker/Dockerfile";
const BESIDE = ["package.json", "node_modules", "deploy", "fixtures"] as const;

/** What starts the program that is looked at. */
export function programLauncher(): string {
  return process.env[LAUNCHER_VARIABLE] ?? join(PROJECT, LAUNCHER);
}

/**
 * Compiles the program as it is published, without its sources, and lets all that is started from here on be that
 * one, with the environment of the image: to strip types from sources costs an agent some 30 MiB and 0.2 s that nobody
 * has in a cluster.
 */
export async function useCompiledProgram(folder: string): Promise<void> {
  const compiler = join(PROJECT, "node_modules/typescript/bin/tsc");
  const args = [compiler, "--project", join(PROJECT, "src/tsconfig.build.json"), "--outDir", join(folder, "dist")];
  await promisify(execFile)(process.execPath, args);
  for (const name of BESIDE) await symlink(join(PROJECT, name), join(folder, name));
  await mkdir(join(folder, "src"));
  await copyFile(join(PROJECT, LAUNCHER), join(folder, LAUNCHER));
  process.env[LAUNCHER_VARIABLE] = join(folder, LAUNCHER);
  Object.assign(process.env, imageEnvironment(await readFile(join(PROJECT, DOCKERFILE), "utf8")));
}

/** What the image sets for whatever runs in it. @throws Error when it sets nothing that can be read */
export function imageEnvironment(dockerfile: string): Readonly<Record<string, string>> {
  const instructions = dockerfile.replaceAll(/\\\n\s*/g, " ").matchAll(/^ENV (.+)$/gm);
  const settings = [...instructions].flatMap(([, text = ""]) => [...text.matchAll(/(\w+)=(\S+)/g)]);
  if (settings.length === 0) throw new Error(`${DOCKERFILE} sets no environment`);
  return Object.fromEntries(settings.map(([, name, value]) => [name, value]));
}
