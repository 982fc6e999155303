import type { CommitId } from "../core/model.ts";
import type { RefListing, Repository } from "../ports.ts";
import type { ProxyEnvironment } from "../proxy.ts";
import { createClones, noteTip } from "./clone.ts";
import type { AskCredentials } from "./credential-source.ts";
import { createObjectStore } from "./object-store.ts";
import { createPastReader } from "./past.ts";
import { checkRefName } from "./ref-name.ts";
import { openRemote, type Remote } from "./remote.ts";
import { createRevisionReader } from "./revision.ts";
import { openTransport, type RequestReport } from "./transport.ts";
import { parseRepositoryUrl } from "./url.ts";
import { createWriter } from "./writer.ts";

/** A federation is some hundred kilobytes; whoever needs more has put something else into its repository. */
const FETCH_MAX_BYTES = 64 * 1024 * 1024;

export interface RepositorySettings {
  /** http or https, without credentials. */
  readonly url: string;
  readonly branch: string;
  /** The federation's folder; "" is the root. */
  readonly path: string;
  /** Without slashes at its ends: `amko`. */
  readonly refPrefix: string;
  /** A mounted git Secret: `username` and `password`, or `bearerToken`, and `ca.crt`; null where there is none. */
  readonly credentialsDirectory: string | null;
  /** Asked once where the server wants credentials and no directory is given; the answer is kept in memory. */
  readonly askCredentials?: AskCredentials;
  /** For each request, from connecting to the last byte. */
  readonly timeoutMs: number;
  readonly nowMs: () => number;
  readonly fetchMaxBytes?: number;
  /**
   * Fetches everything that was listed as soon as one commit of it is wanted, and the past in few large steps. For a
   * command, which reads most of it once; an agent, which reads little of it and often, would pay for what it never reads.
   */
  readonly readAhead?: boolean;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up; the process's environment when not given. */
  readonly proxyEnv?: ProxyEnvironment;
  /** Told after each request, also a failed one. */
  readonly onRequest?: (report: RequestReport) => void;
}

/**
 * The federation repository behind an http or https address. Keeps a shallow clone in memory, nothing on disk.
 * When a call's signal aborts, the call rejects with the signal's reason.
 * @throws FederationError AG4002 or AG4003 for settings that can never work; no request is made yet.
 */
export function openRepository(settings: RepositorySettings): Repository {
  const url = parseRepositoryUrl(settings.url);
  checkRefName(settings.branch, "AG4002");
  checkRefName(settings.refPrefix, "AG4002");
  const transport = openTransport({
    url,
    credentialsDirectory: settings.credentialsDirectory,
    askCredentials: settings.askCredentials ?? null,
    timeoutMs: settings.timeoutMs,
    nowMs: settings.nowMs,
    proxyEnv: settings.proxyEnv ?? process.env,
    onRequest: settings.onRequest ?? (() => undefined),
  });
  const remote = openRemote(transport, settings.fetchMaxBytes ?? FETCH_MAX_BYTES);
  return { url, ...openReaderAndWriter(remote, settings) };
}

function openReaderAndWriter(remote: Remote, settings: RepositorySettings): Omit<Repository, "url"> {
  const branchRef = `refs/heads/${settings.branch}`;
  const refsPrefix = `refs/heads/${settings.refPrefix}/`;
  const clones = createClones(remote);
  const revisions = createRevisionReader(settings.path);
  const readAhead = settings.readAhead ?? false;
  const past = createPastReader(clones, { readAhead });

  const writer = createWriter(settings, {
    async desk(parent, signal) {
      if (parent === null) return { objects: await createObjectStore(), landed: () => undefined };
      const clone = await clones.holding(parent, "recent", signal);
      clone.uses += 1;
      return { objects: clone.store, landed: (commit) => noteTip(clone, commit) };
    },
    push: remote.push,
    refAt: async (ref, signal) => (await remote.listRefs([ref], signal)).get(ref) ?? null,
    isBelow: async (commit, descendant, signal) => (await past.relation(commit, descendant, signal)) === "ancestor",
  });

  return {
    async list(scope, signal) {
      const listing = await list(remote, { branchRef, refsPrefix, scope }, signal);
      if (readAhead)
        clones.expect([...(listing.refs?.values() ?? []), ...(listing.head === null ? [] : [listing.head])]);
      return listing;
    },
    async read(commit, signal) {
      const { store } = await clones.holding(commit, "recent", signal);
      return await revisions.read(store, commit);
    },
    relation: past.relation,
    async *history(range, limit, signal) {
      let count = 0;
      for await (const { id, clone } of past.walk(range, signal)) {
        if (count >= limit) return;
        yield await revisions.read(clone.store, id);
        count += 1;
      }
    },
    async readFiles(commit, signal) {
      const { store } = await clones.holding(commit, "alone", signal);
      return await revisions.readAll(store, commit);
    },
    ...writer,
  };
}

interface ListRequest {
  readonly branchRef: string;
  readonly refsPrefix: string;
  readonly scope: "branch" | "all";
}

/** The server matches prefixes of names, so `main2` comes along with `main` and is left out here. */
async function list(
  remote: Remote,
  { branchRef, refsPrefix, scope }: ListRequest,
  signal: AbortSignal,
): Promise<RefListing> {
  const refs = await remote.listRefs(scope === "branch" ? [branchRef] : [branchRef, refsPrefix], signal);
  const below = [...refs]
    .filter(([name]) => name.startsWith(refsPrefix))
    .map(([name, id]): [string, CommitId] => [name.slice(refsPrefix.length), id]);
  return { head: refs.get(branchRef) ?? null, refs: scope === "branch" ? null : new Map(below) };
}
