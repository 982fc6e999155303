import { expect, it } from "vitest";
import { type DeliveryVerdict, judgeDelivery } from "../../src/core/delivery.ts";
import type { Json } from "../../src/core/model.ts";

interface Case {
  readonly of: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly payload?: Json;
  readonly is: "fetch" | Extract<DeliveryVerdict, { readonly kind: "ignored" }>["why"];
}

const MAIN = { ref: "refs/heads/main" };
const ACKNOWLEDGEMENT = { ref: "refs/heads/amko/applied/cluster2" };

it.each<Case>([
  { of: "GitHub's push to the branch", headers: { "x-github-event": "push" }, payload: MAIN, is: "fetch" },
  {
    of: "GitHub's push of an acknowledgement",
    headers: { "x-github-event": "push" },
    payload: ACKNOWLEDGEMENT,
    is: "another branch",
  },
  { of: "GitHub's ping", headers: { "x-github-event": "ping" }, payload: { zen: "Keep it" }, is: "a ping" },
  {
    of: "GitHub's pull request",
    headers: { "x-github-event": "pull_request" },
    payload: { action: "opened", ...MAIN },
    is: "another event",
  },
  {
    of: "a tag of the branch's name",
    headers: { "x-github-event": "push" },
    payload: { ref: "refs/tags/main" },
    is: "another branch",
  },
  {
    of: "a branch whose name ends so",
    headers: { "x-github-event": "push" },
    payload: { ref: "refs/heads/not/main" },
    is: "another branch",
  },
  { of: "GitLab's push to the branch", headers: { "x-gitlab-event": "Push Hook" }, payload: MAIN, is: "fetch" },
  { of: "GitLab's tag", headers: { "x-gitlab-event": "Tag Push Hook" }, payload: MAIN, is: "another event" },
  {
    of: "GitLab's push anywhere in the instance",
    headers: { "x-gitlab-event": "System Hook" },
    payload: { event_name: "push", ...MAIN },
    is: "fetch",
  },
  {
    of: "GitLab's update of several branches",
    headers: { "x-gitlab-event": "System Hook" },
    payload: { event_name: "repository_update", refs: ["refs/heads/amko/applied/a", "refs/heads/main"] },
    is: "fetch",
  },
  {
    of: "GitLab's update of others",
    headers: { "x-gitlab-event": "System Hook" },
    payload: { event_name: "repository_update", refs: ["refs/heads/amko/applied/a"] },
    is: "another branch",
  },
  {
    of: "GitLab's new user",
    headers: { "x-gitlab-event": "System Hook" },
    payload: { event_name: "user_create" },
    is: "another event",
  },
  {
    of: "Gitea's push, under every name that it gives it",
    headers: { "x-gitea-event": "push", "x-gogs-event": "push", "x-github-event": "push" },
    payload: MAIN,
    is: "fetch",
  },
  { of: "Forgejo's release", headers: { "x-forgejo-event": "release" }, payload: MAIN, is: "another event" },
  {
    of: "Bitbucket Cloud's push of several branches",
    headers: { "x-event-key": "repo:push" },
    payload: {
      push: {
        changes: [
          { new: { type: "branch", name: "amko/applied/cluster2" }, old: null },
          { new: { type: "branch", name: "main" }, old: { type: "branch", name: "main" } },
        ],
      },
    },
    is: "fetch",
  },
  {
    of: "Bitbucket Cloud's acknowledgement",
    headers: { "x-event-key": "repo:push" },
    payload: { push: { changes: [{ new: { type: "branch", name: "amko/applied/cluster2" }, old: null }] } },
    is: "another branch",
  },
  {
    of: "Bitbucket Cloud's tag of the branch's name",
    headers: { "x-event-key": "repo:push" },
    payload: { push: { changes: [{ new: { type: "tag", name: "main" }, old: null }] } },
    is: "another branch",
  },
  {
    of: "Bitbucket Cloud's deletion of a claim",
    headers: { "x-event-key": "repo:push" },
    payload: { push: { changes: [{ new: null, old: { type: "branch", name: "amko/leading/cluster2" } }] } },
    is: "another branch",
  },
  {
    of: "Bitbucket Data Center's push",
    headers: { "x-event-key": "repo:refs_changed" },
    payload: { eventKey: "repo:refs_changed", changes: [{ ref: { id: "refs/heads/main", displayId: "main" } }] },
    is: "fetch",
  },
  {
    of: "Bitbucket Data Center's acknowledgement",
    headers: { "x-event-key": "repo:refs_changed" },
    payload: { changes: [{ ref: { id: "refs/heads/amko/applied/cluster2" } }] },
    is: "another branch",
  },
  { of: "Bitbucket Data Center's test", headers: { "x-event-key": "diagnostics:ping" }, payload: {}, is: "a ping" },
  {
    of: "Bitbucket's pull request",
    headers: { "x-event-key": "pullrequest:created" },
    payload: {},
    is: "another event",
  },
  { of: "somebody's plain call", is: "fetch", payload: null },
  { of: "somebody's branch, whole", payload: MAIN, is: "fetch" },
  { of: "somebody's branch, short", payload: { ref: "main" }, is: "fetch" },
  { of: "somebody's other branch", payload: { ref: "amko/applied/cluster2" }, is: "another branch" },
  { of: "a push that does not say where", headers: { "x-github-event": "push" }, payload: {}, is: "fetch" },
  { of: "a ref that is no text", payload: { ref: { toString: "refs/heads/x" } }, is: "fetch" },
  { of: "a payload that is no object", payload: ["refs/heads/other"], is: "fetch" },
  { of: "a ref that is inherited", payload: JSON.parse('{"__proto__":{"ref":"refs/heads/other"}}'), is: "fetch" },
  { of: "an event that is a list", headers: { "x-github-event": ["push", "ping"] }, payload: MAIN, is: "fetch" },
])("$of: $is", ({ headers = {}, payload = null, is }) => {
  const verdict = judgeDelivery({ headers, payload }, "main");
  expect(verdict.kind === "fetch" ? "fetch" : verdict.why).toBe(is);
});
