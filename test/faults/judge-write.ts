import type { InterceptedRequest } from "../support/fault-proxy.ts";
import { deletedWithTombstone, type Finding, holdsRevision, leadsAlone } from "../support/invariants.ts";
import type { World, WorldCluster } from "../support/world.ts";
import type { Side } from "./request-name.ts";

const ACKNOWLEDGEMENT = /[0-9a-f]{40} ([0-9a-f]{40}) refs\/heads\/amko\/applied\//;
const DELETION = /\/(?:gslbconfigs|globaldeploymentpolicies)\/[^/?]+$/;

/** Judges a write of an agent as soon as its server did it: what must hold at every instant, and not only at the end. */
export async function judgeWrite(
  world: World,
  cluster: WorldCluster,
  side: Side,
  { method, url, body }: InterceptedRequest,
): Promise<Finding> {
  if (side === "git" && method === "POST" && url.endsWith("/git-receive-pack")) {
    const [, target = "0"] = ACKNOWLEDGEMENT.exec(body.subarray(0, 400).toString("latin1")) ?? [];
    return /^0+$/.test(target) ? null : await holdsRevision(world, cluster, target);
  }
  if (side !== "api") return null;
  if (method === "PATCH" && /\/amkoclusters\/[^/?]+(?:\?|$)/.test(url)) return leadsAlone(world, cluster);
  if (method === "DELETE" && DELETION.test(url)) return deletedWithTombstone(world, cluster);
  return null;
}
