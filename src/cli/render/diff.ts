import { type FieldChange, formatFieldPath } from "../../core/diff.ts";
import type { FederatedKind, Json, KindState, Leadership } from "../../core/model.ts";
import type { ObjectDiff, ObjectSide } from "../../core/object-diff.ts";
import { type ClusterDiff, isEqual, type ManifestSide, type MemberDiff } from "../../core/revision-diff.ts";
import type { ComparedSide, Comparison } from "../comparison.ts";
import { paint, type Stream } from "../shell.ts";
import { renderFieldChange, visibleText } from "./field-change.ts";
import { renderNotes } from "./notes.ts";
import { renderParagraphs } from "./paragraphs.ts";
import { wrap } from "./table.ts";

/** What `diff -o json` prints. */
export interface DiffOutput {
  /** Nothing differs: exit code 0. */
  readonly equal: boolean;
  readonly from: DiffSideOutput;
  readonly to: DiffSideOutput;
  /** Who leads; null where both sides say the same, and for a cluster. */
  readonly leadership: { readonly before: LeadershipOutput; readonly after: LeadershipOutput } | null;
  /** Who belongs to the federation and whom it leaves out, as far as one cluster leads on both sides. */
  readonly members: readonly MemberDiff[];
  /** Every cluster whose AMKOCluster differs. */
  readonly clusters: readonly {
    readonly cluster: string;
    readonly before: ManifestSide;
    readonly after: ManifestSide;
    readonly fields: readonly FieldOutput[];
  }[];
  /** Every object that differs. `state` is `present`, `deleted` (a tombstone), `absent` or `unusable`. */
  readonly objects: readonly {
    readonly kind: FederatedKind;
    readonly before: ObjectSide;
    readonly after: ObjectSide;
    readonly fields: readonly FieldOutput[];
  }[];
  /** Sentences beside the differences. */
  readonly notes: readonly string[];
}

/** A revision by its 40 hex digits, null for the nothing before the first one; or a cluster by its name. */
export type DiffSideOutput =
  | { readonly kind: "revision"; readonly revision: string | null }
  | { readonly kind: "cluster"; readonly cluster: string };

/** Every cluster that claims to lead, as far as known. */
export interface LeadershipOutput {
  readonly kind: Leadership["kind"];
  readonly clusters: readonly string[];
}

/** `field` as people write it: `spec.trafficSplit[cluster1].weight`. Null stands for no value. */
export interface FieldOutput {
  readonly field: string;
  readonly before: Json;
  readonly after: Json;
}

export function diffOutput({ from, to, diff }: Comparison): DiffOutput {
  const { leadership, members, clusters, objects, notes } = diff;
  const output = (fields: readonly FieldChange[]): readonly FieldOutput[] =>
    fields.map(({ path, before, after }) => ({
      field: formatFieldPath(path),
      before: before ?? null,
      after: after ?? null,
    }));
  return {
    equal: isEqual(diff),
    from: sideOutput(from),
    to: sideOutput(to),
    leadership: leadership && {
      before: leadershipOutput(leadership.before),
      after: leadershipOutput(leadership.after),
    },
    members,
    clusters: clusters.map((one) => ({ ...one, fields: output(one.fields) })),
    objects: objects.map((one) => ({ ...one, fields: output(one.fields) })),
    notes,
  };
}

/** Both sides as `diff -u` names them, who leads and who takes part, then object by object and field by field. */
export function renderDiff({ from, to, diff }: Comparison, stream: Stream): string {
  if (isEqual(diff)) {
    const [one, other] = [visibleText(from.title), visibleText(to.title)];
    // A revision's name is written as it is, also where a sentence begins.
    const sentence =
      to.kind === "cluster"
        ? `Cluster ${visibleText(to.cluster)} holds what ${one} says.`
        : `${one} and ${other} say the same.`;
    return renderParagraphs([sentence, ...diff.notes.map(visibleText)], stream);
  }
  const head = `${paint(stream, "red", `--- ${visibleText(from.title)}`)}\n${paint(stream, "green", `+++ ${visibleText(to.title)}`)}\n`;
  const { leadership, members, clusters, objects, notes } = diff;
  const who = [
    ...(leadership === null ? [] : [`leader: ${whoLeads(leadership.before)} -> ${whoLeads(leadership.after)}`]),
    ...members.map(describeMember),
  ];
  const live = to.kind === "cluster";
  const blocks = [
    renderParagraphs(who.map(visibleText), stream),
    ...clusters.map((one) => renderBlock(clusterTitle(one, live), one.fields, stream)),
    ...objects.map((one) => renderBlock(objectTitle(one, live), one.fields, stream)),
    renderNotes("Note", notes.map(visibleText), stream),
  ];
  return [head, ...blocks.filter((block) => block !== "")].join("\n");
}

