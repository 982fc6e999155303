import { execFile } from "node:child_process";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { promisify } from "node:util";
import { PROJECT } from "../support/process.ts";

const run = promisify(execFile);

/** On what, with what, and how busy. */
export async function describeMachine(clusters: string): Promise<string> {
  const [model] = cpus();
  const { stdout } = await run("git", ["--version"]);
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  const [load = 0] = loadavg();
  return [
    `commit ${await describeCommit()}`,
    `${availableParallelism()} cores (${model?.model.trim() ?? "unknown"}), ${gibibytes} GiB`,
    `Node ${process.versions.node}, ${stdout.trim()}, ${clusters}`,
    `load ${load.toFixed(1)} at the start`,
  ].join("; ");
}

async function describeCommit(): Promise<string> {
  const { stdout } = await run("git", ["describe", "--always", "--dirty", "--exclude=*"], { cwd: PROJECT });
  return stdout.trim();
}
