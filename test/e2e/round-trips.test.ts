import { expect, test } from "vitest";
import { editPolicy, waitForPolicy } from "../support/federation.ts";
import { contextsOf, giveMembers } from "../support/members-secret.ts";
import type { WorldCluster } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

/** Nobody is helped by a poll, and acknowledgements come later. */
const world = useWorld({ agentFlags: { poll: "0 0 0 1 1 *", "ack-interval": "5s" } });

/** What a cluster's agent has asked git so far. */
const asked = ({ gitProxy }: WorldCluster): readonly string[] =>
  gitProxy.log().map(({ method, url }) => `${method} ${url.slice(url.lastIndexOf("/") + 1)}`);

test("an edit takes two requests to git on the leader, and then two on each follower", async () => {
  tellLogs(world());
  const { clusters, leader, followers, settled } = world();
  // Who never polls reads the members' kubeconfig when it starts.
  await giveMembers(leader, contextsOf(clusters));
  await leader.agent()?.stop();
  leader.startAgent();
  await settled();
  // The first one opens connections, and asks what the server can do.
  await editPolicy(leader, { ttl: 401 });
  await waitForPolicy(followers, { ttl: 401 });
  await settled();
  const before = new Map(clusters.map((cluster) => [cluster, asked(cluster).length]));
  await editPolicy(leader, { ttl: 402 });
  await waitForPolicy(followers, { ttl: 402 });
  const since = (cluster: WorldCluster) => asked(cluster).slice(before.get(cluster)).slice(0, 2);
  expect(since(leader)).toEqual(["POST git-upload-pack", "POST git-receive-pack"]);
  for (const follower of followers) expect(since(follower)).toEqual(["POST git-upload-pack", "POST git-upload-pack"]);
});
