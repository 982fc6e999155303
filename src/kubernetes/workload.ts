import { hasCode } from "../errors.ts";
import type { Cluster, WorkloadState } from "../ports.ts";
import { type Answered, type Api, isAnswered } from "./api.ts";
import type { RequestSubject } from "./refusal.ts";
import { STATEFUL_SET_NAME } from "./requests.ts";

/** AMKO's own StatefulSet: which containers it runs, and whether it was rolled. */
export function createWorkloadReader(api: Api): Pick<Cluster, "readWorkload"> {
  const subject: RequestSubject = { verb: "get", kind: "StatefulSet", name: STATEFUL_SET_NAME };
  return {
    readWorkload: async (signal) => {
      try {
        return workloadState(await api.send(api.requests.readStatefulSet(), subject, signal));
      } catch (error) {
        if (hasCode(error, "AG3010")) return null;
        throw error;
      }
    },
  };
}

/** Fields that are missing say nothing: a StatefulSet that was just created has no status yet. */
function workloadState(statefulSet: Answered): WorkloadState {
  const containers = at(statefulSet, "spec", "template", "spec", "containers");
  const names = (Array.isArray(containers) ? containers : []).map((container) => at(container, "name"));
  const told = at(statefulSet, "status", "updateRevision");
  const revision = typeof told === "string" && told !== "" ? told : null;
  return {
    containers: names.filter((name) => typeof name === "string"),
    revision,
    rolledOut: revision !== null && revision === at(statefulSet, "status", "currentRevision"),
  };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((found, field) => (isAnswered(found) ? found[field] : undefined), value);
}
