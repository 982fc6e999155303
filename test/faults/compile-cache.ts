import { join } from "node:path";
import { PROJECT, runProcess } from "../support/process.ts";

/** Node's own variable: where it keeps what it has compiled. */
const VARIABLE = "NODE_COMPILE_CACHE";

/**
 * Lets the agents that are started from here on begin in half the time. A process that is killed leaves nothing in the
 * cache, so one that ends by itself fills it: it has loaded everything when it finds that it has no kubeconfig.
 */
export async function fillCompileCache(folder: string): Promise<void> {
  process.env[VARIABLE] = folder;
  const settings = ["--repo", "http://127.0.0.1:1/none", "--kubeconfig", join(folder, "none")];
  await runProcess([join(PROJECT, "src/launch.js"), "agent", ...settings]);
}
