import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { User } from "@kubernetes/client-node";
import { FederationError } from "../errors.ts";
import type { CredentialPlugin } from "./kubeconfig-user.ts";

export interface PluginAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly cert: string | null;
  readonly key: string | null;
}

/** The plugin of a kubeconfig's user, which keeps what it got as long as that is valid. */
export interface PluginSource {
  /** Whoever asks while it is being asked gets the same answer. @throws FederationError AG4005 */
  read(): Promise<PluginAnswer>;
  /** The server refused what it gave: the next reader asks it again. */
  forget(): void;
  /** What to say where it is being asked for too long; null while it is not. */
  lateness(timeoutMs: number): FederationError | null;
}

/** A person may have to log in at a browser first; one that hangs must not stay for ever. */
const PLUGIN_MAX_MS = 2 * 60_000;

const NO_ANSWER: PluginAnswer = { headers: {}, cert: null, key: null };

export function createPluginSource(plugin: CredentialPlugin | null): PluginSource {
  if (plugin === null) return { read: async () => NO_ANSWER, forget: () => undefined, lateness: () => null };
  const { userName } = plugin;
  let authenticator: Promise<Authenticator> | null = null;
  let asking: Promise<PluginAnswer> | null = null;

  async function ask(): Promise<PluginAnswer> {
    authenticator ??= loadAuthenticator(plugin as CredentialPlugin);
    const options: { headers: Record<string, string>; cert?: string; key?: string } = { headers: {} };
    try {
      await (await authenticator).applyAuthentication(pluginUser(plugin as CredentialPlugin), options);
    } catch (error) {
      if (error instanceof FederationError) throw error;
      // Neither the plugin's output nor the library's message is repeated: both may quote a credential.
      throw pluginFailed(userName, "failed");
    }
    return { headers: options.headers, cert: options.cert ?? null, key: options.key ?? null };
  }

  return {
    read() {
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    },
    forget() {
      authenticator = null;
    },
    lateness: (timeoutMs) => (asking === null ? null : pluginFailed(userName, `took longer than ${timeoutMs} ms`)),
  };
}

function pluginFailed(userName: string, how: string): FederationError {
  const text = `The credential plugin of user ${userName} ${how}; run kubectl with the same context to see why.`;
  return new FederationError("AG4005", text);
}

function pluginUser(plugin: CredentialPlugin): User {
  const name = plugin.userName;
  return plugin.kind === "exec" ? { name, exec: plugin.entry } : { name, authProvider: plugin.entry };
}

interface Authenticator {
  // The library types the options as node's RequestOptions; the plugins set these three.
  applyAuthentication(user: User, options: object): Promise<void>;
}

/** The library's own plugins, loaded only where a kubeconfig asks for one. */
async function loadAuthenticator({ kind, entry, userName }: CredentialPlugin): Promise<Authenticator> {
  if (kind === "exec") {
    const { ExecAuth } = await import("@kubernetes/client-node/dist/exec_auth.js");
    // It takes whoever starts the program from here, for its own tests; it ends none.
    return Object.assign(new ExecAuth(), { execFn: startPlugin });
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

/** Nothing is told to it, and it keeps no program running that waits for nothing else. */
function startPlugin(command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  // Pipes to a child are sockets, whatever their type says.
  const pipes = [child.stdout, child.stderr] as (Socket | null)[];
  for (const one of [child, ...pipes]) one?.unref();
  const end = setTimeout(() => {
    child.kill("SIGKILL");
    // What it started may hold them open.
    for (const pipe of pipes) pipe?.destroy();
  }, PLUGIN_MAX_MS).unref();
  for (const event of ["close", "error"]) child.once(event, () => clearTimeout(end));
  return child;
}
