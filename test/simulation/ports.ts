import type { Cluster, Repository } from "../../src/ports.ts";

/** One request of an agent to the world. */
export interface PortCall {
  readonly port: "git" | "kubernetes";
  readonly method: string;
  /** What it is about: a ref, a commit that is read, a kind. */
  readonly subject: string;
  /** It changes something, if it lands. */
  readonly isWrite: boolean;
}

/**
 * Asked around each request: before it leaves (`send` is what would send it), and after it took effect and before its
 * answer is seen.
 */
export interface Gate {
  before(call: PortCall, send: () => Promise<unknown>): Promise<void>;
  /** Told at once when a request took effect. */
  landed(call: PortCall): Promise<void>;
  after(call: PortCall, answer: unknown): Promise<void>;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The repository as one process of an agent sees it. */
export function gateRepository(repository: Repository, gate: Gate): Repository {
  return {
    ...gated(
      repository,
      ["list", "read", "relation", "readFiles", "publish", "start", "moveRef", "propose", "writeOrphan"],
      describeGit,
      gate,
    ),
    url: repository.url,
    async *history(range, limit, signal) {
      const call = { port: "git", method: "history", subject: "", isWrite: false } as const;
      await gate.before(call, async () => undefined);
      yield* repository.history(range, limit, signal);
    },
  };
}

/** The cluster as one process of an agent sees it. */
export function gateCluster(cluster: Cluster, gate: Gate): Cluster {
  return {
    ...gated(
      cluster,
      [
        "list",
        "create",
        "patch",
        "patchStatus",
        "remove",
        "readNamespace",
        "readConfigMap",
        "writeConfigMap",
        "readWorkload",
        "readMembersKubeconfig",
        "recordEvent",
      ],
      describeKubernetes,
      gate,
    ),
    watch: (changed, signal) => cluster.watch(changed, signal),
  };
}

function gated<Port extends object, Name extends keyof Port & string>(
  port: Port,
  names: readonly Name[],
  describe: (method: string, args: readonly unknown[]) => PortCall,
  gate: Gate,
): Pick<Port, Name> {
  const wrap = (name: Name): Method => {
    const method = (port[name] as Method).bind(port);
    return async (...args) => {
      const call = describe(name, args);
      const send = (): Promise<unknown> => method(...args);
      await gate.before(call, send);
      const answer = await send();
      await gate.landed(call);
      await gate.after(call, answer);
      return answer;
    };
  };
  return Object.fromEntries(names.map((name) => [name, wrap(name)])) as unknown as Pick<Port, Name>;
}

const GIT_WRITES: ReadonlySet<string> = new Set(["publish", "start", "moveRef", "propose", "writeOrphan"]);
const CLUSTER_WRITES: ReadonlySet<string> = new Set(["create", "patch", "patchStatus", "remove", "writeConfigMap"]);

function describeGit(method: string, [first]: readonly unknown[]): PortCall {
  if (method === "read") return { port: "git", method, subject: first as string, isWrite: false };
  const subject = method === "publish" || method === "start" ? "main" : text(first, "ref");
  return { port: "git", method, subject, isWrite: GIT_WRITES.has(method) };
}

function describeKubernetes(method: string, args: readonly unknown[]): PortCall {
  const subject =
    typeof args[0] === "string" ? args[0] : method.endsWith("ConfigMap") ? "ConfigMap" : text(args[0], "kind");
  const isDryRun = args.some(
    (arg) => typeof arg === "object" && arg !== null && "dryRun" in arg && arg.dryRun === true,
  );
  return {
    port: "kubernetes",
    method: isDryRun ? `${method} (dry run)` : method,
    subject,
    isWrite: CLUSTER_WRITES.has(method) && !isDryRun,
  };
}

function text(value: unknown, field: string): string {
  const found = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : "";
  return typeof found === "string" ? found : "";
}
