import type { RefWrite } from "../support/fakes/repository.ts";
import { CHECKERS } from "./checkers.ts";
import {
  absorbCluster,
  absorbGiven,
  absorbMain,
  type Change,
  clusterOf,
  fakeOf,
  forgiveReplacedRescue,
  holdingOf,
  isLeading,
  type Ledger,
  type Seen,
} from "./ledger.ts";
import type { PortCall } from "./ports.ts";

/** Where it is written down what was seen. */
export interface Notebook {
  readonly ledger: Ledger;
  readonly story: string[];
  readonly noted: Set<string>;
  readonly violations: string[];
}

/** Told of a request that took effect: has what it changed judged, and takes it over. */
export type Observer = (at: string, call: PortCall, seen: Seen) => Promise<void>;

export function createObserver({ ledger, story, noted, violations }: Notebook): Observer {
  let refWrites = 0;

  async function check(change: Change): Promise<void> {
    ledger.order += 1;
    for (const { name, check: judge } of CHECKERS) {
      const wrong = await judge(change, ledger);
      if (wrong === null) continue;
      violations.push(`${name}: ${wrong}`);
      story.push(`VIOLATION: ${name}: ${wrong}`);
    }
  }

  async function observe(at: string, call: PortCall, seen: Seen): Promise<void> {
    if (call.port === "git") {
      const fresh = ledger.remote.writes.slice(refWrites);
      refWrites = ledger.remote.writes.length;
      for (const write of fresh) await observeRef(write, seen);
      await absorbMain(ledger);
      return;
    }
    const before = clusterOf(ledger, at).holding;
    const after = holdingOf(fakeOf(ledger, at));
    if (!isLeading(before) && isLeading(after)) noted.add("promotion");
    story.push(`    ${at} ${call.method} ${call.subject}`);
    await check({ kind: "cluster", at, call, before, after, seen });
    const [was, is] = [before.records.office, after.records.office];
    if ((was === null) !== (is === null)) clusterOf(ledger, at).officeFrom = is === null ? null : seen.head;
    forgiveReplacedRescue(ledger, before, after);
    absorbCluster(ledger, at);
  }

  async function observeRef(write: RefWrite, seen: Seen): Promise<void> {
    const what = write.to === null ? "deletes" : `writes ${write.to.slice(0, 8)} to`;
    story.push(`    ${write.by} ${what} ${write.branch}`);
    await check({ kind: "ref", write, seen });
    if (write.branch === "main" && write.from !== null && write.to !== null) {
      await absorbGiven(ledger, write.from, write.to, write.by);
    }
    if (write.branch === `amko/leading/${write.by}`) {
      // The wait counts from the first of several claims.
      const { claimed } = clusterOf(ledger, write.by);
      const since = claimed ?? { order: ledger.order, atMs: ledger.nowMs() };
      clusterOf(ledger, write.by).claimed = write.to === null ? null : since;
    }
    if (write.branch.startsWith("amko/rescue/")) noted.add("rescue");
  }

  return observe;
}
