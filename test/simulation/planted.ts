import type { SourcePatch } from "../support/patched-copy.ts";

/** A guard that is taken out of the production code, in a copy. */
export interface PlantedBug {
  readonly name: string;
  /** The guard. */
  readonly without: string;
  readonly patches: readonly SourcePatch[];
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  bug("fence-removed", "only on top of the revision that was evaluated is pushed", {
    file: "src/agent/publish.ts",
    search: "await context.repository.publish({ parent: branch.head, changes,",
    replacement:
      "await context.repository.publish({ parent: (await context.repository.list('branch', context.signal)).head, changes,",
  }),
  bug("delete-guard-removed", "what the cluster is not known to have held is not deleted there", {
    file: "src/core/plan.ts",
    search: `return base?.content.kind === "present" && !changedInGit`,
    replacement: "return !changedInGit",
  }),
  bug("missing-file-deletes", "a missing file deletes nothing", {
    file: "src/agent/head.ts",
    search: `if (content.kind !== "never") return { content, revision`,
    replacement: `if (content.kind !== "never") return { content: problems.length > 0 ? content : { ...content, kind: "deleted", snapshot: { ...content.snapshot, deleted: "missing" } }, revision`,
  }),
  bug("demotion-order-swapped", "the field says false before the claim is given up", {
    file: "src/agent/office.ts",
    search: "  const stood = await writeAmkoCluster(",
    replacement: `  if (release !== null) await releaseClaim(context, local.self, memory, release);
  const stood = await writeAmkoCluster(`,
  }),
  bug(
    "acknowledged-before-applied",
    "a revision is acknowledged after it was applied",
    {
      file: "src/agent/follow.ts",
      search: "  const applied = await applyRevision(",
      replacement: `  await acknowledge(context, branch, local, found.memory);
  const applied = await applyRevision(`,
    },
    {
      file: "src/agent/follow.ts",
      search: `import { spendConsent } from "./amko-cluster.ts";`,
      replacement: `import { acknowledge } from "./acknowledge.ts";
import { spendConsent } from "./amko-cluster.ts";`,
    },
  ),
  bug("base-recorded-before-applied", "the base is recorded after it was applied", {
    file: "src/agent/follow.ts",
    search: "  const applied = await applyRevision(context, branch, local, applications);",
    replacement: `  const early = await settle(context, branch, local, gathered.map(({ facts }) => facts.kind));
  const applied = await applyRevision(context, branch, early.local, applications);`,
  }),
  bug("acknowledged-although-not-held", "only what is held is acknowledged", {
    file: "src/agent/reconcile.ts",
    search: "if (acted.holds) {",
    replacement: "if (true) {",
  }),
  bug("no-wait-for-the-office", "whoever is promoted waits for who is in office", {
    file: "src/core/handover.ts",
    search: "if (awaited.length > 0 && (",
    replacement: "if (false && (",
  }),
  bug("office-under-any-claim", "the office is void where git has another claim", {
    file: "src/core/handover.ts",
    search: "return leading.get(self) === office.claim && steppedDown",
    replacement: "return steppedDown",
  }),
  bug("nothing-rescued", "what is overwritten is rescued", {
    file: "src/agent/apply.ts",
    search: "if (known.some((one) => equalContent(one, content))) continue;",
    replacement: "continue;",
  }),
  bug("no-grace", "a deletion counts once it has lasted", {
    file: "src/agent/pending.ts",
    search: "const restMs = sinceMs + settings.deleteGraceMs - elapsedMs;",
    replacement: "const restMs = 0;",
  }),
  bug("own-exports-unknown", "own exports are recognised", {
    file: "src/agent/base.ts",
    search: "const own = exportId === null ? null : await",
    replacement: "const own = exportId !== undefined ? null : await",
  }),
  bug("history-does-not-count", "a field was changed in git if any revision touched it", {
    file: "src/core/merge.ts",
    search: "const giving = steps.filter(",
    replacement: "const giving = steps.slice(0, 0).filter(",
  }),
  bug("git-always-wins", "the cluster's newer value wins", {
    file: "src/core/merge.ts",
    search: "value: changedInCluster ? live : head,",
    replacement: "value: changedInCluster && giving.length === 0 ? live : head,",
  }),
  bug("two-claims-demote", "two claims hold everybody", {
    file: "src/core/role.ts",
    search: `    case "unknown":
      return "undecided";`,
    replacement: `    case "unknown":
      return "follower";`,
  }),
  bug("any-cluster-by-that-name", "the repository knows which cluster has the name", {
    file: "src/agent/identity.ts",
    search: "return { problem, memory: { ...memory, identity } };",
    replacement: "return { problem: null, memory: { ...memory, identity } };",
  }),
  bug("never-healed", "what is unusable in git is healed", {
    file: "src/core/plan.ts",
    search: `return head.fromHistory ? exportOf(object) : { kind: "settled" };`,
    replacement: `return { kind: "settled" };`,
  }),
  bug("any-version", "the version here is the manifest's", {
    file: "src/core/role.ts",
    search: "if (manifest === undefined || local === manifest.version) return null;",
    replacement: "return null;",
  }),
  bug("halts-ignored", "a branch that was rewritten halts who judged what is gone", {
    file: "src/agent/judge.ts",
    search: "if (halted !== null) return held(halted, memory);",
    replacement: "",
  }),
  bug("suspensions-ignored", "a suspended agent changes nothing", {
    file: "src/agent/judge.ts",
    search: "  if (suspension !== null) {",
    replacement: "  if (suspension === undefined) {",
  }),
  bug("federator-ignored", "beside AMKO's own federator nothing is exported", {
    file: "src/agent/serve.ts",
    search: "const federator = findFederator(local);",
    replacement: "const federator = null;",
  }),
  bug("unread-branch", "whoever cannot read the branch changes nothing", {
    file: "src/agent/observe.ts",
    search: "  const revision = await repository.read(listing.head, signal);",
    replacement: `  const revision = await repository.read(listing.head, signal).catch((error: unknown) => {
    if (known === null) throw error;
    return { ...known.revision, commit: listing.head as CommitId };
  });`,
  }),
  bug("uuid-not-kept", "AMKO's UUID stays", {
    file: "src/agent/facts.ts",
    search: `purpose === "lead" ? local.objects[kind].map((object) => keepUuid(head, object)) : local.objects[kind];`,
    replacement: "local.objects[kind];",
  }),
];

function bug(name: string, without: string, ...patches: readonly SourcePatch[]): PlantedBug {
  return { name, without, patches };
}
