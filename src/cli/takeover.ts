import type { CommitPlan } from "../core/commit-plan.ts";
import { proposalRef, proposalRefs } from "../core/refs.ts";
import { planTakeover, type TakeoverFacts, type TakeoverPlan, type TakeoverRequest } from "../core/takeover.ts";
import { commitPlanned } from "./commit.ts";
import type { Given } from "./given.ts";
import { readHead, shortRevision } from "./head.ts";
import type { House } from "./house.ts";
import { renderTakeover } from "./render/takeover.ts";
import type { Shell } from "./shell.ts";
import { withSource } from "./source.ts";
import { readStandings } from "./standings.ts";
import type { ExitCode } from "./verb.ts";

interface Planned extends CommitPlan {
  readonly takeover: TakeoverPlan;
  readonly facts: TakeoverFacts;
}

/** What `switchover` and `failover` share: they differ in what they refuse and in what they tell. */
export async function runTakeover(
  given: Given,
  shell: Shell,
  house: House,
  request: TakeoverRequest,
): Promise<ExitCode> {
  const schemas = await house.readSchemas();
  return await withSource(given, shell, house, async (repository) => {
    const plan = async () => {
      const head = await readHead(given, repository, schemas, shell.signal);
      const facts: TakeoverFacts = {
        files: head.revision.files,
        view: head.view,
        schemas,
        standings: await readStandings(repository, head, shell.signal),
        inOffice: head.inOffice,
        proposals: proposalRefs(head.refs),
      };
      const takeover = planTakeover(facts, request);
      return { head, plan: { ...takeover, notes: takeover.warnings, takeover, facts } satisfies Planned };
    };
    return await commitPlanned(
      { given, shell, house, repository },
      {
        plan,
        show: ({ head, plan: { takeover, facts } }, stream) =>
          renderTakeover(takeover, facts, shortRevision(head), stream),
        extra: ({ takeover: { from, to, before, after } }) => ({ from, to, before, after }),
        nothing: `${request.target} leads already.`,
        word: request.target,
        proposal: () => proposalRef(request.target, "leader"),
        proposes: false,
        next: "Watch the clusters take it: amko-gitops status --watch",
      },
    );
  });
}
