import type { CommitId } from "../core/model.ts";
import { decodePercent } from "../core/names.ts";
import { FederationError } from "../errors.ts";
import { tellProgress, withoutProgress } from "./fetch-progress.ts";
import type { GitProgram, GitRun, GitRunOptions } from "./git-program.ts";
import { parseRefs, type RefSource } from "./local-refs.ts";
import { type GitSetting, type RemoteAccess, settingsEnvironment } from "./remote-access.ts";
import type { PushReport } from "./send-pack.ts";
import { transportComplaint, verdictOn } from "./transport-complaint.ts";
import { serverWords } from "./words.ts";

/** Git's exit code for a push that did not end well, while the remote could be talked to. */
const PUSH_FAILED_CODE = 1;
/** How `git push --porcelain` tells that a ref was not moved, by git here or by the server. */
const REJECTIONS = ["[rejected]", "[remote rejected]"] as const;
/** Settings of a remote that make git do more than it was asked: move refs of the clone, or ask for fewer objects. */
const LEFT_OUT = ["fetch", "push", "mirror", "prune", "prunetags", "tagopt", "promisor", "partialclonefilter"] as const;

/** Until the remote has answered once: who is asked for a password or a passphrase may have to look for it first. */
const PERSON_MAX_MS = 5 * 60_000;

export interface LocalRemoteSettings {
  readonly git: GitProgram;
  readonly remote: string;
  /** What git is run with: settings may have come that way, and stay. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked for each time that the remote is talked to: credentials may have changed. */
  readonly readAccess: (url: string) => Promise<RemoteAccess>;
  /** Whether git, or ssh, may ask somebody at the terminal. */
  readonly asksPerson: boolean;
  /** Told how far a fetch has come, in a few words; null when it is over. */
  readonly onProgress: (text: string | null) => void;
  /** Keeps what was fetched by refs of its own, so that later fetches build on it: where the refs are nobody's. */
  readonly keepsFetched: boolean;
}

/**
 * A remote of somebody's clone, reached as git reaches it: its address, ssh, proxies and credential helpers are as they
 * are configured. Git is told of it under another name, without the remote's refspecs, so that no tracking branch of
 * the clone is moved when we fetch or push.
 */
export async function openLocalRemote(
  { git, remote, environment: given, readAccess, asksPerson, onProgress, keepsFetched }: LocalRemoteSettings,
  signal: AbortSignal,
): Promise<RefSource> {
  const alias = `amko-gitops-as-${remote}`;
  const { url, secrets: known } = withoutSecrets(await git.ask(["remote", "get-url", "--", remote], { signal }));
  const settings = aliasing(await readSettings(git, remote, signal), alias);

  let patience: Pick<GitRunOptions, "timeoutMs"> = asksPerson ? { timeoutMs: PERSON_MAX_MS } : {};

  async function talk(args: readonly string[], options: GitRunOptions): Promise<Talk> {
    for (let access = await readAccess(url); ; ) {
      const configured = settingsEnvironment([...settings, ...access.settings], given);
      const run = await git.run(args, {
        ...options,
        ...patience,
        environment: { ...options.environment, ...access.environment, ...configured },
      });
      if (run.code === 0) patience = {};
      const verdict = verdictOn(run);
      const instead = verdict === null ? null : await access.settle(verdict, options.signal);
      if (instead === null) return { ...run, secrets: [...known, ...access.secrets] };
      access = instead;
    }
  }

  async function list(refs: readonly string[], aborts: AbortSignal): Promise<ReadonlyMap<string, CommitId>> {
    const patterns = refs.map((ref) => (ref.endsWith("/") ? `${ref}*` : ref));
    const said = await talk(["ls-remote", "--quiet", "--heads", "--end-of-options", alias, ...patterns], {
      signal: aborts,
    });
    if (said.code !== 0) throw transportComplaint(said, { url, direction: "fetch", secrets: said.secrets });
    const listed = parseRefs(said.stdout.toString("utf8"), refs);
    if (listed.size === 0) await expectGit(aborts);
    return listed;
  }

  /** Git takes a web page for a repository without refs, one of those that are served as mere files. */
  async function expectGit(aborts: AbortSignal): Promise<void> {
    const environment = { GIT_TRACE_PACKET: "1" };
    const said = await talk(["ls-remote", "--quiet", "--end-of-options", alias], { environment, signal: aborts });
    if (said.code !== 0) throw transportComplaint(said, { url, direction: "fetch", secrets: said.secrets });
    if (/ packet: /.test(said.stderr)) return;
    throw new FederationError("AG2008", `${url} does not answer as a git server`, { remedy: "Check the address." });
  }

  return {
    url,
    list,
    async fetch(commits, aborts) {
      const input = Buffer.from(commits.map((id) => `${id}\n`).join(""));
      const onStderr = (text: string): void => tellProgress(text, onProgress);
      const options = { input, onStderr, signal: aborts };
      const said = await talk([...FETCH, "--stdin", "--end-of-options", alias], options).finally(() =>
        onProgress(null),
      );
      if (said.code === 0) {
        if (keepsFetched) await keep(git, commits, aborts);
        return true;
      }
      // The words do not say whether a commit is gone or the server is unwell. If it lists its refs, it is well; and a
      // commit that a branch points to cannot be gone.
      const refs = new Set((await list(["refs/heads/"], aborts)).values());
      if (!commits.every((id) => refs.has(id))) return false;
      const complaint = { ...said, stderr: withoutProgress(said.stderr) };
      throw transportComplaint(complaint, { url, direction: "fetch", secrets: said.secrets });
    },
    async push({ ref, expected, target }, aborts) {
      const lease = `--force-with-lease=${ref}:${expected ?? ""}`;
      const said = await talk([...PUSH, lease, "--end-of-options", alias, `${target ?? ""}:${ref}`], {
        signal: aborts,
      });
      if (said.code === 0) return { kind: "done" };
      if (said.code === PUSH_FAILED_CODE) return reportOf(said, ref);
      throw transportComplaint(said, { url, direction: "push", secrets: said.secrets });
    },
  };
}

