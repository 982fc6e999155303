import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { askAsAdmin, type Upstream } from "../kubernetes/gate.ts";
import { KUBE_API_SERVER, told } from "./environment.ts";
import { waitUntilServed } from "./install.ts";
import { findPort } from "./port.ts";
import { type Program, startProgram, tailOf } from "./program.ts";
import { becomes } from "./wait.ts";

/** A kube-apiserver with its usual admission and RBAC, and no controllers beside it. */
export interface KubeApiServer {
  readonly port: number;
  /** What signed the certificate that it serves with, as PEM. */
  readonly ca: string;
  readonly adminToken: string;
  readonly upstream: Upstream;
  /** Ends it as a loss of power would. */
  crash(): Promise<void>;
  /** Starts it again, at the same address, over the same keys. */
  restart(): Promise<void>;
}

export interface KubeApiServerOptions {
  /** Where it keeps certificates and its log. */
  readonly folder: string;
  readonly etcdUrl: string;
  /** More flags, or other values. */
  readonly flags?: Readonly<Record<string, string>>;
}

const STARTS_MAX = 3;
const TOKEN_BYTES = 16;
const ISSUER = "https://kubernetes.default.svc";

/** Starts one over keys of its own in etcd, and waits until it is ready. */
export async function startKubeApiServer(options: KubeApiServerOptions): Promise<KubeApiServer> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const adminToken = randomBytes(TOKEN_BYTES).toString("hex");
  await writeKeys(folder, adminToken);
  const prefix = `/${randomBytes(TOKEN_BYTES).toString("hex")}`;
  for (let starts = 1; ; starts += 1) {
    const port = await findPort();
    let program: Program | null = null;
    const crash = async (): Promise<void> => {
      const running = program;
      program = null;
      await running?.kill();
    };
    const restart = async (): Promise<void> => {
      program ??= await run(options, port, prefix, adminToken);
    };
    try {
      await restart();
      const ca = await readFile(join(folder, "apiserver.crt"), "utf8");
      const upstream = upstreamOf(port, ca, adminToken);
      return { port, ca, adminToken, upstream, crash, restart };
    } catch (error) {
      if (starts === STARTS_MAX) throw error;
    }
  }
}

function upstreamOf(port: number, ca: string, adminToken: string): Upstream {
  return { url: `https://127.0.0.1:${port}`, headers: { authorization: `Bearer ${adminToken}` }, tls: { ca } };
}

/** The key that signs ServiceAccounts' tokens, and who the administrator is. */
async function writeKeys(folder: string, adminToken: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const secret = { mode: 0o600 };
  await writeFile(join(folder, "accounts.key"), privateKey.export({ type: "pkcs8", format: "pem" }), secret);
  await writeFile(join(folder, "tokens.csv"), `${adminToken},admin,admin,system:masters\n`, secret);
}

async function run(
  { folder, etcdUrl, flags = {} }: KubeApiServerOptions,
  port: number,
  prefix: string,
  adminToken: string,
): Promise<Program> {
  const logFile = join(folder, "log");
  const all = {
    "etcd-servers": etcdUrl,
    "etcd-prefix": prefix,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    "secure-port": String(port),
    // Without a certificate it makes its own there, and takes that one again when it is restarted.
    "cert-dir": folder,
    "authorization-mode": "RBAC",
    "token-auth-file": join(folder, "tokens.csv"),
    "service-account-issuer": ISSUER,
    "service-account-key-file": join(folder, "accounts.key"),
    "service-account-signing-key-file": join(folder, "accounts.key"),
    "service-cluster-ip-range": "10.0.0.0/24",
    "endpoint-reconciler-type": "none",
    ...flags,
  };
  const args = Object.entries(all).map(([flag, value]) => `--${flag}=${value}`);
  const program = startProgram(told(KUBE_API_SERVER), args, logFile);
  const ready = await becomes(async () => {
    const ca = await readFile(join(folder, "apiserver.crt"), "utf8");
    if ((await askAsAdmin(upstreamOf(port, ca, adminToken), "GET", "/readyz")).status !== 200) return false;
    await waitUntilServed(upstreamOf(port, ca, adminToken));
    return true;
  }, program.running);
  if (ready) return program;
  await program.kill();
  throw new Error(`kube-apiserver did not start: ${await tailOf(logFile)}`);
}
