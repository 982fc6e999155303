import { problem } from "../core/catalogue.ts";
import { FEDERATOR_CONTAINER } from "../core/check-cluster.ts";
import type { Problem } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import type { Local } from "./context.ts";

/**
 * AMKO's own federator beside a leader pushes past git, and deletes everywhere what its cluster does not have: nothing
 * is exported while it is there, nor while nobody can tell.
 */
export function findFederator({ workload, self }: Local): Problem | null {
  if (workload instanceof FederationError) {
    return problem(workload.code, `nobody can tell whether AMKO's own federator is here: ${workload.message}`);
  }
  if (workload?.containers.includes(FEDERATOR_CONTAINER) !== true) return null;
  return problem("AG5021", `container ${FEDERATOR_CONTAINER} is in StatefulSet amko of cluster ${self}`);
}