async function keep(git: GitProgram, commits: readonly CommitId[], signal: AbortSignal): Promise<void> {
  const input = Buffer.from(commits.map((id) => `update refs/fetched/${id} ${id}\n`).join(""));
  await git.run(["update-ref", "--stdin"], { input, signal });
}

/** What git said, and what of it must not be told. */
type Talk = GitRun & { readonly secrets: readonly string[] };

/** Which remote git would ask for the branch; null where there is none. @throws FederationError AG4002 */
export async function chooseRemote(
  git: GitProgram,
  { branch, remote }: { readonly branch: string; readonly remote?: string | null | undefined },
  signal: AbortSignal,
): Promise<string | null> {
  if (remote === null) return null;
  const names = (await git.ask(["remote"], { signal })).split("\n").filter((name) => name !== "");
  if (remote !== undefined) {
    if (names.includes(remote)) return remote;
    throw new FederationError("AG4002", `the clone has no remote ${JSON.stringify(remote)}`);
  }
  const { stdout } = await git.run(["config", "--get", "--", `branch.${branch}.remote`], { signal });
  const configured = stdout.toString("utf8").trimEnd();
  if (configured === ".") return null;
  const wished = [configured, "origin"].find((name) => names.includes(name));
  return wished ?? (names.length === 1 ? (names[0] ?? null) : null);
}

/** Adds objects and nothing else. */
const FETCH = [
  "-c",
  "fetch.writeCommitGraph=false",
  "fetch",
  "--progress",
  "--no-tags",
  "--no-write-fetch-head",
  "--no-auto-maintenance",
  "--no-prune",
  "--no-recurse-submodules",
] as const;

/** A clone's own pre-push hook judges what a person pushes from the work tree; these commits never stood there. */
const PUSH = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"] as const;

async function readSettings(git: GitProgram, remote: string, signal: AbortSignal): Promise<readonly GitSetting[]> {
  const { stdout } = await git.run(["config", "--null", "--get-regexp", "^remote\\."], { signal });
  const start = `remote.${remote}.`;
  return stdout
    .toString("utf8")
    .split("\0")
    .filter((entry) => entry.startsWith(start))
    .map((entry): GitSetting => {
      const [key = "", ...value] = entry.slice(start.length).split("\n");
      return [key, value.join("\n")];
    })
    .filter(([key]) => !LEFT_OUT.some((name) => name === key));
}

/** Through the environment, not the command line, which everybody on the machine can read. */
function aliasing(settings: readonly GitSetting[], alias: string): readonly GitSetting[] {
  return settings.map(([key, value]) => [`remote.${alias}.${key}`, value]);
}

function withoutSecrets(address: string): { readonly url: string; readonly secrets: readonly string[] } {
  const parsed = /^[a-z+]+:\/\//i.test(address) && URL.canParse(address) ? new URL(address) : null;
  if (parsed === null || (parsed.username === "" && parsed.password === "")) return { url: address, secrets: [] };
  const { username, password, protocol } = parsed;
  parsed.password = "";
  // In an ssh address the name says where to log in; in any other it is half of the credentials, or a token.
  if (protocol !== "ssh:") parsed.username = "";
  const named = protocol === "ssh:" ? [password] : [username, password];
  return { url: parsed.href, secrets: named.flatMap((secret) => [secret, decodePercent(secret) ?? secret]) };
}

/** What the line of the ref says, and what the server's hooks said. */
function reportOf({ stdout, stderr, secrets }: Talk, ref: string): PushReport {
  const lines = stdout.toString("utf8").split("\n");
  const told = lines.map((line) => line.split("\t")).find(([, refspec]) => refspec?.endsWith(`:${ref}`) === true)?.[2];
  const isRejected = REJECTIONS.some((start) => told?.startsWith(start) === true);
  // Any other line may stand there also where the server was lost after it had moved the ref; then git's own words help.
  const remarks = stderr.split("\n").filter((text) => !isRejected || text.startsWith("remote:"));
  const words = serverWords([...(told === undefined ? [] : [told]), ...remarks].join(" "), secrets);
  return { kind: isRejected ? "refused" : "unsaid", words };
}
