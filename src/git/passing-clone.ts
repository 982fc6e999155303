import { FederationError } from "../errors.ts";
import { createCredentialHelper } from "./credential-helper.ts";
import { createGitProgram } from "./git-program.ts";
import { withoutBindings } from "./local-place.ts";
import { type LocalRepository, type LocalRepositorySettings, openLocalRepository } from "./local-repository.ts";
import { openSourceAccess } from "./source-access.ts";
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
    // Named, so that it is used also where git is told to look for no bare repository by itself.
    const environment = { ...withoutBindings(settings.environment), GIT_DIR: folder.path };
    const program = { ...settings, environment, directory: folder.path };
    await initialise(program, url, signal);
    const { credentialsDirectory } = settings;
    const ask = createCredentialHelper(program);
    const readAccess = await openSourceAccess({ url, credentialsDirectory, ask, folder: async () => folder.path });
    const repository = await openLocalRepository(
      {
        ...program,
        remote: REMOTE,
        readAccess,
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
