import { noteRestart, restartFields } from "../core/restart.ts";
import { FederationError } from "../errors.ts";
import type { Context, Local } from "./context.ts";
import { writeRecords } from "./record.ts";

/** Remembers what AMKO here runs with, so that the status can tell what it does not know of yet. */
export async function rememberRestart(context: Context, local: Local): Promise<Local> {
  const { records, workload, objects } = local;
  if (records.office === null || workload instanceof FederationError) return local;
  const [object, second] = objects.GSLBConfig;
  const spec = second === undefined ? object?.spec : undefined;
  const restart = noteRestart({ record: records.restart, claim: records.office.claim, workload, spec });
  return writeRecords(context, local, { ...records, restart });
}

/** The fields that wait for a restart of AMKO. */
export function pendingRestart({ records, objects }: Local): readonly string[] {
  const current = records.restart?.claim === records.office?.claim ? records.restart : null;
  return objects.GSLBConfig.length === 1 ? restartFields(current) : [];
}
