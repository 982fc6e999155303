import type { AgentConfig, ConfigProblem, GivenSettings } from "../config.ts";
import type { CommitId, Json, RevisionFile } from "../core/model.ts";
import type { Schemas } from "../core/resource-definition.ts";
import type { Cluster, ClusterInspector, CommitAuthor, Log, Repository } from "../ports.ts";
import type { Place } from "./given.ts";

/** Where the federation repository is. */
export interface RepositoryPlace extends Place {
  /** An http or https URL, or a folder: a clone, or a bare repository. */
  readonly location: string;
  readonly gitTimeoutMs: number;
}

/** The same, and how it is read. */
export interface RepositorySource extends RepositoryPlace {
  readonly gitCredentials: string | null;
  /** Whether git may ask a person for a password. */
  readonly interactive: boolean;
  /** Ask an address as an agent does, and not as the person's git would. */
  readonly asAgent: boolean;
  /** Told how far a long fetch has come, in a few words; null when it is over. */
  readonly onProgress: (text: string | null) => void;
}

export interface OpenRepository extends Repository {
  /** The commit that a name stands for: a branch, a revision as messages write it, an abbreviated id; null for none. */
  resolve(name: string, signal: AbortSignal): Promise<CommitId | null>;
  /** The federation's files of a clone's work tree that differ from its last commit; none where there is no work tree. */
  uncommitted(signal: AbortSignal): Promise<readonly string[]>;
  /** Where in a clone's work tree the folder is that was named; empty for its top, and without a work tree. */
  readonly prefix: string;
  close(): Promise<void>;
}

/** A repository as a hook of its server sees it: its own refs, and what is being pushed. */
export interface PushedRepository extends OpenRepository {
  /** Every path that differs between two commits, from the repository's root; null stands for no files. */
  changedPaths(from: CommitId | null, to: CommitId, signal: AbortSignal): Promise<readonly string[]>;
  /** Whether the past of `to` has a beginning that the past of `from` has not. */
  bringsRoot(from: CommitId, to: CommitId, signal: AbortSignal): Promise<boolean>;
}

export interface ClusterConnection {
  /** Null follows the usual rules of kubectl. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly timeoutMs: number;
}

export interface FolderFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What the verbs need of the house; wired in compose, and made anew in tests. */
export interface House {
  /** Every file that the agent's settings name and that cannot be used. */
  findFileProblems(flags: GivenSettings, env: GivenSettings): Promise<readonly ConfigProblem[]>;
  /** Wires an agent and starts it. @throws FederationError AG4xxx for settings that can never work. */
  startAgent(config: AgentConfig): Promise<{ readonly log: Log; stop(): Promise<void> }>;
  /** The CRDs of deploy/crds. */
  readCrds(): Promise<readonly Json[]>;
  readSchemas(): Promise<Schemas>;
  openRepository(source: RepositorySource, signal: AbortSignal): Promise<OpenRepository>;
  /** The repository of a server's hook; no remote is ever asked. */
  openPushed(place: RepositoryPlace, signal: AbortSignal): Promise<PushedRepository>;
  /** The files that matter of a folder on disk, uncommitted edits included. @throws FederationError AG4008 */
  readFolder(directory: string): Promise<readonly RevisionFile[]>;
  openCluster(connection: ClusterConnection): Promise<Cluster>;
  /** The members' kubeconfig is that file, or where null what AMKO has. */
  openInspector(connection: ClusterConnection, membersKubeconfig: string | null): Promise<ClusterInspector>;
  /** Who makes commits: git's configuration for the folder says so, or the user of this machine. */
  readPerson(directory: string): Promise<Pick<CommitAuthor, "name" | "email">>;
  /** The files of a federation repository that are the same in each: its README and its gates. */
  readTemplate(): Promise<readonly FolderFile[]>;
  /** Writes files into an empty folder. @throws FederationError AG4010 when something stands there */
  writeFolder(directory: string, files: readonly FolderFile[]): Promise<void>;
  /** Adds text to the end of a file, which is made where there is none. */
  appendFile(file: string, text: string): Promise<void>;
  readFile(file: string): Promise<Uint8Array>;
  /** What was written to standard input, as text; what is more than a megabyte is refused. @throws FederationError AG4002 */
  readStdin(): Promise<string>;
}
