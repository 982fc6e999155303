import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cacheFolder } from "../support/cache-folder.ts";

/** Where the programs of a Kubernetes control plane are. */
export interface Binaries {
  readonly apiServer: string;
  readonly etcd: string;
  /** A folder with the kubectl to use; null leaves it to the tests. */
  readonly kubectlFolder: string | null;
}

/** What keeps the tests from running, in one sentence for people. */
export class MissingBinaries extends Error {}

const MODULE = fileURLToPath(new URL("apiserver/", import.meta.url));
const ETCD_PACKAGE = "go.etcd.io/etcd/server/v3";

/**
 * Takes them from the folder that `KUBEBUILDER_ASSETS` names, where it is set; else builds them with Go, once, and
 * keeps them in the user's cache. @throws MissingBinaries
 */
export async function findBinaries(say: (line: string) => void): Promise<Binaries> {
  const assets = process.env["KUBEBUILDER_ASSETS"] ?? "";
  if (assets !== "") return takeAssets(assets);
  const goVersion = await run("go", ["env", "GOVERSION"]).catch(() => {
    throw new MissingBinaries(
      "Neither is KUBEBUILDER_ASSETS set to a folder with kube-apiserver, etcd and kubectl, nor is there Go on PATH to build them.",
    );
  });
  const folder = join(cacheFolder("kube"), await digestOfModule(goVersion));
  if (!(await exists(folder))) await build(folder, say);
  return { apiServer: join(folder, "kube-apiserver"), etcd: join(folder, "etcd"), kubectlFolder: null };
}

async function takeAssets(folder: string): Promise<Binaries> {
  for (const name of ["kube-apiserver", "etcd", "kubectl"]) {
    if (!(await exists(join(folder, name)))) {
      throw new MissingBinaries(`KUBEBUILDER_ASSETS names ${folder}, where there is no ${name}.`);
    }
  }
  return { apiServer: join(folder, "kube-apiserver"), etcd: join(folder, "etcd"), kubectlFolder: folder };
}

const DIGEST_CHARACTERS = 16;

async function digestOfModule(goVersion: string): Promise<string> {
  const hash = createHash("sha256").update(goVersion);
  for (const file of ["go.mod", "go.sum", "main.go"]) hash.update(await readFile(join(MODULE, file)));
  return hash.digest("hex").slice(0, DIGEST_CHARACTERS);
}

/** Under another name first, so that a build that was cut off, or one beside it, is never taken for a whole one. */
async function build(folder: string, say: (line: string) => void): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    const version = await run("go", ["list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"]);
    say(`building kube-apiserver ${version} and etcd with Go, once: some ten minutes on two cores`);
    await compile(join(unfinished, "kube-apiserver"), ".", versionFlags(version));
    await compile(join(unfinished, "etcd"), ETCD_PACKAGE, []);
    await rename(unfinished, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** What the release's own build tells the server about itself. */
function versionFlags(version: string): readonly string[] {
  const [major = "", minor = ""] = version.slice(1).split(".");
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  return Object.entries(values).map(([name, value]) => `-X=k8s.io/component-base/version.${name}=${value}`);
}

function compile(output: string, source: string, linkerFlags: readonly string[]): Promise<void> {
  const args = ["build", "-trimpath", `-ldflags=${["-s", "-w", ...linkerFlags].join(" ")}`, "-o", output, source];
  const child = spawn("go", args, { cwd: MODULE, env: GO_ENVIRONMENT, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`go build ${source} ended with ${code ?? signal}`)),
    );
  });
}

/** No C compiler is needed, and no setting of the machine's user for other modules counts. */
const GO_ENVIRONMENT = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" };

async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { cwd: MODULE, env: GO_ENVIRONMENT });
  return stdout.trim();
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
