import { describeEffect } from "../../core/describe-effect.ts";
import {
  FEDERATED_KINDS,
  type FederatedKind,
  type KindState,
  type Leadership,
  type Problem,
} from "../../core/model.ts";
import { type TopologyRole, topologyOf } from "../../core/topology.ts";
import { paint, type Stream } from "../shell.ts";
import { isValid, type Validation } from "../validation.ts";
import { plainText, renderProblem } from "./problem.ts";
import { type Cell, renderTable } from "./table.ts";

/** What `validate -o json` prints. */
export interface ValidationOutput {
  /** No problem is an error: exit code 0. */
  readonly valid: boolean;
  /** The folder, or the revision's name and where it was read. */
  readonly subject: string;
  /** 40 hex digits; null for a folder. */
  readonly revision: string | null;
  /** Where the change begins, 40 hex digits; null without --base. */
  readonly base: string | null;
  /** `leader`, `invalid`, `leaderless`, `conflict` or `unknown`, and every cluster that claims to lead, as far as known. */
  readonly leadership: { readonly kind: Leadership["kind"]; readonly clusters: readonly string[] };
  /** Every cluster that the revision knows; `reason` is why it is excluded, null when it is not. */
  readonly clusters: readonly {
    readonly cluster: string;
    readonly role: TopologyRole;
    readonly reason: string | null;
  }[];
  /** `name` is null where there is no object that can be used. */
  readonly kinds: Readonly<Record<FederatedKind, { readonly state: KindState["kind"]; readonly name: string | null }>>;
  /** What the change does: what kind of effect, and in sentences. Null without --base. */
  readonly effects: readonly { readonly kind: string; readonly text: string }[] | null;
  /** In order of path and line; paths are relative to the repository's root. What is about a whole file has line 1. */
  readonly problems: readonly Problem[];
}

export function validationOutput(found: Validation): ValidationOutput {
  const { view, effects } = found;
  return {
    valid: isValid(found),
    subject: found.subject,
    revision: found.revision,
    base: found.base,
    leadership: { kind: view.leadership.kind, clusters: claimsOf(view.leadership) },
    clusters: topologyOf(view),
    kinds: {
      GSLBConfig: kindOutput(view.kinds.GSLBConfig),
      GlobalDeploymentPolicy: kindOutput(view.kinds.GlobalDeploymentPolicy),
    },
    effects: effects?.map((effect) => ({ kind: effect.kind, text: describeEffect(effect).join("\n") })) ?? null,
    problems: found.problems,
  };
}

/** Problems as compilers write them, then what a reviewer wants to know. */
export function renderValidation(found: Validation, stream: Stream): string {
  const problems = found.problems.map((one) => renderProblem(one, stream)).join("");
  const parts = [
    problems,
    renderTopologyTable(found, stream),
    renderKinds(found, stream),
    renderEffects(found, stream),
  ];
  return `${[...parts, verdictOf(found, stream)].filter((part) => part !== "").join("\n")}`;
}

function renderTopologyTable({ view }: Validation, stream: Stream): string {
  const rows = topologyOf(view).map(({ cluster, role, reason }): readonly Cell[] => [
    plainText(cluster),
    role === "leader" ? { text: role, style: "bold" } : role,
    plainText(view.manifests.get(cluster)?.version ?? ""),
    { text: plainText(reason ?? ""), style: "yellow" },
  ]);
  return rows.length === 0 ? "" : renderTable(["CLUSTER", "ROLE", "VERSION", "LEFT OUT BECAUSE"], rows, stream);
}

function renderKinds({ view }: Validation, stream: Stream): string {
  const rows = FEDERATED_KINDS.map((kind) => {
    const { state, name } = kindOutput(view.kinds[kind]);
    return [kind, state, plainText(name ?? "")];
  });
  return renderTable(["KIND", "STATE", "NAME"], rows, stream);
}

function renderEffects({ effects, base }: Validation, stream: Stream): string {
  if (effects === null || base === null) return "";
  const title = paint(stream, "bold", `What the change does, since ${base.slice(0, 8)}`);
  const lines = effects.flatMap((effect) =>
    describeEffect(effect).map((line) =>
      line.startsWith("  ") ? `    ${plainText(line.trim())}` : `  ${plainText(line)}`,
    ),
  );
  return `${title}\n${(lines.length === 0 ? ["  nothing that the clusters act upon"] : lines).join("\n")}\n`;
}

/** The last line is the one that stays on the screen. */
export function verdictOf(found: Pick<Validation, "problems" | "subject">, stream: Stream): string {
  const count = (severity: Problem["severity"], word: string): readonly string[] => {
    const number = found.problems.filter((one) => one.severity === severity).length;
    return number === 0 ? [] : [`${number} ${word}${number === 1 ? "" : "s"}`];
  };
  const counts = [...count("error", "error"), ...count("warning", "warning")].join(", ");
  const subject = plainText(found.subject);
  if (!isValid(found)) return `${paint(stream, "red", "invalid:")} ${subject}, ${counts}\n`;
  return `${paint(stream, "green", "valid:")} ${subject}${counts === "" ? "" : `, ${counts}`}\n`;
}

export function kindOutput(state: KindState): { readonly state: KindState["kind"]; readonly name: string | null } {
  const name = state.kind === "present" || state.kind === "deleted" ? state.snapshot.name : null;
  return { state: state.kind, name };
}

function claimsOf(leadership: Leadership): readonly string[] {
  if (leadership.kind === "conflict") return leadership.clusters;
  return leadership.kind === "leader" || leadership.kind === "invalid" ? [leadership.cluster] : [];
}
