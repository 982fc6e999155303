import { deepEqual } from "../core/json.ts";
import type { FederatedKind } from "../core/model.ts";
import { formatRecords, type Records } from "../core/records.ts";
import type { Context, Local } from "./context.ts";

/** Writes the bookkeeping where it changed, only while nobody else did. */
export async function writeRecords(
  { cluster, settings, signal }: Context,
  local: Local,
  records: Records,
): Promise<Local> {
  const present = local.configMap?.data ?? {};
  const data = formatRecords(records, settings.branch, present);
  if (deepEqual(data, present)) return { ...local, records };
  const configMap = await cluster.writeConfigMap(data, local.configMap?.resourceVersion ?? null, signal);
  return { ...local, configMap, records };
}

/** Forgets that the cluster ever held these kinds: that they are missing here is no deletion then. */
export function forgetBases(context: Context, local: Local, kinds: readonly FederatedKind[]): Promise<Local> {
  const forgotten = Object.fromEntries(kinds.map((kind) => [kind, null]));
  return writeRecords(context, local, { ...local.records, bases: { ...local.records.bases, ...forgotten } });
}
