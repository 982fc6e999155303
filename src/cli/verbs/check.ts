import {
  amkoFields,
  checkAmkoCluster,
  checkClock,
  checkDefinition,
  checkFederator,
  checkMemberCredentials,
  checkNamespace,
  checkRights,
} from "../../core/check-cluster.ts";
import { type CheckItem, failed, passed, skipped } from "../../core/check-item.ts";
import { checkRepository } from "../../core/check-repository.ts";
import { KINDS, type LiveObject } from "../../core/model.ts";
import { parseClusterName } from "../../core/names.ts";
import { RIGHTS } from "../../core/rights.ts";
import { asFederationError, hasCode } from "../../errors.ts";
import type { Given } from "../given.ts";
import { readHead } from "../head.ts";
import type { House, OpenRepository } from "../house.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { renderCheck } from "../render/check.ts";
import type { Shell } from "../shell.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { CLUSTER_OPTIONS, connectionOf, openThisCluster } from "../this-cluster.ts";
import { EXIT, type ExitCode, option, UNREACHABLE, type Verb } from "../verb.ts";

/** What `check -o json` prints. */
export interface CheckReport {
  /** Whether nothing failed. */
  readonly ok: boolean;
  readonly items: readonly CheckItem[];
}

const AMKO_KINDS = ["AMKOCluster", "GSLBConfig", "GlobalDeploymentPolicy"] as const;

/** The preflight of one cluster. It changes nothing. */
export const check: Verb = {
  explanation:
    "Changes nothing. Permissions are those of whoever asks: run it in the agent's pod to see the agent's. Exits with 1 when something failed, and with 3 when the API server or git could not be reached.",
  arguments: [],
  options: [
    option("cluster-only", null, null, "leave git out"),
    option("member-credentials", "mode", "auto", "whether the agent uses the members' kubeconfig: auto or ignore", {
      fromEnvironment: true,
    }),
    option("members-kubeconfig", "file", null, "the members' kubeconfig (default: what AMKO has)", {
      fromEnvironment: true,
    }),
    ...CLUSTER_OPTIONS,
    ...REPOSITORY_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: ["check --context cluster1", "check --context cluster2 --cluster-only -o json"],
  async run(given, shell, house) {
    const cluster = await inspectCluster(given, shell, house);
    const items = [...cluster.items, ...(await inspectRepository(given, shell, house, cluster.amkoCluster))];
    const report: CheckReport = { ok: items.every(({ result }) => result !== "failed"), items };
    printResult(given, shell, report, () => renderCheck(items, shell.stdout));
    return exitCodeOf(items);
  },
};

function exitCodeOf(items: readonly CheckItem[]): ExitCode {
  const wrong = items.filter(({ result }) => result === "failed");
  if (wrong.some(({ code }) => code !== null && UNREACHABLE.has(code))) return EXIT.unreachable;
  return wrong.length > 0 ? EXIT.failed : EXIT.ok;
}

interface Inspected {
  readonly items: readonly CheckItem[];
  /** Null where there is not exactly one, or it could not be read. */
  readonly amkoCluster: LiveObject | null;
}

async function inspectCluster(given: Given, { signal, nowMs }: Shell, house: House): Promise<Inspected> {
  const usesMembers = given.oneOf("member-credentials", ["auto", "ignore"]) === "auto";
  const [cluster, inspector] = await Promise.all([
    openThisCluster(given, house),
    house.openInspector(connectionOf(given), given.text("members-kubeconfig")),
  ]);
  const server = await inspector.readServer(signal).catch(asFederationError);
  if (server instanceof Error) {
    const rest = skipped("cluster", "nothing else was looked at: the API server does not answer");
    return { items: [failed("api-server", server.code, server.message, server.remedy), rest], amkoCluster: null };
  }
  const schemas = await house.readSchemas();
  const amkoClusters = await cluster.list("AMKOCluster", signal).catch(asFederationError);
  const amkoCluster = amkoClusters instanceof Error || amkoClusters.length !== 1 ? null : (amkoClusters[0] ?? null);
  const fields = amkoCluster === null ? null : amkoFields(amkoCluster);
  const tried = [
    ...AMKO_KINDS.map((kind) =>
      attempt(`crd-${KINDS[kind].plural}`, async () =>
        checkDefinition(kind, schemas[kind].schema, await inspector.readSchema(kind, signal)),
      ),
    ),
    attempt("namespace", async () => checkNamespace(await cluster.readNamespace(signal))),
    attempt("amkocluster", async () => {
      if (amkoClusters instanceof Error) throw amkoClusters;
      return checkAmkoCluster(amkoClusters);
    }),
    attempt("permissions", async () => {
      const answers = await Promise.all(RIGHTS.map((right) => inspector.may(right, signal)));
      return checkRights(
        RIGHTS.filter((_, index) => answers[index] !== true),
        RIGHTS.length,
      );
    }),
    attempt("federator", async () => checkFederator(await cluster.readWorkload(signal), fields?.isLeader ?? false)),
    attempt("member-credentials", async () => {
      const name = "member-credentials";
      if (!usesMembers) return skipped(name, "the agent is told to use none");
      if (fields === null) return skipped(name, "the AMKOCluster does not say whom it needs them for");
      const contexts = await inspector.memberContexts(signal).catch(unlessForbidden);
      if (contexts === "forbidden") return skipped(name, "whoever asks may not read Secret gslb-config-secret");
      return checkMemberCredentials(contexts, fields);
    }),
  ];
  const first = [passed("api-server", `Kubernetes ${server.version}`), checkClock(server.clockMs, nowMs())];
  return { items: [...first, ...(await Promise.all(tried))], amkoCluster };
}

/** The right to that Secret is optional, and missing ones are what the permissions tell. */
function unlessForbidden(error: unknown): "forbidden" {
  if (hasCode(error, "AG3003")) return "forbidden";
  throw error;
}

async function inspectRepository(
  given: Given,
  shell: Shell,
  house: House,
  amkoCluster: LiveObject | null,
): Promise<readonly CheckItem[]> {
  if (given.isSet("cluster-only")) return [skipped("repository", "left out, as --cluster-only says")];
  const fields = amkoCluster === null ? null : amkoFields(amkoCluster);
  try {
    const look = async (repository: OpenRepository): Promise<readonly CheckItem[]> => {
      const { view, refs, name } = await readHead(given, repository, await house.readSchemas(), shell.signal);
      const self = fields === null ? null : parseClusterName(fields.cluster);
      const found = checkRepository({ view, refs, self, version: fields === null ? null : fields.version });
      return [passed("repository", `${repository.url}, ${name}`), ...found];
    };
    return await withSource(given, shell, house, look, { asAgent: true });
  } catch (error) {
    if (hasCode(error, "AG4008") && given.text("repo") === ".") {
      return [skipped("repository", "left out: no --repo was given, and there is no clone here")];
    }
    const { code, message, remedy } = asFederationError(error);
    return [failed("repository", code, message, remedy)];
  }
}

/** What cannot be looked at has failed, with the cause; the rest is looked at all the same. */
async function attempt(name: string, look: () => Promise<CheckItem>): Promise<CheckItem> {
  try {
    return await look();
  } catch (error) {
    const { code, message, remedy } = asFederationError(error);
    return failed(name, code, message, remedy);
  }
}
