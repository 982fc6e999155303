import { notAhead } from "./check-bookkeeping.ts";
import { noDeletion, nothingLost, provenance, uuidStays } from "./check-content.ts";
import { fence, honestExport, namedOverride, newestEditWins, noTombstone } from "./check-exports.ts";
import {
  nothingAtAnotherVersion,
  nothingBesideFederator,
  nothingWhileHalted,
  nothingWhileSuspended,
  nothingWithoutGit,
} from "./check-holds.ts";
import { inDoubtHold, oneLeader, strangerStandsAside } from "./check-office.ts";
import type { Change, ClusterChange, Ledger, RefChange } from "./ledger.ts";

/** An invariant that every single write of an agent has to keep. */
export interface Checker {
  readonly name: string;
  /** What is wrong; null when nothing is. `ledger` shows the world's past up to just before the write. */
  check(change: Change, ledger: Ledger): Promise<string | null>;
}

export const CHECKERS: readonly Checker[] = [
  { name: "an agent that cannot read the repository changes nothing", check: nothingWithoutGit },
  { name: "a deposed leader never lands an export", check: onRef(fence) },
  { name: "no two local objects say leader at once", check: onCluster(oneLeader) },
  { name: "nothing is deleted without a tombstone", check: onCluster(noDeletion) },
  { name: "a tombstone tells what a person did", check: onRef(noTombstone) },
  { name: "nothing that a person wrote is lost", check: nothingLost },
  { name: "base and acknowledgement are never ahead of the cluster", check: notAhead },
  { name: "no content by an agent's hand that never was on the branch", check: onCluster(provenance) },
  { name: "an export brings what people did here, and nothing else", check: onRef(honestExport) },
  { name: "an export names what it overrides", check: onRef(namedOverride) },
  { name: "a cluster's own export does not win over a newer edit", check: onCluster(newestEditWins) },
  { name: "in doubt about who leads, everything stays", check: onCluster(inDoubtHold) },
  { name: "who is not the cluster that the repository knows stands aside", check: strangerStandsAside },
  { name: "AMKO's UUID stays", check: uuidStays },
  { name: "a suspended agent changes nothing", check: nothingWhileSuspended },
  { name: "a halt is left only by the documented ways", check: nothingWhileHalted },
  { name: "at another version nothing is applied and nothing exported", check: nothingAtAnotherVersion },
  { name: "beside AMKO's own federator nothing is exported", check: nothingBesideFederator },
];

function onRef(check: (change: RefChange, ledger: Ledger) => Promise<string | null>): Checker["check"] {
  return async (change, ledger) => (change.kind === "ref" ? check(change, ledger) : null);
}

function onCluster(check: (change: ClusterChange, ledger: Ledger) => Promise<string | null>): Checker["check"] {
  return async (change, ledger) => (change.kind === "cluster" ? check(change, ledger) : null);
}
