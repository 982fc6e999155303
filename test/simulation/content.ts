import {
  type CommitId,
  type Content,
  FEDERATED_KINDS,
  type FederatedKind,
  type FederationView,
  type JsonObject,
  type LiveObject,
  type Revision,
  type Snapshot,
  UUID_ANNOTATION,
} from "../../src/core/model.ts";
import { contentOf, normalizeContent } from "../../src/core/snapshot.ts";
import { createViewCache, evaluate } from "../../src/core/view.ts";
import { globalDeploymentPolicy, gslbConfig, schemas } from "../support/builders.ts";

/**
 * What people write in a simulation: some fields of both kinds, and in each of them a value that nobody ever wrote
 * before. Such a value is a token: wherever it stands, what that person wrote stands.
 */
export interface Field {
  readonly kind: FederatedKind;
  readonly name: string;
  read(spec: JsonObject): string | undefined;
  /** Undefined takes the field away. */
  write(spec: JsonObject, value: string | undefined): JsonObject;
}

export const FIELDS: readonly Field[] = [
  plain("GlobalDeploymentPolicy", "pkiProfileRef"),
  plain("GlobalDeploymentPolicy", "defaultDomain"),
  entry("GlobalDeploymentPolicy", "matchClusters", "cluster"),
  plain("GSLBConfig", "gslbLeader", "controllerIP"),
  plain("GSLBConfig", "gslbLeader", "tenant"),
  entry("GSLBConfig", "memberClusters", "clusterContext"),
];

/** What the first revision holds, and what somebody creates anew. */
export const SEEDS: Readonly<Record<FederatedKind, Snapshot>> = {
  GSLBConfig: gslbConfig(),
  GlobalDeploymentPolicy: globalDeploymentPolicy(),
};

export function token(count: number): string {
  return `t${count}x`;
}

export function tokensOf(content: Content | null): ReadonlySet<string> {
  return new Set(content === null ? [] : tokensIn(JSON.stringify(content)));
}

export function tokensIn(text: string): readonly string[] {
  return text.match(/\bt\d+x\b/g) ?? [];
}

/** Equal digests mean equal content, the UUID left aside: it is sticky and has rules of its own. */
export function digestOf(kind: FederatedKind, content: Content): string {
  const { annotations, spec } = normalizeContent(content, kind, schemas());
  const { [UUID_ANNOTATION]: _uuid, ...rest } = annotations;
  return JSON.stringify(sorted({ annotations: rest, spec }));
}

/** A live object's content, read once. */
export function pictureOf(object: LiveObject): Picture {
  let found = pictures.get(object);
  if (found === undefined) {
    const content = contentOf(object);
    const kind = object.kind as FederatedKind;
    found = { content, digest: digestOf(kind, content), tokens: tokensOf(content) };
    pictures.set(object, found);
  }
  return found;
}

export interface Picture {
  readonly content: Content;
  readonly digest: string;
  readonly tokens: ReadonlySet<string>;
}

/** What a revision says of one kind. */
export type Said = { readonly kind: "present" | "deleted"; readonly name: string } & Picture;

/** What a revision says, parsed once. */
export interface Sight {
  readonly commit: CommitId;
  readonly parents: readonly CommitId[];
  readonly view: FederationView;
  /** Null where the file is missing or unusable. */
  readonly kinds: Readonly<Record<FederatedKind, Said | null>>;
}

export function sightOf(revision: Revision): Sight {
  const key = revision.files.map(({ path, id }) => `${path} ${id}`).join("\n");
  let found = sights.get(key);
  if (found === undefined) {
    const view = evaluate(revision.files, schemas(), VIEW_CACHE);
    const said = (kind: FederatedKind): Said | null => {
      const state = view.kinds[kind];
      if (state.kind !== "present" && state.kind !== "deleted") return null;
      const { snapshot } = state;
      return {
        kind: state.kind,
        name: snapshot.name,
        content: snapshot,
        digest: digestOf(kind, snapshot),
        tokens: tokensOf({ annotations: snapshot.annotations, spec: snapshot.spec }),
      };
    };
    const [first, second] = FEDERATED_KINDS;
    found = { view, kinds: { [first]: said(first), [second]: said(second) } as Sight["kinds"] };
    if (sights.size > SIGHTS_MAX) sights.clear();
    sights.set(key, found);
  }
  return { ...found, commit: revision.commit, parents: revision.parents };
}

const SIGHTS_MAX = 5000;
const sights = new Map<string, Pick<Sight, "view" | "kinds">>();
const pictures = new WeakMap<LiveObject, Picture>();
/** Shared by every agent of every world: it changes how long things take and nothing else. */
export const VIEW_CACHE = createViewCache();

function plain(kind: FederatedKind, ...path: readonly [string, ...string[]]): Field {
  return {
    kind,
    name: path.join("."),
    read: (spec) => {
      const value = path.reduce<unknown>((at, key) => (at as JsonObject | undefined)?.[key], spec);
      return typeof value === "string" ? value : undefined;
    },
    write: (spec, value) => assign(spec, path, value),
  };
}

function assign(spec: JsonObject, [key, ...rest]: readonly string[], value: string | undefined): JsonObject {
  if (key === undefined) return spec;
  const { [key]: before, ...others } = spec;
  const after = rest.length === 0 ? value : assign((before ?? {}) as JsonObject, rest, value);
  return after === undefined ? others : { ...others, [key]: after };
}

/** The entry of a keyed list that is not one of the first revision's: there is one at most. */
function entry(kind: FederatedKind, list: string, key: string): Field {
  const entries = (spec: JsonObject): readonly JsonObject[] => (spec[list] ?? []) as unknown as readonly JsonObject[];
  const isToken = (one: JsonObject): boolean => /^t\d+x$/.test(String(one[key]));
  return {
    kind,
    name: `${list}[]`,
    read: (spec) => entries(spec).find(isToken)?.[key] as string | undefined,
    write: (spec, value) => {
      const kept = entries(spec).filter((one) => !isToken(one));
      return { ...spec, [list]: value === undefined ? kept : [...kept, { [key]: value }] };
    },
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
