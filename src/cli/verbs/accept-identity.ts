import { type Identity, identityMismatch, identityOrphan, readIdentity } from "../../core/identity.ts";
import { NAMESPACE, REQUESTED_REVISION_ANNOTATION } from "../../core/model.ts";
import { parseClusterName } from "../../core/names.ts";
import { FederationError } from "../../errors.ts";
import { annotateAmkoCluster, contextNameOf, readAmkoCluster } from "../amko-cluster.ts";
import { readAuthor } from "../commit-options.ts";
import { wrongFlag } from "../given.ts";
import { OUTPUT_OPTION, printResult } from "../output.ts";
import { askYes } from "../questions.ts";
import { renderParagraphs } from "../render/paragraphs.ts";
import { plainText } from "../render/problem.ts";
import { paint, type Stream } from "../shell.ts";
import { REPOSITORY_OPTIONS, withSource } from "../source.ts";
import { CLUSTER_OPTIONS, openThisCluster } from "../this-cluster.ts";
import { EXIT, option, type Verb } from "../verb.ts";

/** What `accept-identity -o json` prints. */
export interface IdentityReport {
  readonly cluster: string;
  /** `unchanged`: the repository knows this very cluster, or nobody yet by its name. */
  readonly outcome: "accepted" | "unchanged" | "declined" | "dry-run";
  /** Whom the repository knew; null for nobody. */
  readonly before: Identity | null;
  readonly here: Identity;
}

/** A person's word that this cluster is the one which its name stands for. */
export const acceptIdentity: Verb = {
  explanation:
    "Use it after a cluster was rebuilt, or when the federation moves to another branch or path. Give --branch and --path as this cluster's agent has them.",
  arguments: [],
  options: [
    option("cluster", "name", null, "its name (default: clusterContext of the AMKOCluster)", { fromEnvironment: true }),
    option("yes", null, null, "do not ask"),
    option("dry-run", null, null, "show what would be accepted, and stop"),
    option("author", "name <email>", null, "author of the commit (default: as git is configured here)"),
    ...CLUSTER_OPTIONS,
    ...REPOSITORY_OPTIONS,
    OUTPUT_OPTION,
  ],
  examples: ["accept-identity --context cluster2 --dry-run", "accept-identity --context cluster2 --yes"],
  async run(given, shell, house) {
    const json = given.oneOf("output", ["text", "json"]) === "json";
    const cluster = await openThisCluster(given, house);
    const self =
      given.cluster("cluster") ?? parseClusterName(contextNameOf(await readAmkoCluster(cluster, shell.signal)));
    if (self === null)
      throw wrongFlag("cluster", null, "missing, and the AMKOCluster names no clusterContext", "Give --cluster.");
    const namespace = await cluster.readNamespace(shell.signal);
    if (namespace === null || namespace.terminating)
      throw new FederationError("AG3015", `namespace ${NAMESPACE} is missing or being deleted`);
    const { branch, path } = given.place();
    const here: Identity = { namespaceUid: namespace.uid, branch, path };
    const orphan = identityOrphan(self, here);
    return await withSource(given, shell, house, async (repository) => {
      const { refs } = await repository.list("all", shell.signal);
      const expected = refs?.get(orphan.ref) ?? null;
      const before = expected === null ? null : readIdentity(await repository.readFiles(expected, shell.signal));
      const tell = (outcome: IdentityReport["outcome"], text: string): void => {
        const report: IdentityReport = { cluster: self, outcome, before, here };
        printResult(given, shell, report, () => renderParagraphs([text], shell.stdout));
      };
      const name = plainText(self);
      if (before === null || identityMismatch(before, here, self) === null) {
        const known = `The repository knows this very cluster as ${name}: nothing to accept.`;
        const free = `Nobody has the name ${name} yet: its agent takes it by itself, unless the others under this prefix follow another branch or path (AG5009).`;
        tell("unchanged", before === null ? free : known);
        return EXIT.ok;
      }
      const stream = json ? shell.stderr : shell.stdout;
      stream.write(renderIdentities(name, before, here, stream));
      if (given.isSet("dry-run")) {
        tell("dry-run", "Dry run: nothing was pushed.");
        return EXIT.ok;
      }
      if (!(await askYes(given, shell, `Is this cluster ${name}?`, null))) {
        tell("declined", "Nothing was pushed.");
        return EXIT.failed;
      }
      const author = await readAuthor(given, shell, house);
      await repository.writeOrphan({ ...orphan, expected, author }, shell.signal);
      const request = { [REQUESTED_REVISION_ANNOTATION]: new Date(shell.nowMs()).toISOString() };
      // What matters is done. An agent that cannot be told sees it at its next poll.
      await annotateAmkoCluster(cluster, () => request, shell.signal).catch(() => undefined);
      tell("accepted", `Accepted: the name ${name} stands for this cluster now. Its agent goes on by itself.`);
      return EXIT.ok;
    });
  },
};

function renderIdentities(name: string, before: Identity, here: Identity, stream: Stream): string {
  const rows = [
    [`UID of ${NAMESPACE}`, before.namespaceUid, here.namespaceUid],
    ["branch", before.branch, here.branch],
    ["path", before.path || "(root)", here.path || "(root)"],
  ] as const;
  const differing = rows
    .filter(([, known, own]) => known !== own)
    .map(
      ([what, known, own]) => `  ${what}\n    known: ${plainText(known)}\n    here:  ${paint(stream, "yellow", own)}\n`,
    );
  const warnings = [
    `If this cluster was rebuilt, or is to follow this branch and path, it is right to accept it.`,
    `If it only carries a wrong clusterContext, correct that instead: the agent of the cluster that is ${name} today would stop to write anything.`,
  ];
  const title = paint(stream, "bold", `The repository knows another cluster as ${name}:`);
  return `${title}\n${differing.join("")}\n${renderParagraphs(warnings, stream)}\n`;
}
