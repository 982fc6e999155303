import { homedir } from "node:os";
import { join } from "node:path";

/** Where the tests keep what is costly to get, in the user's cache. */
export function cacheFolder(name: string): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? "";
  return join(cache === "" ? join(homedir(), ".cache") : cache, "amko-gitops", name);
}
