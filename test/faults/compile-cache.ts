import { join } from "node:path";
import { writeKubeconfig } from "../../src/sandbox/api-server/kubeconfig.ts";
import { PROJECT, startProcess } from "../support/process.ts";

/** Node's own variable: where it keeps what it has compiled. */
const VARIABLE = "NODE_COMPILE_CACHE";

/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:1";

/**
 * Lets the agents that are started from here on begin in half the time. A process that is killed leaves nothing in the
 * cache, so one that is asked to stop fills it: once it has said its first word, it has loaded everything.
 * @throws Error where the agent did not come that far, or did not end well.
 */
export async function fillCompileCache(folder: string): Promise<void> {
  process.env[VARIABLE] = folder;
  const kubeconfig = join(folder, "kubeconfig");
  await writeKubeconfig(kubeconfig, [{ context: "nowhere", url: NOWHERE, token: "none" }]);
  const settings = [
    "--repo",
    `${NOWHERE}/none`,
    "--cluster",
    "nowhere",
    "--kubeconfig",
    kubeconfig,
    "--listen",
    "127.0.0.1:0",
  ];
  const agent = startProcess([join(PROJECT, "src/launch.js"), "agent", ...settings]);
  await agent.line();
  const { code, stderr } = await agent.stop();
  if (code !== 0) throw new Error(`the agent that fills the compile cache ended with ${code}: ${stderr}`);
}
