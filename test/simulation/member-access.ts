import { readSuspension } from "../../src/core/suspension.ts";
import { FederationError } from "../../src/errors.ts";
import type { Members } from "../../src/ports.ts";
import { contextsOf, createFakeMembers } from "../support/fakes/members.ts";
import { absorbCluster, fakeOf, type Ledger, lookAt, type Seen } from "./ledger.ts";

/** The members' credentials as every leader has them, or nobody. */
export interface MemberAccess extends Members {
  /** For which clusters there is a context; null takes the kubeconfig away. */
  grant(names: readonly string[] | null): void;
}

/** What a leader does to another cluster through its credentials is seen as any other change there. */
export function createMemberAccess(
  ledger: Ledger,
  away: ReadonlySet<string>,
  tell: (line: string) => void,
): MemberAccess {
  const fake = createFakeMembers(ledger.fakes);
  const reach = (name: string): void => {
    if (away.has(`api ${name}`)) throw new FederationError("AG3001", `${name} cannot be reached`);
  };
  return {
    ...fake,
    grant: (names) => fake.setContexts(names === null ? null : contextsOf(...names)),
    async readAmkoClusters(name, signal) {
      reach(name);
      return fake.readAmkoClusters(name, signal);
    },
    async standDown(name, signal) {
      reach(name);
      if (fakeOf(ledger, name).only("AMKOCluster") === null) return;
      await fake.standDown(name, signal);
      absorbCluster(ledger, name);
      tell(`    ${name} is stood down by another cluster`);
    },
    async requestRevision(name, revision, signal) {
      reach(name);
      if (fakeOf(ledger, name).only("AMKOCluster") === null) return null;
      const object = await fake.requestRevision(name, revision, signal);
      absorbCluster(ledger, name);
      return object;
    },
  };
}

/** Only whom the branch names, as it was read, and nobody who is suspended, may switch another cluster's AMKO off. */
export async function whyNotStandDown(
  ledger: Ledger,
  { by, member, seen: { head, amkoCluster } }: { readonly by: string; readonly member: string; readonly seen: Seen },
): Promise<string | null> {
  const what = `who leads stands others down: ${by} stands ${member} down`;
  if (head === null) return `${what}, and cannot read the branch`;
  const { leadership } = (await lookAt(ledger, head)).view;
  if (leadership.kind !== "leader" || leadership.cluster !== by || member === by) return `${what}, and does not lead`;
  const suspension = readSuspension(amkoCluster?.metadata.annotations);
  const isSuspended = suspension !== null && Date.parse(suspension.until) > ledger.nowMs();
  return isSuspended ? `${what}, and is suspended` : null;
}
