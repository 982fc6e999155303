import { judgePush } from "../../core/gate.ts";
import type { CommitId, Leadership, ObjectId } from "../../core/model.ts";
import type { RefUpdate, TrackedMove } from "../../core/push.ts";
import { type Pushers, readPushers } from "../../core/pushers.ts";
import { dependsOnLeader } from "../../core/ref-owners.ts";
import { evaluate } from "../../core/view.ts";
import { FederationError } from "../../errors.ts";
import { type Given, REQUEST_DURATIONS, wrongFlag } from "../given.ts";
import type { House, PushedRepository } from "../house.ts";
import { plainText } from "../render/problem.ts";
import type { Shell } from "../shell.ts";
import { REPOSITORY_OPTIONS } from "../source.ts";
import { EXIT, option, type Verb } from "../verb.ts";

export const preReceive: Verb = {
  explanation:
    "To be called by the pre-receive hook of the federation's bare repository, as deploy/git/pre-receive does.\n" +
    "It reads the refs that are pushed from standard input, and exits with 1 to have the push rejected.\n" +
    "The file of --pushers maps each user to a cluster, whose agent it is, or to people:\n" +
    "  agent-east: cluster1\n  jo: people\n" +
    "An agent with --local-designation commit needs leave to make its own cluster the leader:\n" +
    "  agent-west: { cluster: cluster2, designates: true }",
  arguments: [],
  options: [
    option("pushers", "file", null, "YAML that maps each user to a cluster or to people", { fromEnvironment: true }),
    option(
      "pusher-variable",
      "name",
      "REMOTE_USER",
      "environment variable that holds the user (GitLab: GL_USERNAME, Gitea: GITEA_PUSHER_NAME)",
      { fromEnvironment: true },
    ),
    ...REPOSITORY_OPTIONS.filter(({ flag }) => ["branch", "path", "ref-prefix", "git-timeout"].includes(flag)),
  ],
  examples: ["pre-receive --pushers /etc/amko-gitops/pushers.yaml"],
  async run(given, shell, house) {
    const updates = parseUpdates(await house.readStdin());
    const file = given.required("pushers", "Name the file that maps users to clusters.");
    if (updates.length === 0) return EXIT.ok;
    const pushers = await loadPushers(file, house);
    const refused = await judgeAll(updates, pushers, given, shell, house);
    for (const line of refused) shell.stderr.write(`${line}\n`);
    return refused.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

async function judgeAll(
  updates: readonly RefUpdate[],
  pushers: Pushers,
  given: Given,
  shell: Shell,
  house: House,
): Promise<readonly string[]> {
  const user = shell.environment[given.text("pusher-variable") ?? "REMOTE_USER"] || null;
  const pusher = (user === null ? undefined : pushers.get(user)) ?? ({ kind: "unknown" } as const);
  const place = given.place();
  const gitTimeoutMs = given.duration("git-timeout", REQUEST_DURATIONS) ?? 30_000;
  const source = { ...place, location: shell.directory, gitTimeoutMs };
  const repository = openedOnce(() => house.openPushed(source, shell.signal));
  try {
    const lines: string[] = [];
    for (const update of updates) {
      const isTracked = update.ref === `refs/heads/${place.branch}`;
      const move = isTracked ? await readMove(await repository.open(), update, shell, house) : null;
      const asks = dependsOnLeader(update, place.refPrefix);
      const leadership = asks ? await readLeadership(await repository.open(), shell, house) : null;
      const found = judgePush({ ...place, pusher, user, update, move, leadership });
      if (found !== null) lines.push(plainText(`${found.code} ${update.ref}: ${found.message}. ${found.remedy}`));
    }
    return lines;
  } finally {
    await repository.close();
  }
}

interface OpenedOnce {
  open(): Promise<PushedRepository>;
  close(): Promise<void>;
}

/** Most pushes are acknowledgements, which are judged by the names of the refs alone. */
function openedOnce(open: () => Promise<PushedRepository>): OpenedOnce {
  let opened: Promise<PushedRepository> | null = null;
  return {
    open() {
      opened ??= open();
      return opened;
    },
    async close() {
      await (await opened)?.close();
    },
  };
}

async function readMove(
  repository: PushedRepository,
  { before, after }: RefUpdate,
  { signal }: Shell,
  house: House,
): Promise<TrackedMove | null> {
  if (after === null) return null;
  const schemas = await house.readSchemas();
  const head = await repository.read(after, signal);
  const former = before === null ? null : await repository.read(before, signal);
  return {
    isForward: before === null || (await repository.relation(before, after, signal)) !== "unrelated",
    bringsRoot: before !== null && (await repository.bringsRoot(before, after, signal)),
    isOneCommit: head.parents.length === 1 && head.parents[0] === before,
    before: former === null ? null : evaluate(former.files, schemas),
    after: evaluate(head.files, schemas),
    changedPaths: await repository.changedPaths(before, after, signal),
  };
}

async function readLeadership(
  repository: PushedRepository,
  { signal }: Shell,
  house: House,
): Promise<Leadership | null> {
  const { head } = await repository.list("branch", signal);
  if (head === null) return null;
  const { files } = await repository.read(head, signal);
  return evaluate(files, await house.readSchemas()).leadership;
}

/** As git tells them: `<old> <new> <ref>`, one per line, zeroes for none. @throws FederationError AG4002 */
function parseUpdates(text: string): readonly RefUpdate[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [, before, after, ref] = /^([0-9a-f]{40}) ([0-9a-f]{40}) (refs\/.+)$/.exec(line) ?? [];
    if (before === undefined || after === undefined || ref === undefined) {
      const remedy = "Call it as the pre-receive hook of a repository whose objects are named by sha1.";
      throw new FederationError("AG4002", `standard input says "${line}", which moves no ref`, { remedy });
    }
    return { ref, before: commitOf(before), after: commitOf(after) };
  });
}

function commitOf(text: string): CommitId | null {
  return /^0+$/.test(text) ? null : (text as CommitId);
}

async function loadPushers(file: string, house: House): Promise<Pushers> {
  const bytes = await house.readFile(file).catch(() => null);
  if (bytes === null)
    throw wrongFlag("pushers", file, "the file cannot be read", "Name a file that git's user may read.");
  const read = readPushers({ path: file, type: "file", id: "" as ObjectId, size: bytes.length, bytes });
  if (read.ok) return read.pushers;
  const { message, line } = read.problem;
  const place = line === null ? "" : `line ${line}: `;
  throw wrongFlag(
    "pushers",
    file,
    `${place}${message}`,
    "Write one line for each user: `jo: people`, `agent: cluster1`.",
  );
}
