import { type ClusterName, HANDOVER_WITHOUT_ANNOTATION, type Manifest } from "../../src/core/model.ts";
import { manifest } from "../support/builders.ts";
import { filesOf } from "../support/fakes/world.ts";
import type { Change, ManifestDamage, MergeWay } from "./acts.ts";
import { commit, editedFile } from "./acts-in-git.ts";
import { clusterOf, lookAt } from "./ledger.ts";
import { headOf, type Scene } from "./scene.ts";

export async function flip(scene: Scene, to: string, way: MergeWay, change: Change | null): Promise<string> {
  const edited = change === null ? null : await editedFile(scene, change);
  const manifests = await manifestsWith(scene, ({ cluster }) => ({ isLeader: cluster === to }));
  commit(scene, { ...manifests, ...edited?.[0] }, way, `Flip to ${to}`);
  return `git: a flip to ${to} (${way})${edited === null ? "" : `, which also ${edited[1]}`}`;
}

export async function flipWithout(scene: Scene, to: string): Promise<string | null> {
  const others = scene.names.filter((name) => name !== to);
  const manifests = await manifestsWith(scene, ({ cluster }) => ({ isLeader: cluster === to }));
  const path = `clusters/${to}/amkocluster.yaml`;
  if (manifests[path] === undefined) return null;
  const text = new TextDecoder().decode(manifests[path]);
  const document = JSON.parse(text) as { metadata: object };
  const annotations = { [HANDOVER_WITHOUT_ANNOTATION]: others.join(",") };
  const told = JSON.stringify({ ...document, metadata: { ...document.metadata, annotations } }, null, 2);
  commit(scene, { ...manifests, [path]: told }, "push", `Fail over to ${to}`);
  for (const name of others) clusterOf(scene.ledger, name).leadsByOtherHand = true;
  return `git: a failover to ${to} that waits for nobody`;
}

export async function editManifests(
  scene: Scene,
  told: string,
  change: (manifest: Manifest) => Readonly<Record<string, unknown>>,
): Promise<string> {
  commit(scene, await manifestsWith(scene, change), "push", told);
  return `git: ${told}`;
}

/** Every manifest, with some fields replaced. */
export async function manifestsWith(
  scene: Scene,
  change: (manifest: Manifest) => Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const { view } = await lookAt(scene.ledger, headOf(scene));
  return filesOf(
    [...view.manifests.values()].map((one) => {
      const { isLeader, version, clusters } = one;
      return manifest(one.cluster, { isLeader, version, clusters, ...change(one) });
    }),
  );
}

export async function exclude(scene: Scene, at: string, how: "version" | "list"): Promise<string> {
  const change = ({ cluster, clusters }: Manifest) => {
    if (how === "version") return cluster === at ? { version: "1.5.0" } : {};
    return { clusters: clusters.filter((name) => name !== at || cluster === at) };
  };
  return editManifests(scene, `${at} is excluded by its ${how}`, change);
}

export async function damageManifest(scene: Scene, at: string, how: ManifestDamage): Promise<string | null> {
  const { view } = await lookAt(scene.ledger, headOf(scene));
  const found = view.manifests.get(at as ClusterName);
  if (found === undefined) return null;
  const { isLeader, version, clusters, path } = found;
  const built = (fields: Readonly<Record<string, unknown>>) =>
    filesOf([manifest(at, { isLeader, version, clusters, ...fields })])[path] ?? null;
  const files: Readonly<Record<ManifestDamage, string | Uint8Array | null>> = {
    unreadable: "kind: AMKOCluster\n  spec: {",
    invalid: built({ version: "" }),
    missing: null,
    "of another cluster": built({ clusterContext: "elsewhere" }),
  };
  commit(scene, { [path]: files[how] }, "push", `Damage the manifest of ${at}`);
  return `git: the manifest of ${at} is ${how} now`;
}
