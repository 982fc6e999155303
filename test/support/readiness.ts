import { isDeepStrictEqual } from "node:util";
import { type WorldCluster, waitUntil } from "./world.ts";

/** What `/readyz` answers: the status, and of the body what is given. */
export interface Readiness {
  readonly status: number;
  readonly ok?: boolean;
  readonly state?: string;
}

/** Waits until the agent's `/readyz` answers so: readiness follows the end of a pass, which git shows a moment before. */
export async function waitForAnswer(cluster: WorldCluster, wanted: Readiness): Promise<void> {
  await waitUntil(`/readyz of ${cluster.name} answers ${JSON.stringify(wanted)}`, async () => {
    const { status, body } = await cluster.probe("/readyz");
    const told: object = { ...(body as object), status };
    return isDeepStrictEqual({ ...told, ...wanted }, told) || JSON.stringify(told);
  });
}
