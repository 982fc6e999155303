import { readFile } from "node:fs/promises";
import type { User } from "@kubernetes/client-node";
import { FederationError } from "../errors.ts";
import type { Connection, CredentialPlugin, Material } from "./kubeconfig.ts";

/** What one request needs to be let in. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca: Buffer | null;
    readonly cert: Buffer | string | null;
    readonly key: Buffer | string | null;
  };
}

/**
 * Makes a reader of credentials. Every call reads the mounted files again: kubelet and cert-manager swap them at any
 * time, and a read costs nothing beside a request. Plugins cache what they got as long as it is valid.
 */
export function credentialReader(connection: Connection): () => Promise<Credentials> {
  const askPlugin = pluginReader(connection.user.plugin);
  return async () => {
    const { tls, user } = connection;
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
        ...(user.impersonate === null ? {} : { "Impersonate-User": user.impersonate }),
      },
      tls: { ca, cert: plugin.cert ?? cert, key: plugin.key ?? key },
    };
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

interface PluginAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly cert: string | null;
  readonly key: string | null;
}

/** The library's own plugins, loaded only where a kubeconfig asks for one. */
function pluginReader(plugin: CredentialPlugin | null): () => Promise<PluginAnswer> {
  if (plugin === null) return async () => ({ headers: {}, cert: null, key: null });
  const user = pluginUser(plugin);
  const authenticator = once(() => loadAuthenticator(plugin));
  return async () => {
    const options: { headers: Record<string, string>; cert?: string; key?: string } = { headers: {} };
    try {
      await (await authenticator()).applyAuthentication(user, options);
    } catch (error) {
      if (error instanceof FederationError) throw error;
      // Neither the plugin's output nor the library's message is repeated: both may quote a credential.
      throw new FederationError(
        "AG4005",
        `The credential plugin of user ${plugin.userName} failed; run kubectl with the same context to see why.`,
      );
    }
    return { headers: options.headers, cert: options.cert ?? null, key: options.key ?? null };
  };
}

function pluginUser(plugin: CredentialPlugin): User {
  const name = plugin.userName;
  return plugin.kind === "exec" ? { name, exec: plugin.entry } : { name, authProvider: plugin.entry };
}

interface Authenticator {
  // The library types the options as node's RequestOptions; the plugins set these three.
  applyAuthentication(user: User, options: object): Promise<void>;
}

async function loadAuthenticator({ kind, entry, userName }: CredentialPlugin): Promise<Authenticator> {
  if (kind === "exec") {
    const { ExecAuth } = await import("@kubernetes/client-node/dist/exec_auth.js");
    return new ExecAuth();
  }
  if (entry["name"] === "oidc") {
    const { OpenIDConnectAuth } = await import("@kubernetes/client-node/dist/oidc_auth.js");
    return new OpenIDConnectAuth();
  }
  throw new FederationError(
    "AG4005",
    `The auth-provider ${String(entry["name"])} of user ${userName} is not supported; kubectl dropped it too, use an exec plugin.`,
  );
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
