import type { Cell } from "./matrix.ts";

/**
 * Why an agent may meet a fault without a word; null where it has to say a code. Everything that is not listed here has
 * to be said.
 */
export function whySilent({ step, asked, fault }: Cell): string | null {
  const { role, side, name, nth } = asked;
  const rules: readonly (readonly [holds: boolean, why: string])[] = [
    [fault.name === "delay", "what is slow, but within the time limit, is no fault"],
    [
      ["reset", "lost"].includes(fault.name),
      "a kept connection that breaks before an answer is replaced, and the request sent again",
    ],
    [
      name.startsWith("POST git-receive-pack") && ["cut", "short"].includes(fault.name),
      "after a push without a whole answer the head is asked, and tells that it landed",
    ],
    [name.startsWith("WATCH") && fault.name === "short", "a watch that ends as watches do is opened again"],
    [
      name === "GET statefulsets/{name}" && (role === "follower" || ["switchover", "start-leader"].includes(step.name)),
      "only a leader in office minds AMKO's own federator, and whoever takes office looks again",
    ],
    [name === "GET statefulsets/{name}" && fault.name === "404", "no StatefulSet is an answer"],
    [name === "GET secrets/{name}" && ["403", "404"].includes(fault.name), "without credentials nobody is asked"],
    [name === "GET configmaps/{name}" && fault.name === "404", "no ConfigMap is an answer"],
    [
      /^PATCH .*\(dry run\)$/.test(name) && nth === 1 && fault.name === "403",
      "a comparison that is refused finds a difference, and who applies that asks again",
    ],
    [
      /^PATCH .*\(dry run\)$/.test(name) && nth === 3 && step.name === "start-follower" && fault.name === "403",
      "before something is overwritten, a comparison with its base that is refused finds a difference: it is rescued",
    ],
    [name.startsWith("PATCH events") && fault.name === "404", "an Event that expired is made anew"],
    [side === "members" && name.startsWith("PATCH"), "a nudge is best effort"],
    [
      side === "members" && step.name === "start-leader",
      "what the first look found is said until the next one, no longer",
    ],
  ];
  return rules.find(([holds]) => holds)?.[1] ?? null;
}
