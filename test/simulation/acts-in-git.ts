import { type CommitId, type FederatedKind, type Snapshot, UUID_ANNOTATION } from "../../src/core/model.ts";
import { snapshotPath } from "../../src/core/snapshot.ts";
import { blob } from "../support/fakes/repository.ts";
import { fileOf } from "../support/fakes/world.ts";
import type { Change, MergeWay } from "./acts.ts";
import { SEEDS } from "./content.ts";
import { clusterOf, lookAt, newestUsable } from "./ledger.ts";
import { fieldOf, headOf, type Scene, valueFor } from "./scene.ts";

export async function gitEdit(scene: Scene, change: Change): Promise<string | null> {
  const [files, told] = (await editedFile(scene, change)) ?? [null, ""];
  if (files === null) return null;
  commit(scene, files, "push", told);
  return `git: a person ${told}`;
}

/** The snapshot with one field changed; brings a deleted one back to life. */
export async function editedFile(scene: Scene, change: Change): Promise<readonly [Files, string] | null> {
  const field = fieldOf(change);
  const said = await newestUsable(scene.ledger, field.kind, headOf(scene));
  const before = said === null ? SEEDS[field.kind] : snapshotOf(field.kind, said);
  const value = await valueFor(scene, change, field.read(before.spec));
  const spec = field.write(before.spec, value);
  const others = Object.fromEntries(filesOfKind(scene, field.kind).map((path) => [path, null]));
  return [
    { ...others, ...fileOf({ ...before, spec, deleted: null }) },
    `sets ${field.name} to ${value ?? "(nothing)"}`,
  ];
}

function snapshotOf(
  kind: FederatedKind,
  {
    name,
    content,
  }: {
    readonly name: string;
    readonly content: { readonly annotations: Readonly<Record<string, string>>; readonly spec: Snapshot["spec"] };
  },
): Snapshot {
  return { kind, name, annotations: content.annotations, spec: content.spec, deleted: null };
}

export async function gitHandle(
  scene: Scene,
  what: "git tombstone" | "git remove" | "git rename" | "git break",
  kind: FederatedKind,
): Promise<string | null> {
  const said = await newestUsable(scene.ledger, kind, headOf(scene));
  const paths = filesOfKind(scene, kind);
  const [path] = paths;
  if (said === null || path === undefined) return null;
  const snapshot = snapshotOf(kind, said);
  const none = Object.fromEntries(paths.map((one) => [one, null]));
  const renamed = { ...snapshot, name: snapshot.name === "renamed" ? SEEDS[kind].name : "renamed" };
  const files: Record<typeof what, Files> = {
    "git tombstone": { ...none, ...fileOf({ ...snapshot, deleted: "not needed" }) },
    "git remove": none,
    "git rename": { ...none, ...fileOf(renamed) },
    "git break": { [path]: "kind: Something\n" },
  };
  commit(scene, files[what], "push", what);
  return `git: a person does "${what.slice(4)}" to the ${kind}`;
}

export async function gitLoseUuid(scene: Scene): Promise<string | null> {
  const said = (await lookAt(scene.ledger, headOf(scene))).kinds.GSLBConfig;
  if (said?.kind !== "present" || said.content.annotations[UUID_ANNOTATION] === undefined) return null;
  const { [UUID_ANNOTATION]: _, ...annotations } = said.content.annotations;
  const snapshot = snapshotOf("GSLBConfig", said);
  commit(scene, fileOf({ ...snapshot, annotations }), "push", "Replace it");
  return "git: a person replaces the GSLBConfig by one without AMKO's UUID";
}

export async function gitRollBack(scene: Scene, kind: FederatedKind, by: number): Promise<string | null> {
  let left = by;
  for await (const { commit: then } of scene.ledger.reader.history({ from: headOf(scene), until: null }, 50, never)) {
    if (left-- > 0) continue;
    const said = (await lookAt(scene.ledger, then)).kinds[kind];
    if (said === null) continue;
    const none = Object.fromEntries(filesOfKind(scene, kind).map((path) => [path, null]));
    const snapshot = { ...snapshotOf(kind, said), deleted: said.kind === "deleted" ? "rolled back" : null };
    commit(scene, { ...none, ...fileOf(snapshot) }, "push", "Roll back");
    return `git: a person rolls the ${kind} back to ${then.slice(0, 8)}`;
  }
  return null;
}

