import { wrongFlag } from "./cli/given.ts";
import type { OpenRepository, PushedRepository, RepositoryPlace, RepositorySource } from "./cli/house.ts";
import { hasCode } from "./errors.ts";
import { createCredentialHelper } from "./git/credential-helper.ts";
import { openLocalRepository } from "./git/local-repository.ts";
import { openPassingClone } from "./git/passing-clone.ts";
import type { RemoteAccess } from "./git/remote-access.ts";
import { resolveName } from "./git/resolve.ts";
import { openSourceAccess } from "./git/source-access.ts";
import { makeTemporaryFolder } from "./git/temporary-folder.ts";

/**
 * The repository that a person named: a folder is somebody's clone, whose remote is asked through git, as its owner has
 * set it up; an address is asked through git too, in a clone that goes away again.
 * @throws FederationError AG4002 for credentials that the remote cannot take, AG4003, AG4004, AG4008
 */
export async function openSource(source: RepositorySource, signal: AbortSignal): Promise<OpenRepository> {
  const { location, branch, path, refPrefix, gitTimeoutMs: timeoutMs, interactive, onProgress } = source;
  const settings = { branch, path, refPrefix, timeoutMs, interactive, onProgress, environment: process.env };
  if (!isAddress(location)) {
    const access = source.gitCredentials === null ? {} : { readAccess: accessWith(source.gitCredentials) };
    return await openLocalRepository({ ...settings, ...access, directory: location }, signal);
  }
  if (source.asAgent) return await openDirectly(source);
  try {
    const clone = { ...settings, url: location, credentialsDirectory: source.gitCredentials };
    const repository = await openPassingClone(clone, signal);
    return { ...repository, resolve: (name, waiting) => resolveName(repository, source, name, waiting) };
  } catch (error) {
    if (!hasCode(error, "AG4006")) throw error;
    return await openDirectly(source);
  }
}

/** The credentials of a folder in place of those that the clone's owner has set git up with. */
function accessWith(credentialsDirectory: string): (url: string) => Promise<RemoteAccess> {
  const folder = async (): Promise<string> => (await makeTemporaryFolder()).path;
  let opening: ReturnType<typeof openSourceAccess> | null = null;
  return async (url) => {
    if (!/^https?:/i.test(url)) {
      const cause = `they are for http and https, and the clone's remote is ${url}`;
      throw wrongFlag("git-credentials", null, cause, "Leave them out: git asks as it is set up.");
    }
    opening ??= openSourceAccess({ url, credentialsDirectory, ask: null, folder });
    return await (await opening)();
  };
}

/** As an agent asks: without git, except for the credential helpers of a person's git where nothing is mounted. */
async function openDirectly(source: RepositorySource): Promise<OpenRepository> {
  // Its own client of git's protocol is loaded where there is no git, or an agent's view is wanted.
  const { openRepository } = await import("./git/repository.ts");
  const { location, branch, path, refPrefix, gitCredentials, gitTimeoutMs: timeoutMs, interactive } = source;
  const repository = openRepository({
    branch,
    path,
    refPrefix,
    timeoutMs,
    url: location,
    credentialsDirectory: gitCredentials,
    askCredentials: createCredentialHelper({ directory: ".", timeoutMs, interactive, environment: process.env }),
    nowMs: () => Date.now(),
    readAhead: true,
  });
  return {
    ...repository,
    resolve: (name, waiting) => resolveName(repository, source, name, waiting),
    uncommitted: async () => [],
    prefix: "",
    close: async () => undefined,
  };
}

/** A bare repository in whose hook this runs: what is being pushed waits in quarantine, and git's environment shows it. */
export async function openPushed(place: RepositoryPlace, signal: AbortSignal): Promise<PushedRepository> {
  const { location, branch, path, refPrefix, gitTimeoutMs: timeoutMs } = place;
  const program = { directory: location, interactive: false, timeoutMs, environment: process.env };
  return await openLocalRepository({ ...program, branch, path, refPrefix, remote: null }, signal);
}

/** `https://…`; also other kinds of address (`git@host:path`), so that they are told as such and not as missing folders. */
function isAddress(location: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(location) || /^[^/\s]+@[^/\s]+:/.test(location);
}
