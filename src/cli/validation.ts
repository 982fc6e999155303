import { judgeChange } from "../core/change.ts";
import type { ChangeEffect } from "../core/change-effects.ts";
import { judgeHandoverWithout } from "../core/handover-annotation.ts";
import type { CommitId, FederationView, Problem, RevisionFile } from "../core/model.ts";
import { evaluate } from "../core/view.ts";
import { readChangeRange } from "./change-range.ts";
import { type Given, wrongFlag } from "./given.ts";
import type { House, OpenRepository } from "./house.ts";
import type { Shell } from "./shell.ts";
import { resolveRevision, withSource } from "./source.ts";
import { readUsableKinds } from "./usable.ts";

/** What `validate` found out; renderers turn it into text, data and annotations. */
export interface Validation {
  /** What was judged, for people. */
  readonly subject: string;
  /** Null for a folder, whose edits need not be committed. */
  readonly revision: CommitId | null;
  /** Where the change begins; null when only the result was judged. */
  readonly base: CommitId | null;
  readonly view: FederationView;
  /** Null when only the result was judged. */
  readonly effects: readonly ChangeEffect[] | null;
  /** Paths are relative to the repository's root. */
  readonly problems: readonly Problem[];
}

/** Reads what the flags name and judges it, with the change where a base was given. */
export async function validate(given: Given, shell: Shell, house: House): Promise<Validation> {
  const folder = given.argument(0);
  const location = given.text("repo");
  if (folder !== null && location !== null) {
    // An address may hold a password: it is not repeated.
    throw wrongFlag("repo", null, "a folder was named too", "Name the folder, or the repository.");
  }
  const from = location ?? folder ?? ".";
  const ref = given.text("ref");
  const base = given.text("base");
  if (location === null && ref === null && base === null) return await judgeFolder(from, given, house);
  const source: Given = { ...given, text: (flag) => (flag === "repo" ? from : given.text(flag)) };
  return await withSource(source, shell, house, async (repository) => {
    if (location === null && ref === null)
      return await judgeCheckout(repository, from, base ?? "", given, shell, house);
    return await judgeRevision(repository, ref ?? given.place().branch, base, given, shell, house);
  });
}

async function judgeFolder(folder: string, given: Given, house: House): Promise<Validation> {
  const files = await readBelow(folder, given, house);
  const view = evaluate(files, await house.readSchemas());
  return conclude(
    { subject: folder, revision: null, base: null, view, effects: null },
    [...view.problems, ...judgeHandoverWithout(view, files)],
    given,
  );
}

/**
 * A work tree is judged as it stands, its history as far as it is committed. Where all of it is committed the commit's
 * own bytes are read, as agents do: a checkout may lack submodules, and its filters may have put other bytes there.
 */
async function judgeCheckout(
  repository: OpenRepository,
  folder: string,
  base: string,
  given: Given,
  shell: Shell,
  house: House,
): Promise<Validation> {
  const { prefix } = repository;
  // The history is the whole repository's: what is judged in it must be the folder that was named.
  if (prefix !== "") {
    throw wrongFlag("base", base, `"${folder}" is not the top of its clone`, `Name the top, and --path ${prefix}.`);
  }
  const head = await resolveRevision(repository, "HEAD", shell.signal);
  const isCommitted = (await repository.uncommitted(shell.signal)).length === 0;
  const files = isCommitted ? (await repository.read(head, shell.signal)).files : await readBelow(folder, given, house);
  return await judgeAgainst({ repository, base, head, files, subject: folder, revision: null }, given, shell, house);
}

async function judgeRevision(
  repository: OpenRepository,
  ref: string,
  base: string | null,
  given: Given,
  shell: Shell,
  house: House,
): Promise<Validation> {
  const head = await resolveRevision(repository, ref, shell.signal);
  const { files } = await repository.read(head, shell.signal);
  const subject = `${ref} of ${repository.url}`;
  if (base !== null) {
    return await judgeAgainst({ repository, base, head, files, subject, revision: head }, given, shell, house);
  }
  const view = evaluate(files, await house.readSchemas());
  return conclude(
    { subject, revision: head, base: null, view, effects: null },
    [...view.problems, ...judgeHandoverWithout(view, files)],
    given,
  );
}

interface Judged {
  readonly repository: OpenRepository;
  readonly base: string;
  readonly head: CommitId;
  readonly files: readonly RevisionFile[];
  readonly subject: string;
  readonly revision: CommitId | null;
}

async function judgeAgainst(
  { repository, base, head, files, subject, revision }: Judged,
  given: Given,
  shell: Shell,
  house: House,
): Promise<Validation> {
  const onto = await resolveRevision(repository, base, shell.signal);
  const range = await readChangeRange(repository, onto, head, shell.signal);
  const schemas = await house.readSchemas();
  const view = evaluate(files, schemas);
  const former = evaluate(range.base.files, schemas);
  const { effects, problems } = judgeChange({
    base: former,
    usable: await readUsableKinds({ repository, schemas, signal: shell.signal }, range.base, former.kinds),
    head: view,
    files,
    commits: range.commits,
  });
  return conclude({ subject, revision, base: range.base.commit, view, effects }, problems, given);
}

async function readBelow(folder: string, given: Given, house: House): Promise<readonly RevisionFile[]> {
  const { path } = given.place();
  return await house.readFolder(path === "" ? folder : `${folder}/${path}`);
}

function conclude(found: Omit<Validation, "problems">, problems: readonly Problem[], given: Given): Validation {
  const { path } = given.place();
  return { ...found, problems: problems.map((one) => placed(one, path)) };
}

/** Reviewers and tools want a line: what is about a whole file, also one that was lost, stands at its first. */
function placed(problem: Problem, folder: string): Problem {
  if (problem.path === null) return problem;
  const path = folder === "" ? problem.path : `${folder}/${problem.path}`;
  return { ...problem, path, line: problem.line ?? 1 };
}

/** Whether what was judged may be merged: warnings do not count. */
export function isValid({ problems }: Pick<Validation, "problems">): boolean {
  return problems.every(({ severity }) => severity !== "error");
}
