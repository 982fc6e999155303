import type { CoreV1Event } from "@kubernetes/client-node";
import { NAMESPACE } from "../core/model.ts";
import { hasCode } from "../errors.ts";
import type { Chance, Clock, Cluster, ClusterEvent } from "../ports.ts";
import type { Api } from "./api.ts";

const COMPONENT = "amko-gitops";
const MESSAGE_LENGTH_MAX = 1_024;
/** The same Event on the same object within this time is counted, not repeated; as kubelet and others do. */
const REPEAT_WINDOW_MS = 10 * 60_000;
/** A count is written at most this often: whoever fights over an object makes many Events and few writes. */
const COUNT_INTERVAL_MS = 60_000;
const REMEMBERED_MAX = 200;
const OBJECT_NAME_LENGTH_MAX = 230;

interface Remembered {
  readonly name: string;
  /** By the clock that nobody sets. */
  readonly writtenAtMs: number;
  readonly count: number;
}

/** Events of core/v1, with everything by which `kubectl describe` and `kubectl get events` find and show them. */
export function createEventRecorder(api: Api, clock: Clock, chance: Chance): Pick<Cluster, "recordEvent"> {
  // In order of writing, oldest first, so that the oldest is what is forgotten.
  const remembered = new Map<string, Remembered>();

  const remember = (key: string, event: Remembered) => {
    remembered.delete(key);
    remembered.set(key, event);
    const oldest = remembered.keys().next();
    if (remembered.size > REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value);
  };

  return {
    recordEvent: async (event, signal) => {
      const key = keyOf(event);
      const [nowMs, elapsedMs] = [clock.nowMs(), clock.elapsedMs()];
      const earlier = remembered.get(key);
      if (earlier !== undefined && elapsedMs - earlier.writtenAtMs < REPEAT_WINDOW_MS) {
        const counted = { ...earlier, count: earlier.count + 1 };
        if (elapsedMs - earlier.writtenAtMs < COUNT_INTERVAL_MS) {
          remembered.set(key, counted);
          return;
        }
        if (await writeCount(api, counted, nowMs, signal)) {
          remember(key, { ...counted, writtenAtMs: elapsedMs });
          return;
        }
      }
      const name = `${event.regarding.metadata.name.slice(0, OBJECT_NAME_LENGTH_MAX)}.${chance.token().slice(0, 16)}`;
      remember(key, { name, writtenAtMs: elapsedMs, count: 1 });
      try {
        await create(api, name, event, nowMs, signal);
      } catch (error) {
        remembered.delete(key);
        throw error;
      }
    },
  };
}

function keyOf({ type, reason, message, regarding }: ClusterEvent): string {
  return JSON.stringify([regarding.metadata.uid, type, reason, message]);
}

/** False when the Event has expired at the server, which keeps them for an hour. */
async function writeCount(api: Api, { name, count }: Remembered, nowMs: number, signal: AbortSignal): Promise<boolean> {
  const patch = [
    { op: "replace", path: "/count", value: count },
    { op: "replace", path: "/lastTimestamp", value: new Date(nowMs).toISOString() },
  ] as const;
  try {
    await api.send(api.requests.patchEvent(name, patch), { verb: "patch", kind: "Event", name }, signal);
    return true;
  } catch (error) {
    if (hasCode(error, "AG3010")) return false;
    throw error;
  }
}

async function create(api: Api, name: string, event: ClusterEvent, nowMs: number, signal: AbortSignal): Promise<void> {
  const { apiVersion, kind, metadata } = event.regarding;
  const at = new Date(nowMs);
  const body: CoreV1Event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: NAMESPACE },
    involvedObject: {
      apiVersion,
      kind,
      name: metadata.name,
      namespace: NAMESPACE,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
    type: event.type,
    reason: event.reason,
    message: event.message.slice(0, MESSAGE_LENGTH_MAX),
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    source: { component: COMPONENT },
    reportingComponent: COMPONENT,
    reportingInstance: COMPONENT,
  };
  await api.send(api.requests.createEvent(body), { verb: "create", kind: "Event", name }, signal);
}
