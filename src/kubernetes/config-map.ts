import type { ResourceVersion, Uid } from "../core/model.ts";
import { hasCode } from "../errors.ts";
import type { Cluster, ConfigMapState } from "../ports.ts";
import { type Answered, type Api, isAnswered, senseless } from "./api.ts";
import { atVersion } from "./objects.ts";
import type { RequestSubject } from "./refusal.ts";
import { CONFIG_MAP_NAME } from "./requests.ts";

/** The agent's own ConfigMap. Only its data is ever replaced: labels, owners and the rest belong to whoever set them. */
export function createConfigMap(api: Api): Pick<Cluster, "readConfigMap" | "writeConfigMap"> {
  const subject = (verb: RequestSubject["verb"]): RequestSubject => ({
    verb,
    kind: "ConfigMap",
    name: CONFIG_MAP_NAME,
  });
  return {
    readConfigMap: async (signal) => {
      try {
        return configMapState(await api.send(api.requests.readConfigMap(), subject("get"), signal), subject("get"));
      } catch (error) {
        if (hasCode(error, "AG3010")) return null;
        throw error;
      }
    },
    writeConfigMap: async (data, expected, signal) => {
      const verb = expected === null ? "create" : "patch";
      // `add` also replaces, and works where a ConfigMap has no data yet.
      const context =
        expected === null
          ? api.requests.createConfigMap(data)
          : api.requests.patchConfigMap(atVersion(expected, [{ op: "add", path: "/data", value: data }]));
      return configMapState(await api.send(context, subject(verb), signal), subject(verb));
    },
  };
}

function configMapState({ metadata, data = {} }: Answered, subject: RequestSubject): ConfigMapState {
  if (!isAnswered(metadata) || !isAnswered(data)) throw senseless(subject, "it is no ConfigMap");
  const { uid, resourceVersion } = metadata;
  if (typeof uid !== "string" || typeof resourceVersion !== "string") throw senseless(subject, "it has no version");
  return {
    uid: uid as Uid,
    resourceVersion: resourceVersion as ResourceVersion,
    data: data as Readonly<Record<string, string>>,
  };
}
