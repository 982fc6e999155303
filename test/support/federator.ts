import { isObject } from "../../src/core/json.ts";
import { FEDERATED_KINDS, KINDS, NAMESPACE } from "../../src/core/model.ts";
import { contentOf, equalContent } from "../../src/core/snapshot.ts";
import type { TestCluster } from "./clusters.ts";

/** AMKO's own federator, as far as its neighbours notice it: a leader's writes straight into the other clusters. */
export interface Federator {
  stop(): Promise<void>;
}

const STATEFUL_SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`;
const LOOK_EVERY_MS = 100;

/** Puts AMKO's StatefulSet there, in place of what is there. */
export async function putAmko({ objects }: TestCluster, withFederator: boolean): Promise<void> {
  const names = ["amko", ...(withFederator ? ["amko-federator"] : []), "amko-service-discovery"];
  const containers = names.map((name) => ({ name, image: `registry.example.com/${name}:1.4.2` }));
  const spec = {
    serviceName: "amko",
    selector: { matchLabels: { app: "amko" } },
    template: { metadata: { labels: { app: "amko" } }, spec: { containers } },
  };
  const object = { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "amko", namespace: NAMESPACE }, spec };
  await objects.request("DELETE", `${STATEFUL_SETS}/amko`);
  const { status } = await objects.request("POST", STATEFUL_SETS, object);
  if (status !== 201) throw new Error(`StatefulSet amko was answered ${status}`);
}

/** Runs in every cluster whose StatefulSet has its container; acts where the AMKOCluster says leader. */
export function startFederators(clusters: readonly TestCluster[]): Federator {
  let stopped = false;
  const ended = (async () => {
    while (!stopped) {
      for (const cluster of clusters) {
        if (await leads(cluster)) {
          for (const other of clusters) if (other !== cluster) await copy(cluster, other);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await ended;
    },
  };
}

async function leads({ objects }: TestCluster): Promise<boolean> {
  const { body } = await objects.request("GET", `${STATEFUL_SETS}/amko`);
  const [amkoCluster] = await objects.list("AMKOCluster");
  const says = isObject(amkoCluster?.spec) && amkoCluster.spec["isLeader"] === true;
  return says && JSON.stringify(body).includes('"amko-federator"');
}

/** What differs is replaced, what the leader does not have is deleted. */
async function copy(from: TestCluster, to: TestCluster): Promise<void> {
  for (const kind of FEDERATED_KINDS) {
    const [wanted, there] = [await from.objects.list(kind), await to.objects.list(kind)];
    for (const object of wanted) {
      const { name } = object.metadata;
      const { annotations, spec } = contentOf(object);
      const present = there.find(({ metadata }) => metadata.name === name);
      if (present === undefined) {
        const metadata = { name, namespace: NAMESPACE, annotations };
        await to.objects.create({ apiVersion: KINDS[kind].apiVersion, kind, metadata, spec });
      } else if (!equalContent(contentOf(present), contentOf(object))) {
        await to.objects.merge(kind, name, { metadata: { annotations }, spec }).catch(() => undefined);
      }
    }
    for (const { metadata } of there.filter(
      (one) => !wanted.some((other) => other.metadata.name === one.metadata.name),
    )) {
      await to.objects.remove(kind, metadata.name).catch(() => undefined);
    }
  }
}
