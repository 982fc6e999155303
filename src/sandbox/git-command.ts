import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { FederationError } from "../errors.ts";

/**
 * Runs git, with nothing but what it is given, and returns what it prints.
 * @throws FederationError AG4006 when git is not installed, AG9001 when it fails.
 */
export async function runGit(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("git", args, {
      cwd: folder,
      env: { ...gitEnvironment(), ...environment },
    });
    return stdout.trim();
  } catch (error) {
    throw gitFailure(error, args[0] ?? "");
  }
}

/** Nothing of the person who runs this decides how the server behaves: no configuration of theirs, no prompts. */
export function gitEnvironment(): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
  };
}

function gitFailure(error: unknown, verb: string): FederationError {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return missing
    ? new FederationError("AG4006", "git is not installed", { cause: error })
    : new FederationError("AG9001", `git ${verb} failed`, { cause: error });
}
