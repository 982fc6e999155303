import { judgeAgentCommit } from "./agent-commit.ts";
import { problem } from "./catalogue.ts";
import type { Problem } from "./model.ts";
import type { PushFacts } from "./push.ts";
import { judgeAgentRef, judgePeopleRef } from "./ref-owners.ts";

/** Why the git server must not take one ref of a push; null where it may. Total: it never throws. */
export function judgePush(facts: PushFacts): Problem | null {
  const { pusher, user, update, branch } = facts;
  const isTracked = update.ref === `refs/heads/${branch}`;
  switch (pusher.kind) {
    case "unknown":
      return problem("AG5032", user === null ? "the server does not say who pushes" : `nobody maps the pusher ${user}`);
    case "people":
      return isTracked ? judgeTracked(facts) : judgePeopleRef(facts);
    case "agent":
      return isTracked
        ? (judgeTracked(facts) ?? judgeAgentCommit(facts, pusher))
        : judgeAgentRef(facts, pusher.cluster);
    default:
      return pusher satisfies never;
  }
}

/** What holds for everybody. */
function judgeTracked({ update, branch, path, move }: PushFacts): Problem | null {
  if (update.after === null || move === null) return problem("AG5036", `${branch} must not be deleted`);
  if (!move.isForward) return problem("AG5036", `${branch} must not be rewritten: its head would be lost`);
  // What a cluster holds is looked up in the branch's past, where another federation's snapshots would count as its own.
  // A repository that has other things in it beside the federation may have been joined from several.
  if (move.bringsRoot && path === "") {
    return problem("AG5038", `${branch} would be joined with a history that did not begin here`);
  }
  const { leadership } = move.after;
  return leadership.kind === "conflict" || leadership.kind === "unknown" ? leadership.problem : null;
}