interface BlockTitle {
  readonly what: string;
  /** What became of it as a whole; null where only fields differ. */
  readonly became: string | null;
}

function renderBlock({ what, became }: BlockTitle, fields: readonly FieldChange[], stream: Stream): string {
  const name = visibleText(what);
  const [first = "", ...others] = wrap(
    became === null ? name : `${name}: ${visibleText(became)}`,
    Math.max(WIDTH_MIN, stream.columns - 2),
  );
  const start = first.startsWith(name) ? `${paint(stream, "bold", name)}${first.slice(name.length)}` : first;
  const title = [start, ...others].join("\n  ");
  return `${title}\n${fields.map((field) => renderFieldChange(field, stream)).join("")}`;
}

const WIDTH_MIN = 20;

function clusterTitle({ cluster, before, after }: ClusterDiff, live: boolean): BlockTitle {
  const what = `AMKOCluster of ${cluster}`;
  if (live) return { what, became: before.state === "absent" ? "only in the cluster" : null };
  if (after.state === "absent") return { what, became: "its manifest is gone" };
  if (after.state === "unreadable") return { what, became: `cannot be read: ${after.reason}` };
  if (before.state === "absent") return { what, became: "new" };
  if (before.reason === after.reason) return { what, became: null };
  return { what, became: after.reason === null ? "valid again" : `invalid: ${after.reason}` };
}

function objectTitle({ kind, before, after }: ObjectDiff, live: boolean): BlockTitle {
  const renamed = before.name !== null && after.name !== null && before.name !== after.name;
  const name = renamed ? `${before.name} -> ${after.name}` : (after.name ?? before.name);
  const what = name === null ? kind : `${kind} ${name}`;
  const became = live ? liveWords(before.state, after.state) : revisionWords(before.state, after);
  return { what, became: became ?? (renamed ? "renamed" : null) };
}

function revisionWords(before: KindState["kind"], { state, reason }: ObjectSide): string | null {
  if (state === "unusable") return `cannot be used: ${reason}`;
  if (state === before) return null;
  if (state === "absent") return "its file is gone, which deletes nothing";
  if (state === "deleted") return "deleted";
  if (before === "absent") return "created";
  return before === "deleted" ? "no longer deleted" : "can be used again";
}

function liveWords(before: KindState["kind"], after: KindState["kind"]): string | null {
  if (after === "absent") return "not in the cluster";
  if (before === "deleted") return "deleted in git, still in the cluster";
  return before === "present" ? null : "only in the cluster";
}

function whoLeads(leadership: Leadership): string {
  switch (leadership.kind) {
    case "leader":
      return leadership.cluster;
    case "invalid":
      return `${leadership.cluster}, whose manifest is invalid (${leadership.problem.message})`;
    case "leaderless":
      return "nobody";
    case "conflict":
      return `${leadership.clusters.join(" and ")} in conflict`;
    case "unknown":
      return `unknown (${leadership.problem.message})`;
    default:
      return leadership satisfies never;
  }
}

const MEMBER_WORDS = {
  joins: "joins the federation",
  leaves: "leaves the federation",
  excluded: "is left out",
  included: "takes part again",
} as const satisfies Record<MemberDiff["change"], string>;

function describeMember({ cluster, change, reason }: MemberDiff): string {
  return `${cluster} ${MEMBER_WORDS[change]}${reason === null ? "" : `: ${reason}`}`;
}

function sideOutput(side: ComparedSide): DiffSideOutput {
  return side.kind === "cluster"
    ? { kind: "cluster", cluster: side.cluster }
    : { kind: "revision", revision: side.commit };
}

function leadershipOutput(leadership: Leadership): LeadershipOutput {
  const { kind } = leadership;
  if (kind === "conflict") return { kind, clusters: leadership.clusters };
  return { kind, clusters: kind === "leader" || kind === "invalid" ? [leadership.cluster] : [] };
}
