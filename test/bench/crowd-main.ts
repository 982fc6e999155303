import { createInterface } from "node:readline";
import { startAgent } from "../../src/compose.ts";
import { readAgentConfig } from "../../src/config.ts";
import { startApiServer } from "../../src/sandbox/api-server/server.ts";
import { readCrds } from "../../src/shipped.ts";

/**
 * Many agents, or many API servers, in one process. Its first line of input says what, as JSON; it prints one line once
 * all have started, and ends when its input does.
 */
export type Crowd =
  | { readonly run: "agents"; readonly flags: readonly Readonly<Record<string, string>>[] }
  | { readonly run: "api-servers"; readonly names: readonly string[] };

const input = createInterface({ input: process.stdin });
input.once("line", (line) => void start(JSON.parse(line) as Crowd));
input.once("close", () => process.exit(0));

async function start(crowd: Crowd): Promise<void> {
  process.stdout.write(
    `${JSON.stringify(crowd.run === "agents" ? await startAgents(crowd.flags) : await startServers(crowd.names))}\n`,
  );
}

async function startAgents(all: readonly Readonly<Record<string, string>>[]): Promise<number> {
  for (const flags of all) {
    const { config, problems } = readAgentConfig(flags, {});
    if (config === null) throw new TypeError(JSON.stringify(problems));
    await startAgent(config);
  }
  return all.length;
}

/** Their addresses, in the order of the names. */
async function startServers(names: readonly string[]): Promise<readonly string[]> {
  const definitions = await readCrds();
  return Promise.all(names.map(async (name) => (await startApiServer({ name, port: 0, definitions })).url));
}