function filesOfKind({ ledger }: Scene, kind: FederatedKind): readonly string[] {
  const folder = snapshotPath(kind, "x").slice(0, -"x.yaml".length);
  const head = ledger.remote.branch("main") as CommitId;
  return [...ledger.remote.stored(head).tree.keys()].filter((path) => path.startsWith(folder));
}

/** A change of the tracked branch: pushed or squashed on top of it, or merged from a branch beside it. */
export function commit(
  { ledger }: Scene,
  files: Files,
  way: MergeWay,
  message: string,
  side: CommitId | null = null,
): void {
  const { remote } = ledger;
  if (way !== "merge") {
    remote.push("main", files, message);
    return;
  }
  const head = remote.branch("main") as CommitId;
  const parent = remote.stored(head).parents[0] ?? head;
  const onto = (from: CommitId, parents: readonly CommitId[], text: string): CommitId => {
    const tree = new Map(remote.stored(from).tree);
    for (const [path, content] of Object.entries(files)) {
      if (content === null) tree.delete(path);
      else tree.set(path, blob(typeof content === "string" ? new TextEncoder().encode(content) : content));
    }
    return remote.commit(tree, { parents, message: `${text}\n`, atSeconds: 1_700_000_000 + ledger.order });
  };
  const other = side ?? onto(parent, [parent], message);
  remote.setBranch("main", onto(head, [head, other], `Merge: ${message.split("\n", 1)[0]}`));
}

export async function mergeProposal(
  scene: Scene,
  at: string,
  way: MergeWay,
  topic: "config" | "any",
): Promise<string | null> {
  const { remote } = scene.ledger;
  const prefix = `amko/propose/${at}/${topic === "any" ? "" : topic}`;
  const [name, proposed] = [...remote.branches()].find(([ref]) => ref.startsWith(prefix)) ?? [];
  if (name === undefined || proposed === undefined) return null;
  const { parents, tree, message } = remote.stored(proposed);
  const before = parents[0] === undefined ? new Map() : remote.stored(parents[0]).tree;
  const paths = [...new Set([...tree.keys(), ...before.keys()])].filter(
    (path) => tree.get(path)?.id !== before.get(path)?.id,
  );
  const files = Object.fromEntries(paths.map((path) => [path, tree.get(path)?.bytes ?? null]));
  commit(scene, files, way, message.trimEnd(), proposed);
  remote.setBranch(name, null);
  return `git: people merge ${name} (${way})`;
}

/** Somebody forces the branch back, or to a commit that stands where others stood. */
export function rewrite({ ledger, nextToken }: Scene, by: number, anew: boolean): string {
  const { remote } = ledger;
  let target = remote.branch("main") as CommitId;
  for (let left = by; left > 0; left -= 1) target = remote.stored(target).parents[0] ?? target;
  remote.setBranch("main", target);
  if (anew) remote.push("main", { "README.md": `Written anew, ${nextToken()}\n` }, "Write it anew");
  // A pass that is under way has seen it stand in git, and takes no second copy of it.
  const isSeen = [...ledger.clusters.values()].some(({ passesUnderWay }) => passesUnderWay > 0);
  if (isSeen) for (const one of ledger.mainTokens) ledger.owed.delete(one);
  // What only the commits held that are gone now stands in git no more.
  ledger.mainTokens.clear();
  ledger.absorbed.clear();
  return `git: a person forces the branch back by ${by}${anew ? " and goes on from there" : ""}`;
}

export function closeProposal({ ledger: { remote } }: Scene, at: string): string | null {
  const name = [...remote.branches().keys()].find((ref) => ref.startsWith(`amko/propose/${at}/`));
  if (name === undefined) return null;
  remote.setBranch(name, null);
  return `git: people close ${name}`;
}

export function deleteRef({ ledger }: Scene, at: string, purpose: string): string | null {
  const name = `amko/${purpose}/${at}`;
  if (ledger.remote.branch(name) === null) return null;
  ledger.remote.setBranch(name, null);
  if (clusterOf(ledger, at).passesUnderWay > 0) clusterOf(ledger, at).rebuiltInPass = true;
  if (purpose === "leading") clusterOf(ledger, at).leadsByOtherHand = true;
  return `git: a person deletes ${name}`;
}

type Files = Readonly<Record<string, string | Uint8Array | null>>;

const never = new AbortController().signal;
