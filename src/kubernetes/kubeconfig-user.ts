import { readFileSync } from "node:fs";
import {
  absolute,
  type Entry,
  isEntry,
  type Material,
  materialOf,
  type PlacedEntry,
  textOf,
  unusable,
} from "./kubeconfig-entry.ts";

/** As whom a context asks. */
export interface User {
  readonly token: Material | null;
  readonly basic: { readonly username: string; readonly password: string } | null;
  /** Request headers that say as whom to act; none where nobody is impersonated. */
  readonly impersonation: Readonly<Record<string, string | readonly string[]>>;
  readonly plugin: CredentialPlugin | null;
}

/** The kubeconfig's `exec` or `auth-provider` entry, ready to be used. */
export interface CredentialPlugin {
  readonly kind: "exec" | "auth-provider";
  readonly userName: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

/** @throws FederationError AG4005 */
export function readUser(user: PlacedEntry, name: string, cluster: PlacedEntry): User {
  return {
    token: tokenOf(user),
    basic: basicOf(user.entry),
    impersonation: impersonationOf(user.entry, name),
    plugin: pluginOf(user, name, cluster),
  };
}

/** A token file before a token, as kubectl has it. */
function tokenOf({ entry, folder }: PlacedEntry): Material | null {
  const path = textOf(entry, "tokenFile");
  if (path !== null) return { kind: "file", path: absolute(folder, path) };
  const token = textOf(entry, "token");
  return token === null ? null : { kind: "inline", bytes: Buffer.from(token) };
}

function basicOf(user: Entry): User["basic"] {
  const username = textOf(user, "username");
  return username === null ? null : { username, password: textOf(user, "password") ?? "" };
}

function impersonationOf(user: Entry, name: string): User["impersonation"] {
  const as = textOf(user, "as");
  const uid = textOf(user, "as-uid");
  const groups = textsOf(user["as-groups"]);
  const extra = isEntry(user["as-user-extra"]) ? Object.entries(user["as-user-extra"]) : [];
  if (as === null) {
    if (uid === null && groups.length === 0 && extra.length === 0) return {};
    throw unusable(`user ${name} impersonates groups, or more of a user, but names no user with as`);
  }
  return {
    "Impersonate-User": as,
    ...(uid === null ? {} : { "Impersonate-Uid": uid }),
    ...(groups.length === 0 ? {} : { "Impersonate-Group": groups }),
    // A header's name takes fewer characters than such a key.
    ...Object.fromEntries(extra.map(([key, values]) => [`Impersonate-Extra-${headerName(key)}`, textsOf(values)])),
  };
}

/** As Kubernetes has it: what no header's name may hold is percent-encoded, byte by byte. */
function headerName(key: string): string {
  return encodeURIComponent(key.toLowerCase()).replace(/[()]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string" && one !== "") : [];
}

function pluginOf(
  { entry: user, folder }: PlacedEntry,
  userName: string,
  cluster: PlacedEntry,
): CredentialPlugin | null {
  const { exec, "auth-provider": provider } = user;
  if (isEntry(exec)) return { kind: "exec", userName, entry: asKubectlRuns(exec, folder, cluster) };
  return isEntry(provider) ? { kind: "auth-provider", userName, entry: provider } : null;
}

/** A command with a slash starts from the kubeconfig's folder, and every plugin is told what it is run for. */
function asKubectlRuns(exec: Entry, folder: string | null, cluster: PlacedEntry): Entry {
  const command = textOf(exec, "command") ?? "";
  const env: readonly unknown[] = Array.isArray(exec["env"]) ? exec["env"] : [];
  const info = {
    kind: "ExecCredential",
    apiVersion: textOf(exec, "apiVersion") ?? "client.authentication.k8s.io/v1",
    spec: {
      ...(exec["provideClusterInfo"] === true ? { cluster: clusterInfo(cluster) } : {}),
      // It has no terminal here.
      interactive: false,
    },
  };
  return {
    ...exec,
    command: command.includes("/") ? absolute(folder, command) : command,
    env: [...env, { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(info) }],
  };
}

/** What a plugin may be told of its cluster; with its certificates, which stand in a file perhaps. */
function clusterInfo(cluster: PlacedEntry): Entry {
  const names = ["server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url"] as const;
  const kept = names.filter((name) => cluster.entry[name] !== undefined).map((name) => [name, cluster.entry[name]]);
  const authority = materialOf(cluster, "certificate-authority");
  const config = execConfig(cluster.entry["extensions"]);
  return {
    ...Object.fromEntries(kept),
    ...(authority === null ? {} : { "certificate-authority-data": read(authority).toString("base64") }),
    ...(config === undefined ? {} : { config }),
  };
}

/** Settings for the plugin that stand at the cluster, under the name that is kept for them. */
function execConfig(extensions: unknown): unknown {
  const entries: readonly unknown[] = Array.isArray(extensions) ? extensions : [];
  const found = entries.find((one) => isEntry(one) && one["name"] === "client.authentication.k8s.io/exec");
  return isEntry(found) ? found["extension"] : undefined;
}

function read(material: Material): Buffer {
  if (material.kind === "inline") return material.bytes;
  try {
    return readFileSync(material.path);
  } catch {
    throw unusable(`${material.path} cannot be read`);
  }
}
