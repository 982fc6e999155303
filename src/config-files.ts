import { open, readdir } from "node:fs/promises";
import { type ConfigProblem, type GivenSettings, textOf } from "./config.ts";
import { asFederationError, hasCode } from "./errors.ts";
import { findConnection } from "./kubernetes/kubeconfig.ts";
import { readSecretFile } from "./observe/secret-file.ts";

/**
 * Looks at every file that the settings name, so that one that cannot be used is told at the start with all the rest.
 * What can come later (the keys of a mounted Secret, the contexts of the members' kubeconfig) is none of its business.
 */
export async function findFileProblems(flags: GivenSettings, env: GivenSettings): Promise<readonly ConfigProblem[]> {
  const text = (flag: string): string | null => textOf(flag, flags, env);
  const problems = await Promise.all([
    checkKubeconfig(text("kubeconfig"), text("context")),
    checkFolder("git-credentials", text("git-credentials"), "Give the folder where the git Secret is mounted."),
    checkFile("members-kubeconfig", text("members-kubeconfig"), "Give the members' kubeconfig, or leave it to AMKO's."),
    checkSecret("webhook-secret", text("webhook-secret"), "Give the file of a mounted Secret that holds it alone."),
  ]);
  return problems.filter((problem) => problem !== null);
}

function checkKubeconfig(kubeconfig: string | null, context: string | null): ConfigProblem | null {
  try {
    findConnection({ kubeconfig, context });
    return null;
  } catch (error) {
    if (!hasCode(error, "AG4005")) throw error;
    const flag = kubeconfig === null && context !== null ? "context" : "kubeconfig";
    const value = flag === "context" ? context : kubeconfig;
    return { flag: `--${flag}`, value, cause: error.message, remedy: error.remedy };
  }
}

/** What names no file may be the secret itself, given by mistake: it is not repeated. */
const UNTOLD = null;

async function checkFolder(flag: string, path: string | null, remedy: string): Promise<ConfigProblem | null> {
  if (path === null) return null;
  return await readdir(path).then(
    () => null,
    (error: unknown) => ({
      flag: `--${flag}`,
      value: UNTOLD,
      cause: `no folder that can be read (${reason(error)})`,
      remedy,
    }),
  );
}

async function checkFile(flag: string, path: string | null, remedy: string): Promise<ConfigProblem | null> {
  if (path === null) return null;
  try {
    await using file = await open(path);
    if ((await file.stat()).isFile()) return null;
    return { flag: `--${flag}`, value: path, cause: "no file", remedy };
  } catch (error) {
    return { flag: `--${flag}`, value: path, cause: `no file that can be read (${reason(error)})`, remedy };
  }
}

async function checkSecret(flag: string, path: string | null, remedy: string): Promise<ConfigProblem | null> {
  if (path === null) return null;
  return await readSecretFile(path).then(
    () => null,
    (error: unknown) => ({ flag: `--${flag}`, value: UNTOLD, cause: asFederationError(error).message, remedy }),
  );
}

function reason(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
