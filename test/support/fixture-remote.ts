import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CommitId } from "../../src/core/model.ts";
import { createFakeRemote, type FakeRemote } from "./fakes/repository.ts";

const ROOT = fileURLToPath(new URL("../../fixtures/repo/", import.meta.url));

/** The files of fixtures/repo, by path. */
export function fixtureFiles(): Readonly<Record<string, string>> {
  const entries = readdirSync(ROOT, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const full = `${parentPath}/${name}`.replaceAll("//", "/");
      return [full.slice(ROOT.length), readFileSync(full, "utf8")];
    }),
  );
}

/** A remote that holds fixtures/repo: cluster1 leads and is in office, everybody holds the head. */
export function fixtureRemote(): { readonly remote: FakeRemote; readonly head: CommitId } {
  const remote = createFakeRemote();
  const files = Object.fromEntries(
    Object.entries(fixtureFiles()).filter(([path]) => /^(?:clusters|federation)\//.test(path)),
  );
  const head = remote.push("main", files, "The federation");
  for (const cluster of ["cluster1", "cluster2", "cluster3"]) remote.setBranch(`amko/applied/${cluster}`, head);
  remote.setBranch("amko/leading/cluster1", remote.commit(new Map(), { message: "leading: cluster1\n" }));
  return { remote, head };
}
