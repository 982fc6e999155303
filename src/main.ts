import { appendFile, readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import type { House } from "./cli/house.ts";
import { runCommandLine } from "./cli/program.ts";
import { createShell } from "./cli/shell.ts";
import { readStdin } from "./cli/stdin.ts";

// An agent rests nearly all the time. Left alone, V8 grows its young generation to a hundred megabytes all the same, and
// the old one by tens under load. What runs once and has much to read is three times as fast with room.
if (process.argv[2] === "agent") {
  for (const flag of ["--semi-space-growth-factor=1", "--optimize-for-size"]) setFlagsFromString(flag);
}

/** Loaded where a verb needs it: the Kubernetes client takes three times as long to load as all the rest. */
const compose = () => import("./compose.ts");
const composeGit = () => import("./compose-git.ts");
const shipped = () => import("./shipped.ts");

const house: House = {
  findFileProblems: async (flags, env) => (await import("./config-files.ts")).findFileProblems(flags, env),
  startAgent: async (config) => (await compose()).startAgent(config),
  readCrds: async () => (await shipped()).readCrds(),
  readSchemas: async () => (await shipped()).readSchemas(),
  openRepository: async (source, signal) => (await composeGit()).openSource(source, signal),
  openPushed: async (source, signal) => (await composeGit()).openPushed(source, signal),
  readFolder: async (directory) => (await import("./git/folder.ts")).readFolder(directory),
  openCluster: async (connection) => (await compose()).connectCluster(connection),
  openInspector: async (connection, file) => (await compose()).connectInspector(connection, file),
  readPerson: async (directory) => (await import("./git/person.ts")).readPerson(directory),
  readTemplate: async () => (await shipped()).readTemplate(),
  writeFolder: async (directory, files) => (await import("./git/write-folder.ts")).writeFolder(directory, files),
  appendFile,
  readFile,
  readStdin,
};

// Ctrl-C ends what is under way; a second one ends the process at once, but for what it must not leave behind.
const interrupted = new AbortController();
for (const [name, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(name, () => {
    interrupted.abort(new DOMException(`interrupted by ${name}`, "AbortError"));
    process.once(name, () => process.exit(exitCode));
  });
}

// Whoever reads may stop reading (`| head`). What was under way is not done then: no success, and what a shell says of a
// program that SIGPIPE ended.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(141);
});

process.exitCode = await runCommandLine(process.argv.slice(2), createShell(interrupted.signal), house);
