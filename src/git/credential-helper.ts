import { hasCode } from "../errors.ts";
import type { AskCredentials, CredentialRequest } from "./credential-source.ts";
import { createGitProgram, type GitProgram, type GitProgramSettings, type GitRunOptions } from "./git-program.ts";

/**
 * Asks whom git would ask: the credential helpers that a person has configured, or the person at the terminal. What the
 * server took is approved, what it refused is rejected, so that helpers keep and forget as they do for git. Null where
 * git is not installed, or nobody knows. No answer ever stands in an error.
 */
export function createCredentialHelper(settings: GitProgramSettings): AskCredentials {
  const git = createGitProgram(settings);
  return async (request, signal) => {
    // Who is asked at a terminal may have to look for the password first.
    const timeoutMs = settings.interactive ? null : settings.timeoutMs;
    const description = await fill(git, request, { timeoutMs, signal });
    const [username, password] = [lineOf(description, "username"), lineOf(description, "password")];
    if (username === null || password === null) return null;
    return {
      username,
      password,
      async settle(accepted) {
        // Whether a helper can store is the helper's own business; the repository can be read all the same.
        const verb = accepted ? "approve" : "reject";
        const input = Buffer.from(`${description}\n\n`);
        await git.run(["credential", verb], { input, signal: NEVER }).catch(() => undefined);
      },
    };
  };
}

/** The helpers are told in any case, also when the caller wants no more: the run's own time limit ends it. */
const NEVER = new AbortController().signal;

/** What git found out, line by line; "" when it found nothing. */
async function fill(
  git: GitProgram,
  { protocol, host, path }: CredentialRequest,
  limits: Pick<GitRunOptions, "timeoutMs" | "signal">,
): Promise<string> {
  const input = Buffer.from(`protocol=${protocol}\nhost=${host}\npath=${path}\n\n`);
  try {
    const { code, stdout } = await git.run(["credential", "fill"], { input, ...limits });
    return code === 0 ? stdout.toString("utf8").trimEnd() : "";
  } catch (error) {
    if (hasCode(error, "AG4006", "AG2010")) return "";
    throw error;
  }
}

function lineOf(description: string, key: string): string | null {
  const line = description.split("\n").find((text) => text.startsWith(`${key}=`));
  return line === undefined ? null : line.slice(key.length + 1);
}
