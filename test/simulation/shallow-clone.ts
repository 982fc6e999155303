import type { CommitId } from "../../src/core/model.ts";
import { FederationError } from "../../src/errors.ts";
import type { Repository } from "../../src/ports.ts";
import type { FakeRemote } from "../support/fakes/repository.ts";

/** A repository that knows only a part of the history, until it is asked for more. */
export interface ShallowRepository extends Repository {
  /** Throws the clone away, as the end of a process does. */
  forget(): void;
}

/**
 * What is in the clone is read without a request, also while git cannot be reached; what is not is fetched, by a
 * request that may fail like any other, also in the middle of a history. A commit that no ref leads to any more cannot
 * be had from the server.
 */
export function withShallowClone(remote: FakeRemote, local: Repository, requested: Repository): ShallowRepository {
  const here = new Set<CommitId>();

  async function fetch(commit: CommitId, signal: AbortSignal): Promise<void> {
    if (here.has(commit)) return;
    await requested.read(commit, signal);
    if (!isReachable(remote, commit)) throw new FederationError("AG2012", `the server does not hand out ${commit}`);
    here.add(commit);
  }

  async function keep(made: Promise<CommitId>): Promise<CommitId> {
    const commit = await made;
    here.add(commit);
    return commit;
  }

  return {
    ...requested,
    forget: () => here.clear(),
    async read(commit, signal) {
      await fetch(commit, signal);
      return local.read(commit, signal);
    },
    async readFiles(commit, signal) {
      await fetch(commit, signal);
      return local.readFiles(commit, signal);
    },
    async relation(ancestor, descendant, signal) {
      if (here.has(ancestor) && here.has(descendant)) return local.relation(ancestor, descendant, signal);
      const answer = await requested.relation(ancestor, descendant, signal);
      const isGone = [ancestor, descendant].some((commit) => !here.has(commit) && !isReachable(remote, commit));
      return isGone && answer !== "same" ? "unrelated" : answer;
    },
    async *history(range, limit, signal) {
      for await (const revision of local.history(range, limit, signal)) {
        await fetch(revision.commit, signal);
        yield revision;
      }
    },
    publish: (request, signal) => keep(requested.publish(request, signal)),
    propose: (proposal, signal) => keep(requested.propose(proposal, signal)),
    writeOrphan: (orphan, signal) => keep(requested.writeOrphan(orphan, signal)),
  };
}

function isReachable(remote: FakeRemote, commit: CommitId): boolean {
  const seen = new Set(remote.branches().values());
  for (const id of seen) {
    if (id === commit) return true;
    for (const parent of remote.stored(id).parents) seen.add(parent);
  }
  return false;
}
