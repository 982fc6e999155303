import { FederationError } from "../errors.ts";
import { type Given, REQUEST_DURATIONS } from "./given.ts";
import type { House, OpenRepository, RepositorySource } from "./house.ts";
import { createProgress } from "./progress.ts";
import type { Shell } from "./shell.ts";
import { type OptionDescription, option } from "./verb.ts";

/** The flags of every verb that reads the federation repository. They mean what they mean to the agent. */
export const REPOSITORY_OPTIONS: readonly OptionDescription[] = [
  option("repo", "url or folder", ".", "federation repository: its URL, or a clone of it", { fromEnvironment: true }),
  option("branch", "name", "main", "tracked branch", { fromEnvironment: true }),
  option("path", "folder", "", "the federation's folder in the repository; empty is the root", {
    fromEnvironment: true,
  }),
  option("ref-prefix", "name", "amko", "prefix of the agents' own branches", { fromEnvironment: true }),
  option(
    "git-credentials",
    "folder",
    null,
    "files username and password, or bearerToken, and ca.crt (default: ask git)",
    {
      fromEnvironment: true,
    },
  ),
  option("git-timeout", "duration", "30s", "time limit of a request to the git server", { fromEnvironment: true }),
];

export interface SourceOptions {
  /** Ask an address as an agent does, and not as the person's git would. */
  readonly asAgent?: boolean;
}

/**
 * Opens the repository that the flags name, for as long as the work takes. A folder is a clone: its remote is asked,
 * with git's own settings.
 */
export async function withSource<T>(
  given: Given,
  shell: Shell,
  house: House,
  work: (repository: OpenRepository) => Promise<T>,
  { asAgent = false }: SourceOptions = {},
): Promise<T> {
  const progress = createProgress(shell);
  const source: RepositorySource = {
    location: given.text("repo") ?? ".",
    ...given.place(),
    gitCredentials: given.text("git-credentials"),
    gitTimeoutMs: given.duration("git-timeout", REQUEST_DURATIONS) ?? 30_000,
    interactive: shell.stderr.isTerminal,
    asAgent,
    onProgress: (text) => (text === null ? progress.end() : progress.tell(text)),
  };
  const repository = await house.openRepository(source, shell.signal);
  try {
    return await work(repository);
  } finally {
    await repository.close();
  }
}

/** The revision that a person named. @throws FederationError AG4009 when there is none */
export async function resolveRevision(
  repository: OpenRepository,
  name: string,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<OpenRepository["resolve"]>> & string> {
  const commit = await repository.resolve(name, signal);
  if (commit === null) throw new FederationError("AG4009", `${repository.url} has no revision "${name}"`);
  return commit;
}
