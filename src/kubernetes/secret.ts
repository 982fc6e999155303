import { hasCode } from "../errors.ts";
import type { Cluster } from "../ports.ts";
import { type Api, isAnswered } from "./api.ts";
import type { RequestSubject } from "./refusal.ts";
import { MEMBERS_SECRET_NAME } from "./requests.ts";

const MEMBERS_KEY = "gslb-members";

/** The members' kubeconfig where AMKO's chart keeps it. */
export function createSecretReader(api: Api): Pick<Cluster, "readMembersKubeconfig"> {
  const subject: RequestSubject = { verb: "get", kind: "Secret", name: MEMBERS_SECRET_NAME };
  return {
    readMembersKubeconfig: async (signal) => {
      try {
        const { data } = await api.send(api.requests.readMembersSecret(), subject, signal);
        const encoded = isAnswered(data) ? data[MEMBERS_KEY] : undefined;
        return typeof encoded === "string" ? Buffer.from(encoded, "base64").toString("utf8") : null;
      } catch (error) {
        if (hasCode(error, "AG3010")) return null;
        throw error;
      }
    },
  };
}
