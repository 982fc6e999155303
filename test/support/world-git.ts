import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type GitServerUser, startGitServer } from "../../src/sandbox/git-server.ts";
import { installHook, type TestPushers } from "./hook.ts";
import { PROJECT, type ServerProcess, startServer } from "./process.ts";

const GIT_SERVER = join(PROJECT, "src/sandbox/git-server-main.ts");
/** Whose clone a world with users of its own has. */
const PERSON = "jo";

export type GitUsers = Record<string, GitServerUser>;

/** The git server of a world, and whom it knows. */
export interface WorldGit {
  /** The repository's address, without credentials. */
  readonly url: string;
  /** The same, with those of a person who may push. */
  readonly personUrl: string;
  /** An environment in which git has the credentials of that person. */
  readonly personEnvironment: Readonly<Record<string, string>>;
  /** Null where everybody is welcome. */
  readonly users: Readonly<GitUsers> | null;
  crash(): Promise<void>;
  restart(): Promise<void>;
}

export interface WorldGitOptions {
  /** The folder of the bare repositories, and the name of the one that is served. */
  readonly root: string;
  readonly repository: string;
  /** The clusters' names: each is the user of its agent. */
  readonly clusters: readonly string[];
  /** True gives everybody a user and judges each push with the hook that the project ships. */
  readonly hook: boolean;
  /** Who may read and push; may be changed while the server runs. */
  readonly users: GitUsers | undefined;
  /** Pushers whom the hook knows otherwise than by the cluster of their name. */
  readonly pushers: TestPushers;
}

export async function startWorldGit(options: WorldGitOptions): Promise<WorldGit> {
  const { root, repository, clusters, hook } = options;
  if (!hook) return await serve(options, options.users, options.users === undefined);
  const agents = Object.fromEntries(clusters.map((name) => [name, name]));
  await installHook(join(root, repository), { ...agents, ...options.pushers, [PERSON]: "people" });
  const users = Object.assign(options.users ?? usersOf(clusters), { [PERSON]: { password: PERSON, mayPush: true } });
  return await serve(options, users, options.users === undefined);
}

/** A process of its own, so that it can be killed; in this one where users change. */
async function serve(
  { root, repository }: WorldGitOptions,
  users: GitUsers | undefined,
  ownProcess: boolean,
): Promise<WorldGit> {
  const started = ownProcess ? await startOwnProcess(root, users) : await startHere(root, users);
  const url = `${started.origin}/${repository}`;
  const { crash, restart } = started;
  const personUrl = withPerson(url, users);
  return { url, personUrl, personEnvironment: loginOf(personUrl), users: users ?? null, crash, restart };
}

type Served = { readonly origin: string } & Pick<WorldGit, "crash" | "restart">;

async function startHere(root: string, users: GitUsers | undefined): Promise<Served> {
  const server = await startGitServer({ root, ...(users === undefined ? {} : { users }) });
  return {
    origin: new URL(server.url("")).origin,
    crash: () => server.stop({ abruptly: true }),
    restart: () => Promise.reject(new TypeError("a git server whose users change cannot be restarted")),
  };
}

async function startOwnProcess(root: string, users: GitUsers | undefined): Promise<Served> {
  const file = `${root}-users.json`;
  if (users !== undefined) await writeFile(file, JSON.stringify(users));
  const start = (port: string): Promise<ServerProcess> =>
    startServer([GIT_SERVER, root, port, ...(users === undefined ? [] : [file])]);
  let server: ServerProcess | null = await start("0");
  const { port, origin } = new URL(server.url);
  return {
    origin,
    async crash() {
      const running = server;
      server = null;
      await running?.kill();
    },
    async restart() {
      server ??= await start(port);
    },
  };
}

function usersOf(names: readonly string[]): GitUsers {
  return Object.fromEntries(names.map((name) => [name, { password: `${name}'s`, mayPush: true }]));
}

/** A person without a user of their own pushes as the first one who may. */
function withPerson(url: string, users: GitUsers | undefined): string {
  const mayPush = Object.entries(users ?? {}).filter(([, user]) => user.mayPush);
  const user = mayPush.find(([name]) => name === PERSON) ?? mayPush[0];
  if (user === undefined) return url;
  const [name, { password }] = user;
  return Object.assign(new URL(url), { username: name, password }).href;
}

/** As a credential helper would know them. */
function loginOf(personUrl: string): Readonly<Record<string, string>> {
  const { username, password } = new URL(personUrl);
  if (username === "") return {};
  const helper = `!printf 'username=%s\\npassword=%s\\n' ${username} ${password} #`;
  return { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "credential.helper", GIT_CONFIG_VALUE_0: helper };
}
