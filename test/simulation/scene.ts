import { type CommitId, FEDERATED_KINDS, type FederatedKind } from "../../src/core/model.ts";
import type { ClusterBackup } from "../support/fakes/cluster.ts";
import type { ManualClock } from "../support/fakes/time.ts";
import type { Change } from "./acts.ts";
import { FIELDS, type Field, token } from "./content.ts";
import { type ClusterLedger, type Ledger, lookAt } from "./ledger.ts";
import type { MemberAccess } from "./member-access.ts";

/** The surroundings in which people act. */
export interface Scene {
  readonly names: readonly string[];
  readonly ledger: Ledger;
  readonly clock: ManualClock;
  readonly backups: ReadonlyMap<string, SavedCluster[]>;
  /** `git cluster1`, `api cluster1`: cannot be reached at the moment; `push cluster1`: may only read git. */
  readonly away: Set<string>;
  readonly access: MemberAccess;
  tell(line: string): void;
  note(what: string): void;
  /** Counts what was written, so that everything written is new. */
  nextToken(): number;
}

/** Stands in {@link Scene.away} while nobody may push to the tracked branch. */
export const PROTECTED = "the branch";

export interface SavedCluster {
  readonly cluster: ClusterBackup;
  readonly gone: ClusterLedger["gone"];
}

export function nameOf({ names }: Scene, at: number): string {
  return names[at % names.length] as string;
}

export function kindOf(number: number): FederatedKind {
  return FEDERATED_KINDS[number % FEDERATED_KINDS.length] as FederatedKind;
}

export function fieldOf({ field }: Change): Field {
  return FIELDS[field % FIELDS.length] as Field;
}

export function headOf({ ledger }: Scene): CommitId {
  return ledger.remote.branch("main") as CommitId;
}

/** What a change writes, given what the field held in older revisions. */
export async function valueFor(scene: Scene, change: Change, present: string | undefined): Promise<string | undefined> {
  if (change.value === "gone") return undefined;
  if (change.value === "fresh") return token(scene.nextToken());
  const field = fieldOf(change);
  const head = headOf(scene);
  for await (const { commit } of scene.ledger.reader.history({ from: head, until: null }, 50, never)) {
    const said = (await lookAt(scene.ledger, commit)).kinds[field.kind];
    const value = said === null ? undefined : field.read(said.content.spec);
    if (value !== present) return value;
  }
  return undefined;
}

const never = new AbortController().signal;
