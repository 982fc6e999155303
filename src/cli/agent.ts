import { type AgentConfig, type GivenSettings, readAgentConfig } from "../config.ts";
import type { Log } from "../ports.ts";

/** Wires an agent and starts it. @throws FederationError AG4xxx for settings that can never work. */
export type StartAgent = (config: AgentConfig) => Promise<{ readonly log: Log; stop(): Promise<void> }>;

const USAGE = 2;

/** Runs the daemon until it is told to stop. A second signal ends it at once. */
export async function runAgent(flags: GivenSettings, startAgent: StartAgent): Promise<number> {
  const { config, problems } = readAgentConfig(flags, process.env);
  if (config === null) {
    for (const { flag, value, cause, remedy } of problems) {
      const found = value === null ? "" : ` "${value}"`;
      process.stderr.write(`AG4002 ${flag}${found}: ${cause}. ${remedy}\n`);
    }
    return USAGE;
  }
  const agent = await startAgent(config);
  const signal = await new Promise<string>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
  agent.log("info", "stopping", { signal });
  await agent.stop();
  return 0;
}
