import { FederationError } from "../errors.ts";

/** The longest are ours: the prefix and a few words around a cluster's name, which may have 200 characters alone. */
const REF_NAME_MAX_CHARS = 400;

/** What git-check-ref-format(1) asks of a branch's name. @throws FederationError with `code`. */
export function checkRefName(name: string, code: "AG4002" | "AG9001"): void {
  const isValid =
    name.length <= REF_NAME_MAX_CHARS &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is forbidden
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\//.test(name) &&
    name.split("/").every((part) => part !== "" && !part.startsWith(".") && !/(\.|\.lock)$/.test(part)) &&
    !name.startsWith("-") &&
    name !== "@";
  if (!isValid)
    throw new FederationError(code, `${JSON.stringify(name.slice(0, REF_NAME_MAX_CHARS))} is no name for a branch`);
}
