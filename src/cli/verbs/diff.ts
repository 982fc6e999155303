import { formatFieldChange, formatFieldPath } from "../../core/diff.ts";
import { FEDERATED_KINDS, type FederationView, type Json } from "../../core/model.ts";
import { compare, contentDocument, diffViews, type ObjectDiff } from "../../core/revision-diff.ts";
import type { Schemas } from "../../core/schema.ts";
import { contentOf, normalizeContent } from "../../core/snapshot.ts";
import { evaluate } from "../../core/view.ts";
import { FederationError } from "../../errors.ts";
import type { Cluster } from "../../ports.ts";
import type { Given } from "../given.ts";
import { readHead } from "../head.ts";
import type { OpenRepository } from "../house.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { plainText } from "../render/problem.ts";
import { paint, type Shell, type Stream } from "../shell.ts";
import { REPOSITORY_OPTIONS, resolveRevision, withSource } from "../source.ts";
import { CLUSTER_OPTIONS, openThisCluster } from "../this-cluster.ts";
import { EXIT, type Verb } from "../verb.ts";

/** The shape of `diff -o json`: one entry per object that differs; null where a field is not there. */
export interface DiffEntry extends Omit<ObjectDiff, "fields"> {
  readonly fields: readonly { readonly field: string; readonly before: Json; readonly after: Json }[];
}

/** Two revisions by field, or the branch against a live cluster. */
export const diff: Verb = {
  explanation:
    "Without revisions it compares the head with its first parent, with one that revision with the head. With --context it compares the head with that cluster's objects. Exits 0 when nothing differs and 1 when something does.",
  arguments: [
    { name: "from", required: false, description: "the older revision" },
    { name: "to", required: false, description: "the newer revision (default: the head)" },
  ],
  options: [...REPOSITORY_OPTIONS, ...CLUSTER_OPTIONS, OUTPUT_OPTION],
  examples: ["diff main main", "diff --context cluster2"],
  async run(given, shell, house) {
    const schemas = await house.readSchemas();
    const isLive = given.text("context") !== null || given.text("kubeconfig") !== null;
    if (isLive && given.argument(0) !== null) {
      const remedy = "Name revisions, or a cluster with --context, and not both.";
      throw new FederationError("AG4002", "revisions and a cluster cannot be compared at once", { remedy });
    }
    const found = await withSource(given, shell, house, async (repository) => {
      if (!isLive) return await diffRevisions(given, shell, repository, schemas);
      const { view } = await readHead(given, repository, schemas, shell.signal);
      return await diffLive(view, await openThisCluster(given, house), schemas, shell.signal);
    });
    const entries: readonly DiffEntry[] = found.map(({ fields, ...object }) => ({
      ...object,
      fields: fields.map(({ path, before, after }) => ({
        field: formatFieldPath(path),
        before: before ?? null,
        after: after ?? null,
      })),
    }));
    printResult(given, shell, entries, () => render(found, shell.stdout));
    return found.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

async function diffRevisions(
  given: Given,
  { signal }: Shell,
  repository: OpenRepository,
  schemas: Schemas,
): Promise<readonly ObjectDiff[]> {
  const head = await readHead(given, repository, schemas, signal);
  const viewOf = async (name: string): Promise<FederationView> =>
    evaluate((await repository.read(await resolveRevision(repository, name, signal), signal)).files, schemas);
  const [from, to] = [given.argument(0), given.argument(1)];
  const after = to === null ? head.view : await viewOf(to);
  if (from !== null) return diffViews(await viewOf(from), after);
  const [parent] = head.revision.parents;
  const files = parent === undefined ? [] : (await repository.read(parent, signal)).files;
  return diffViews(evaluate(files, schemas), after);
}

/** Git's head before, the cluster's objects after, both as an API server with our schemas would return them. */
async function diffLive(view: FederationView, cluster: Cluster, schemas: Schemas, signal: AbortSignal) {
  const found: ObjectDiff[] = [];
  for (const kind of FEDERATED_KINDS) {
    const state = view.kinds[kind];
    // Nothing is said about a kind that git does not say anything about, and nothing of it would be changed.
    if (state.kind === "absent" || state.kind === "unusable") continue;
    const wanted = state.kind === "present" ? state.snapshot : null;
    const objects = await cluster.list(kind, signal);
    const names = new Set([...(wanted === null ? [] : [wanted.name]), ...objects.map(({ metadata }) => metadata.name)]);
    for (const name of names) {
      const live = objects.find(({ metadata }) => metadata.name === name);
      const before = wanted?.name === name ? contentDocument(normalizeContent(wanted, kind, schemas)) : undefined;
      const after = live && contentDocument(normalizeContent(contentOf(live), kind, schemas));
      found.push(...compare(kind, name, before, after));
    }
  }
  return found;
}

const STYLES = { added: "green", removed: "red", changed: "yellow" } as const;

function render(found: readonly ObjectDiff[], stream: Stream): string {
  if (found.length === 0) return "Nothing differs.\n";
  const parts = found.map(({ kind, name, action, fields }) => {
    const title = `${paint(stream, "bold", plainText(`${kind} ${name}`))} ${paint(stream, STYLES[action], action)}`;
    return `${title}\n${fields.map((change) => `  ${plainText(formatFieldChange(change))}\n`).join("")}`;
  });
  return parts.join("\n");
}
