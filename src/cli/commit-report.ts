import type { TopologyEntry } from "../core/topology.ts";
import type { CommittedFile } from "./render/changes.ts";

/** What `-o json` prints of a verb that writes a commit. */
export interface CommitReport {
  /**
   * `committed` and `proposed`: pushed now. `standing`: the very same proposal stands already. `unchanged`: there is
   * nothing to commit. `dry-run`, `declined` and `refused`: nothing was pushed.
   */
  readonly outcome: "committed" | "proposed" | "standing" | "unchanged" | "dry-run" | "declined" | "refused";
  /** The head that it was planned on: `main@sha1:<40 hex>`. */
  readonly base: string;
  /** The commit that was pushed, or that stands; null when there is none. */
  readonly commit: string | null;
  /** The branch that was pushed to; null when nothing was pushed. */
  readonly branch: string | null;
  readonly subject: string;
  readonly files: readonly CommittedFile[];
  /** Sentences. */
  readonly notes: readonly string[];
  readonly refusals: readonly {
    readonly code: string;
    readonly message: string;
    readonly remedy: string;
    readonly path: string | null;
    readonly line: number | null;
  }[];
}

/** What `switchover` and `failover` print beside that. */
export interface TakeoverReport extends CommitReport {
  /** Whoever claimed to lead before. */
  readonly from: readonly string[];
  readonly to: string;
  readonly before: readonly TopologyEntry[];
  readonly after: readonly TopologyEntry[];
}
