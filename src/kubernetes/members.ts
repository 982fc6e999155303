import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { problem } from "../core/catalogue.ts";
import { isObject } from "../core/json.ts";
import type { ClusterName, LiveObject, Problem } from "../core/model.ts";
import { REQUESTED_REVISION_ANNOTATION } from "../core/model.ts";
import { specPatch } from "../core/patch.ts";
import { asFederationError, FederationError, hasCode } from "../errors.ts";
import type { Cluster, Members } from "../ports.ts";
import { type Api, createApi } from "./api.ts";
import type { Connection } from "./kubeconfig.ts";
import { createObjects, liveObject } from "./objects.ts";
import { createTransport, type RequestObservation } from "./transport.ts";
import { untrustedConnections } from "./untrusted.ts";

export interface MembersSettings {
  /** `--members-kubeconfig`: wins over everything else. */
  readonly file: string | null;
  /** The text of `GSLB_CONFIG`, as AMKO has it in its environment; wins over the Secret. */
  readonly inline: string | null;
  /** Where the Secret is. */
  readonly cluster: Pick<Cluster, "readMembersKubeconfig">;
  readonly nowMs: () => number;
  /** Where a proxy is looked up; the process's own where it is not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
  readonly onRequest?: (observation: RequestObservation) => void;
}

/** A member that takes longer is as good as not there: nobody waits for it. */
const MEMBER_TIMEOUT_MS = 3_000;

/** One context, and what is kept between two requests to it. */
interface Member {
  readonly connection: Connection;
  readonly api: Api;
  /** The name of its AMKOCluster as last seen; null before, or where there is not exactly one. */
  name: string | null;
}

interface Source {
  readonly text: string;
  readonly members: ReadonlyMap<string, Member | FederationError>;
}

/** Opens the other clusters of the federation. Reads and sends nothing yet. */
export function openMembers(settings: MembersSettings): Members {
  let source: Source | null = null;

  /** Connections stay open over a change of the kubeconfig that does not concern them. */
  async function load(signal: AbortSignal): Promise<Source | null> {
    const text = await readSource(settings, signal);
    if (text === null || text.trim() === "") source = null;
    else if (text !== source?.text) source = { text, members: openAll(settings, text, source?.members ?? new Map()) };
    return source;
  }

  async function memberOf(cluster: ClusterName, signal: AbortSignal): Promise<Member> {
    const member = (source ?? (await load(signal)))?.members.get(cluster);
    if (member === undefined) throw new FederationError("AG4007", `The members' kubeconfig has no context ${cluster}.`);
    if (member instanceof FederationError) throw member;
    return member;
  }

  return {
    contexts: async (signal) => {
      const loaded = await load(signal);
      return loaded && new Map([...loaded.members].map(([name, member]) => [name, refusalOf(member)]));
    },
    readAmkoClusters: async (cluster, signal) => listAmkoClusters(await memberOf(cluster, signal), signal),
    standDown: async (cluster, signal) => {
      const member = await memberOf(cluster, signal);
      for (const object of await listAmkoClusters(member, signal)) await standDown(member, cluster, object, signal);
    },
    requestRevision: async (cluster, revision, signal) =>
      requestRevision(await memberOf(cluster, signal), revision, signal),
  };
}

async function readSource({ file, inline, cluster }: MembersSettings, signal: AbortSignal): Promise<string | null> {
  if (file === null) return inline ?? cluster.readMembersKubeconfig(signal);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? error.code : "unknown reason";
    throw new FederationError("AG4007", `The members' kubeconfig ${file} cannot be read (${reason}).`);
  }
}

function openAll(
  settings: MembersSettings,
  text: string,
  before: Source["members"],
): ReadonlyMap<string, Member | FederationError> {
  const opened = new Map<string, Member | FederationError>();
  for (const [name, connection] of untrustedConnections(text)) {
    const known = before.get(name);
    const kept = known !== undefined && "connection" in known && isDeepStrictEqual(known.connection, connection);
    const member = connection instanceof FederationError ? connection : openMember(settings, connection);
    opened.set(name, kept ? known : member);
  }
  return opened;
}

/** One that cannot be reached, since its proxy is none, keeps nobody from the others. */
function openMember(
  { nowMs, env, timeoutMs, onRequest }: MembersSettings,
  connection: Connection,
): Member | FederationError {
  try {
    const transport = createTransport({
      connection,
      timeoutMs: timeoutMs ?? MEMBER_TIMEOUT_MS,
      nowMs,
      onRequest: onRequest ?? (() => undefined),
      env: env ?? process.env,
    });
    return { connection, api: createApi(connection.server, transport), name: null };
  } catch (error) {
    const { message, remedy } = asFederationError(error);
    return new FederationError("AG4007", message, { cause: error, remedy });
  }
}

function refusalOf(member: Member | FederationError): Problem | null {
  return member instanceof FederationError ? problem(member.code, member.message) : null;
}

async function listAmkoClusters(member: Member, signal: AbortSignal): Promise<readonly LiveObject[]> {
  const objects = await createObjects(member.api).list("AMKOCluster", signal);
  member.name = objects.length === 1 ? (objects[0]?.metadata.name ?? null) : null;
  return objects;
}

async function standDown(
  { api }: Member,
  cluster: ClusterName,
  object: LiveObject,
  signal: AbortSignal,
): Promise<void> {
  if (!isObject(object.spec) || object.spec["isLeader"] !== true) return;
  // A context that leads to another cluster than it says must not stop the wrong AMKO.
  if (object.spec["clusterContext"] !== cluster) return;
  const { name, resourceVersion } = object.metadata;
  const target = { kind: "AMKOCluster", name, resourceVersion } as const;
  await createObjects(api).patch(target, specPatch(object, { isLeader: false }), { dryRun: false }, signal);
}

/** Where the name is known it is one request; where that name is gone the cluster is asked for the new one, once. */
async function requestRevision(member: Member, revision: string, signal: AbortSignal): Promise<LiveObject | null> {
  if (member.name !== null) {
    try {
      return await annotate(member.api, member.name, revision, signal);
    } catch (error) {
      if (!hasCode(error, "AG3010")) throw error;
    }
  }
  await listAmkoClusters(member, signal);
  return member.name === null ? null : annotate(member.api, member.name, revision, signal);
}

async function annotate(api: Api, name: string, revision: string, signal: AbortSignal): Promise<LiveObject> {
  const subject = { verb: "patch", kind: "AMKOCluster", name } as const;
  const context = api.requests.annotate("AMKOCluster", name, { [REQUESTED_REVISION_ANNOTATION]: revision });
  return liveObject(await api.send(context, subject, signal), "AMKOCluster", subject);
}
