import { stringify } from "yaml";
import { type Json, NAMESPACE } from "../../src/core/model.ts";
import type { TestCluster } from "./clusters.ts";

const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;
const NAME = "gslb-config-secret";

/** How a context reaches its cluster, and as whom. */
export interface MemberContext {
  readonly url: string;
  readonly user: Json;
}

/** A context for each cluster, as its own agent is let in. */
export function contextsOf(clusters: readonly TestCluster[]): Record<string, MemberContext> {
  return Object.fromEntries(clusters.map(({ name, url, token }) => [name, { url, user: { token } }]));
}

/** Makes them the members' kubeconfig in that cluster, as AMKO's users do; null takes the Secret away. */
export async function giveMembers(
  { objects }: Pick<TestCluster, "objects">,
  contexts: Readonly<Record<string, MemberContext>> | null,
): Promise<void> {
  await objects.request("DELETE", `${SECRETS}/${NAME}`);
  if (contexts === null) return;
  const stringData = { "gslb-members": membersKubeconfig(contexts) };
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: NAME }, stringData };
  const { status } = await objects.request("POST", SECRETS, secret);
  if (status !== 201) throw new Error(`the Secret was answered with ${status}`);
}

function membersKubeconfig(contexts: Readonly<Record<string, MemberContext>>): string {
  const entries = Object.entries(contexts);
  return stringify({
    contexts: entries.map(([name]) => ({ name, context: { cluster: name, user: name } })),
    clusters: entries.map(([name, { url }]) => ({ name, cluster: { server: url } })),
    users: entries.map(([name, { user }]) => ({ name, user })),
  });
}
