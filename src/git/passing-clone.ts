import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { FederationError } from "../errors.ts";
import { createCredentialHelper } from "./credential-helper.ts";
import { createCredentialSource } from "./credential-source.ts";
import { readCredentials } from "./credentials.ts";
import { createGitProgram } from "./git-program.ts";
import { withoutBindings } from "./local-place.ts";
import { type LocalRepository, type LocalRepositorySettings, openLocalRepository } from "./local-repository.ts";
import { type RemoteAccess, readSourceAccess } from "./remote-access.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { parseRepositoryUrl } from "./url.ts";

export interface PassingCloneSettings
  extends Omit<LocalRepositorySettings, "directory" | "remote" | "readAccess" | "keepsFetched"> {
  /** http or https, without credentials. */
  readonly url: string;
  /** A mounted git Secret; null leaves it to the credential helpers that git is set up with. */
  readonly credentialsDirectory: string | null;
}

/** Settings through the environment came with this one. */
const VERSION_MIN = [2, 31] as const;

/**
 * The federation repository behind an address, through git: a bare repository in a folder of its own takes what is
 * asked for, all of the past with it, and goes away when it is closed. Git takes in thousands of commits in a fraction
 * of the time that is needed in memory here.
 * @throws FederationError AG4002, AG4003 for settings that can never work, AG4004 for credentials, AG4006 without a git
 *   that can do this.
 */
export async function openPassingClone(settings: PassingCloneSettings, signal: AbortSignal): Promise<LocalRepository> {
  const url = parseRepositoryUrl(settings.url);
  const folder = await makeTemporaryFolder();
  try {
    const environment = withoutBindings(settings.environment);
    await initialise({ ...settings, environment, directory: folder.path }, url, signal);
    const repository = await openLocalRepository(
      {
        ...settings,
        environment,
        directory: folder.path,
        remote: REMOTE,
        readAccess: await accessFor(url, { ...settings, environment }, folder.path),
        keepsFetched: true,
      },
      signal,
    );
    return {
      ...repository,
      url,
      async close() {
        await repository.close();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

const REMOTE = "origin";

async function initialise(
  program: Parameters<typeof createGitProgram>[0],
  url: string,
  signal: AbortSignal,
): Promise<void> {
  const git = createGitProgram(program);
  const version = await git.ask(["version"], { signal });
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const [majorMin, minorMin] = VERSION_MIN;
  if (major < majorMin || (major === majorMin && minor < minorMin)) {
    throw new FederationError("AG4006", `${version} is older than ${VERSION_MIN.join(".")}`);
  }
  await git.ask(["init", "--quiet", "--bare", "--template=", "--object-format=sha1", "."], { signal });
  await git.ask(["config", `remote.${REMOTE}.url`, url], { signal });
}

/**
 * Credentials of a folder are read again for each conversation, its certificates once: git wants them in a file. Where
 * there is no folder, whoever git would ask is asked, once for all conversations.
 */
async function accessFor(
  url: string,
  { credentialsDirectory: directory, ...program }: PassingCloneSettings,
  folder: string,
): Promise<() => Promise<RemoteAccess>> {
  const ask = createCredentialHelper({ ...program, directory: folder });
  const source = createCredentialSource({ url, directory, ask });
  const { certificates } = await readCredentials(directory);
  const certificatesFile = certificates === null ? null : join(folder, "ca.crt");
  if (certificatesFile !== null) {
    await writeFile(certificatesFile, [...getCACertificates("default"), certificates].join("\n"));
  }
  return () => readSourceAccess({ url, source, certificatesFile });
}
