import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CommitId } from "../../src/core/model.ts";
import { encodePacket, FLUSH } from "../../src/git/pkt-line.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { startGitServer } from "../../src/sandbox/git-server.ts";
import { git, temporaryFolder } from "./git.ts";
import { installHook, type TestPushers } from "./hook.ts";

/** Text is written; null removes a file. */
export type Edits = Readonly<Record<string, string | null>>;

/** One line of a push as it goes over the wire; null is no commit. */
export interface RawMove {
  readonly ref: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** A git server whose only repository is guarded by the hook, and one clone from which everybody pushes. */
export interface GuardedServer {
  /** The bare repository's folder. */
  readonly bare: string;
  /** The clone's folder. */
  readonly work: string;
  /** Pushes from the clone: `taken`, or the code that the server's words name, or all that git said. */
  push(user: string, ...args: readonly string[]): Promise<string>;
  /** One commit on top of what the clone has. */
  commit(edits: Edits): Promise<CommitId>;
  /** Tries a commit on the tracked branch and goes back to what the server has, whatever it said. */
  attempt(user: string, edits: Edits): Promise<string>;
  /** Tries what stands at `commit`, as {@link attempt} does. */
  attemptCommit(user: string, commit: string): Promise<string>;
  /** Sends what no git would send, and returns what the server says. */
  rawPush(user: string, moves: readonly RawMove[], pack: Uint8Array): Promise<string>;
  stop(): Promise<void>;
}

const REPOSITORY = "federation.git";
const NO_COMMIT = "0".repeat(40);

/** Everybody in `users` may push as far as the server itself goes; their password is their name. */
export async function startGuardedServer(users: readonly string[], pushers: TestPushers): Promise<GuardedServer> {
  const folder = await temporaryFolder();
  const bare = await createBareRepository(join(folder.path, "git"), REPOSITORY);
  await installHook(bare, pushers);
  const server = await startGitServer({
    root: join(folder.path, "git"),
    users: Object.fromEntries(users.map((name) => [name, { password: name, mayPush: true }])),
  });
  const url = new URL(server.url(REPOSITORY));
  const work = join(folder.path, "work");
  await mkdir(work);
  await git(work, ["init", "--quiet", "--initial-branch=main", "."]);

  async function push(user: string, ...args: readonly string[]): Promise<string> {
    const options = args.filter((arg) => arg.startsWith("-"));
    const refspecs = args.filter((arg) => !arg.startsWith("-"));
    const address = Object.assign(new URL(url), { username: user, password: user }).href;
    try {
      await git(work, ["push", "--quiet", ...options, address, ...refspecs]);
      return "taken";
    } catch (error) {
      return verdictOf(String((error as { readonly stderr?: unknown }).stderr));
    }
  }

  let commits = 0;

  async function commit(edits: Edits): Promise<CommitId> {
    for (const [path, text] of Object.entries(edits)) {
      if (text === null) {
        await git(work, ["rm", "--quiet", path]);
        continue;
      }
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), text);
    }
    await git(work, ["add", "--all"]);
    await git(work, ["commit", "--quiet", "--message", `Change ${++commits}`]);
    return (await git(work, ["rev-parse", "HEAD"])) as CommitId;
  }

  async function attemptCommit(user: string, id: string): Promise<string> {
    const answer = await push(user, `${id}:refs/heads/main`);
    await git(work, ["reset", "--quiet", "--hard", await git(bare, ["rev-parse", "main"])]);
    return answer;
  }

  return {
    bare,
    work,
    push,
    commit,
    attemptCommit,
    attempt: async (user, edits) => await attemptCommit(user, await commit(edits)),
    async rawPush(user, moves, pack) {
      const lines = moves.map(({ ref, before, after }) => `${before ?? NO_COMMIT} ${after ?? NO_COMMIT} ${ref}`);
      const [first = "", ...rest] = lines;
      const head = [`${first}\0report-status side-band-64k`, ...rest].map((line) => encodePacket(`${line}\n`)).join("");
      const answer = await fetch(`${url.href}/git-receive-pack`, {
        method: "POST",
        headers: {
          authorization: `Basic ${btoa(`${user}:${user}`)}`,
          "content-type": "application/x-git-receive-pack-request",
        },
        body: Buffer.concat([Buffer.from(`${head}${FLUSH}`), pack]),
      });
      return await answer.text();
    },
    async stop() {
      await server.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function verdictOf(words: string): string {
  return /AG\d{4}/.exec(words)?.[0] ?? words;
}
