import { setFlagsFromString } from "node:v8";
import type { House } from "./cli/house.ts";
import { runCommandLine } from "./cli/program.ts";
import { createShell } from "./cli/shell.ts";

// An agent rests nearly all the time. Left alone, V8 grows its young generation to a hundred megabytes all the same.
// What runs once and has much to read is three times as fast with room.
if (process.argv[2] === "agent") setFlagsFromString("--semi-space-growth-factor=1");

/** Loaded where a verb needs it: most need neither git nor Kubernetes. */
const compose = () => import("./compose.ts");

const house: House = {
  findFileProblems: async (flags, env) => (await compose()).findFileProblems(flags, env),
  startAgent: async (config) => (await compose()).startAgent(config),
  readCrds: async () => (await compose()).readCrds(),
  readSchemas: async () => (await compose()).readSchemas(),
  openRepository: async (source, signal) => (await compose()).openSource(source, signal),
  readFolder: async (directory) => (await compose()).readFolder(directory),
  openCluster: async (connection) => (await compose()).connectCluster(connection),
  openInspector: async (connection) => (await compose()).connectInspector(connection),
  readPerson: async (directory) => (await compose()).readPerson(directory),
  readTemplate: async () => (await compose()).readTemplate(),
  writeFolder: async (directory, files) => (await compose()).writeFolder(directory, files),
  appendFile: async (file, text) => (await compose()).appendFile(file, text),
  openPushed: async (source, signal) => (await compose()).openPushed(source, signal),
  readFile: async (file) => (await compose()).readFile(file),
  readStdin: async () => (await compose()).readStdin(),
};

// Ctrl-C ends what is under way; a second one ends the process as it would have without us.
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new DOMException("interrupted", "AbortError")));

// Whoever reads may stop reading (`| head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await runCommandLine(process.argv.slice(2), createShell(interrupted.signal), house);
