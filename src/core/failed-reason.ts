import { readDocument } from "./document.ts";
import { isObject } from "./json.ts";
import type { RevisionFile } from "./model.ts";

/** Why a cluster cannot apply, by what its agent left at `failed/<cluster>`. It is that agent's word: untrusted text. */
export function failedReason(files: readonly RevisionFile[]): string {
  const file = files.find(({ path }) => path === "status.yaml");
  const document = file === undefined ? null : readDocument(file);
  const reason = document?.ok === true && isObject(document.value) ? document.value["reason"] : null;
  return typeof reason === "string" && reason !== "" ? reason : "its agent does not say why";
}
