import { readFile } from "node:fs/promises";
import { FederationError } from "../errors.ts";
import { createPluginSource, type PluginSource } from "./credential-plugin.ts";
import type { Connection } from "./kubeconfig.ts";
import type { Material } from "./kubeconfig-entry.ts";

/** What one request needs to be let in. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: {
    readonly ca: Buffer | null;
    readonly cert: Buffer | string | null;
    readonly key: Buffer | string | null;
  };
}

export interface CredentialSource extends Pick<PluginSource, "forget" | "lateness"> {
  /** Reads the mounted files again: kubelet and cert-manager swap them at any time, and that costs nothing. */
  read(): Promise<Credentials>;
}

export function createCredentialSource({ tls, user }: Connection): CredentialSource {
  const { read: askPlugin, forget, lateness } = createPluginSource(user.plugin);
  return {
    forget,
    lateness,
    async read() {
      const [ca, cert, key, token, plugin] = await Promise.all([
        read(tls.ca),
        read(tls.clientCertificate),
        read(tls.clientKey),
        read(user.token),
        askPlugin(),
      ]);
      return {
        headers: {
          ...plugin.headers,
          ...(user.basic === null ? {} : { Authorization: basic(user.basic) }),
          ...(token === null ? {} : { Authorization: `Bearer ${token.toString("utf8").trim()}` }),
          ...user.impersonation,
        },
        tls: { ca, cert: plugin.cert ?? cert, key: plugin.key ?? key },
      };
    },
  };
}

async function read(material: Material | null): Promise<Buffer | null> {
  if (material === null) return null;
  if (material.kind === "inline") return material.bytes;
  try {
    return await readFile(material.path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? error.code : "unknown reason";
    throw new FederationError("AG4004", `The file ${material.path} cannot be read (${reason}).`, { cause: error });
  }
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
