import { asFederationError } from "../errors.ts";
import type { Context, Local } from "./context.ts";
import { forgetBases } from "./record.ts";

/**
 * With its CRD go all objects of a kind, and that they are gone is nobody's deletion. While the CRD is missing, what
 * the ConfigMap says of objects that are not seen is forgotten, also by an agent that is held or cannot read git: the
 * process that looks when the CRD is back may be another one. Where it cannot be written it is tried with the next
 * pass: nobody may stay in office for that.
 */
export async function forgetVanished(context: Context, local: Local): Promise<Local> {
  if (local.undefinedKinds.length === 0 || local.configMap === null) return local;
  try {
    return await forgetBases(context, local, local.undefinedKinds);
  } catch (error) {
    const { code, message } = asFederationError(error);
    context.log("warn", "the base of a kind without a CRD could not be forgotten", {
      cluster: local.self,
      code,
      cause: message,
    });
    return local;
  }
}
