import { setFlagsFromString } from "node:v8";
import { runCommandLine } from "./cli/program.ts";

// An agent rests nearly all the time. Left alone, V8 grows its young generation to a hundred megabytes all the same.
setFlagsFromString("--semi-space-growth-factor=1");

/** Loaded where a verb needs it: most need neither git nor Kubernetes. */
const house = () => import("./compose.ts");

process.exitCode = await runCommandLine(process.argv.slice(2), {
  startAgent: async (config) => (await house()).startAgent(config),
  readCrds: async () => (await house()).readCrds(),
});
