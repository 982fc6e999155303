import { NAMESPACE, type Uid } from "../core/model.ts";
import { hasCode } from "../errors.ts";
import type { Cluster } from "../ports.ts";
import { type Api, isAnswered, senseless } from "./api.ts";
import type { RequestSubject } from "./refusal.ts";

/** The namespace's uid tells one cluster from another that has taken its name. */
export function createNamespaceReader(api: Api): Pick<Cluster, "readNamespace"> {
  const subject: RequestSubject = { verb: "get", kind: "Namespace", name: NAMESPACE };
  return {
    readNamespace: async (signal) => {
      try {
        const { metadata } = await api.send(api.requests.readNamespace(), subject, signal);
        const uid = isAnswered(metadata) ? metadata["uid"] : null;
        if (!isAnswered(metadata) || typeof uid !== "string") throw senseless(subject, "it has no uid");
        return { uid: uid as Uid, terminating: metadata["deletionTimestamp"] !== undefined };
      } catch (error) {
        if (hasCode(error, "AG3010")) return null;
        throw error;
      }
    },
  };
}
