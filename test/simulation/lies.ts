import { BASE_ANNOTATION, type CommitId, FEDERATED_KINDS, KINDS, type Revision } from "../../src/core/model.ts";
import { formatRevision } from "../../src/core/records.ts";
import { readSnapshot } from "../../src/core/snapshot.ts";
import { FederationError } from "../../src/errors.ts";
import { schemas, snapshotFile } from "../support/builders.ts";
import { SEEDS } from "./content.ts";
import type { Tampering } from "./simulate.ts";

/** A guard that is taken out by handing the agents a world that lies to them. */
export interface Lie {
  readonly name: string;
  /** The guard. */
  readonly without: string;
  /** The checker that stands behind it. */
  readonly noticedBy: string;
  readonly tampering: Tampering;
}

export const LIES: readonly Lie[] = [
  {
    name: "pushes-on-top-of-anything",
    without: "a push that succeeds only on top of the revision that was evaluated",
    noticedBy: "a deposed leader never lands an export",
    tampering: {
      repository: (repository, _, { remote }) => ({
        ...repository,
        publish: (request, signal) =>
          repository.publish({ ...request, parent: remote.branch("main") ?? request.parent }, signal),
      }),
    },
  },
  {
    name: "nobody-else-in-office",
    without: "the refs that tell who is in office",
    noticedBy: "no two local objects say leader at once",
    tampering: {
      repository: (repository, self) => ({
        ...repository,
        async list(scope, signal) {
          const { head, refs } = await repository.list(scope, signal);
          const isOther = (name: string): boolean => name.startsWith("leading/") && name !== `leading/${self}`;
          return { head, refs: refs && new Map([...refs].filter(([name]) => !isOther(name))) };
        },
      }),
    },
  },
  {
    name: "missing-files-are-tombstones",
    without: "the rule that a missing file deletes nothing",
    noticedBy: "nothing is deleted without a tombstone",
    tampering: {
      repository: (repository) => ({
        ...repository,
        read: async (commit, signal) => entomb(await repository.read(commit, signal)),
      }),
    },
  },
  {
    name: "no-grace-by-setting",
    without: "the grace of a deletion",
    noticedBy: "a tombstone tells what a person did",
    tampering: { settings: { deleteGraceMs: 0 } },
  },
  {
    name: "rescues-that-go-nowhere",
    without: "the rescue of what is about to be overwritten",
    noticedBy: "nothing that a person wrote is lost",
    tampering: {
      repository: (repository) => ({
        ...repository,
        writeOrphan: async (orphan, signal) =>
          orphan.ref.startsWith("rescue/") ? NOWHERE : repository.writeOrphan(orphan, signal),
      }),
    },
  },
  {
    name: "writes-that-never-land",
    without: "the order of apply and acknowledgement",
    noticedBy: "base and acknowledgement are never ahead of the cluster",
    tampering: {
      cluster: (cluster) => ({
        ...cluster,
        patch: (target, patch, options, signal) =>
          cluster.patch(target, patch, target.kind === "AMKOCluster" ? options : { dryRun: true }, signal),
      }),
    },
  },
  {
    name: "writes-that-land-by-half",
    without: "the base that is written in the same request as the content",
    noticedBy: "base and acknowledgement are never ahead of the cluster",
    tampering: {
      cluster: (cluster) => ({
        ...cluster,
        patch: (target, patch, options, signal) => {
          const isHalf = target.kind !== "AMKOCluster" && !options.dryRun;
          const half = patch.filter(({ path }) => !path.startsWith("/spec"));
          return cluster.patch(target, isHalf ? half : patch, options, signal);
        },
      }),
    },
  },
  {
    name: "forged-revisions",
    without: "the rule that only what stands on the branch is applied",
    noticedBy: "no content by an agent's hand that never was on the branch",
    tampering: {
      repository: (repository) => ({
        ...repository,
        read: async (commit, signal) => forge(await repository.read(commit, signal)),
      }),
    },
  },
  {
    name: "bases-that-are-always-new",
    without: "the base that tells an older state of git from a change",
    noticedBy: "an export brings what people did here, and nothing else",
    tampering: {
      cluster: (cluster, _, { remote }) => ({
        ...cluster,
        list: async (kind, signal) =>
          (await cluster.list(kind, signal)).map((object) => {
            const { annotations = {} } = object.metadata;
            const head = remote.branch("main");
            if (annotations[BASE_ANNOTATION] === undefined || head === null) return object;
            const base = { [BASE_ANNOTATION]: formatRevision("main", head) };
            return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, ...base } } };
          }),
      }),
    },
  },
  {
    name: "acknowledgements-that-go-nowhere",
    without: "acknowledgements",
    noticedBy: "convergence",
    tampering: {
      repository: (repository) => ({
        ...repository,
        moveRef: async (move, signal) =>
          move.ref.startsWith("applied/") ? undefined : repository.moveRef(move, signal),
      }),
    },
  },
  {
    name: "statuses-that-are-never-read",
    without: "the comparison of a status with what was written before",
    noticedBy: "bounded passes",
    tampering: {
      cluster: (cluster) => ({
        ...cluster,
        list: async (kind, signal) =>
          (await cluster.list(kind, signal)).map((object) => {
            const { status: _, ...rest } = object;
            return kind === "AMKOCluster" ? rest : object;
          }),
      }),
    },
  },
  {
    name: "a-branch-that-always-moves",
    without: "a branch that can be pushed to at last",
    noticedBy: "bounded retries",
    tampering: {
      repository: (repository) => ({
        ...repository,
        publish: async () => {
          throw new FederationError("AG2003", "the branch moved, as always");
        },
      }),
    },
  },
];

const NOWHERE = "0".repeat(40) as CommitId;

function entomb(revision: Revision): Revision {
  const missing = FEDERATED_KINDS.filter(
    (kind) => !revision.files.some(({ path }) => path.startsWith(`${KINDS[kind].folder}/`)),
  );
  const tombstones = missing.map((kind) => snapshotFile({ ...SEEDS[kind], deleted: "not there any more" }));
  return { ...revision, files: [...revision.files, ...tombstones] };
}

/** The policy with another ttl than the branch has. */
function forge(revision: Revision): Revision {
  const files = revision.files.map((file) => {
    if (!file.path.startsWith(KINDS.GlobalDeploymentPolicy.folder)) return file;
    const read = readSnapshot(file, schemas());
    return read.ok ? snapshotFile({ ...read.snapshot, spec: { ...read.snapshot.spec, ttl: 11 } }) : file;
  });
  return { ...revision, files };
}
