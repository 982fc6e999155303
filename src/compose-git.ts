import type { OpenRepository, PushedRepository, RepositorySource } from "./cli/house.ts";
import { createCredentialHelper } from "./git/credential-helper.ts";
import { openLocalRepository } from "./git/local-repository.ts";
import { resolveName } from "./git/resolve.ts";

/**
 * The repository that a person at a terminal named: an address is asked directly, with git's credential helpers where
 * nothing is mounted; a folder is somebody's clone, whose remote is asked through git, as its owner has set it up.
 * @throws FederationError AG4003, AG4008
 */
export async function openSource(source: RepositorySource, signal: AbortSignal): Promise<OpenRepository> {
  const { location, branch, path, refPrefix, gitCredentials, gitTimeoutMs, interactive } = source;
  const where = { branch, path, refPrefix, timeoutMs: gitTimeoutMs };
  const program = { directory: ".", timeoutMs: gitTimeoutMs, interactive, environment: process.env };
  if (!isAddress(location)) {
    return await openLocalRepository({ ...where, directory: location, interactive, environment: process.env }, signal);
  }
  // Its own client of git's protocol is loaded where an address is asked: a clone and a hook go through `git`.
  const { openRepository } = await import("./git/repository.ts");
  const repository = openRepository({
    ...where,
    url: location,
    credentialsDirectory: gitCredentials,
    askCredentials: createCredentialHelper(program),
    nowMs: () => Date.now(),
    readAhead: true,
  });
  return {
    ...repository,
    resolve: (name, waiting) => resolveName(repository, source, name, waiting),
    close: async () => undefined,
  };
}

/** A bare repository in whose hook this runs: what is being pushed waits in quarantine, and git's environment shows it. */
export async function openPushed(source: RepositorySource, signal: AbortSignal): Promise<PushedRepository> {
  const { location, branch, path, refPrefix, gitTimeoutMs: timeoutMs } = source;
  const place = { directory: location, interactive: false, timeoutMs, environment: process.env };
  return await openLocalRepository({ ...place, branch, path, refPrefix, remote: null }, signal);
}

/** `https://…`; also other kinds of address (`git@host:path`), so that they are told as such and not as missing folders. */
function isAddress(location: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(location) || /^[^/\s]+@[^/\s]+:/.test(location);
}
