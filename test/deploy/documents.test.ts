import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../src/core/catalogue.ts";
import { type DocumentedCommand, findCommands, misunderstood } from "../support/documented-commands.ts";
import { readAlerts } from "../support/monitoring.ts";
import { PROJECT } from "../support/process.ts";

/** What `deploy/` and the README tell people to do can be done, and stands where others point to. */

const PATHS = [
  "README.md",
  ...readdirSync(join(PROJECT, "deploy"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `deploy/${path}`),
  ...readdirSync(join(PROJECT, "fixtures/repo")).flatMap((path) =>
    path.endsWith(".md") ? [`fixtures/repo/${path}`] : [],
  ),
].toSorted();

const read = (path: string): string => readFileSync(join(PROJECT, path), "utf8");
const RUNBOOK = read("deploy/RUNBOOK.md");
const ALERTS = await readAlerts();
const CODES = Object.entries(CATALOGUE);

describe.each(PATHS)("%s", (path) => {
  const text = read(path);

  it("names only commands that the program understands", async () => {
    const wrong: string[] = [];
    for (const command of findCommands(text)) {
      const why = await misunderstood(command);
      if (why !== null) wrong.push(`${command.line}: ${why}`);
    }
    expect(wrong).toEqual([]);
  });

  it("links only to what is there", () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const broken = links.filter(([, target = "", anchor]) => {
      const file = target === "" ? path : join(dirname(path), target);
      if (!existsSync(join(PROJECT, file))) return true;
      return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

describe("commands in documents", () => {
  const command = (line: string): DocumentedCommand => findCommands(`\`${line}\``)[0] as DocumentedCommand;

  it.each([
    ["amko-gitops failover --to cluster2 --reasons 'x'", "failover has no --reasons"],
    ["amko-gitops fail-over --to cluster2", "there is no verb fail-over"],
    ["amko-gitops switchover --to --yes", "--to of switchover has no value"],
    ["amko-gitops rollback --yes", "rollback lacks an argument"],
    ["amko-gitops status cluster1", "status takes no cluster1"],
  ])("%s is found out", async (line, why) => {
    expect(await misunderstood(command(line))).toBe(why);
  });

  it.each([
    "amko-gitops suspend --for 2h --reason …",
    'amko-gitops failover --to <cluster> --reason "site 1 is down" # now',
    "kubectl exec deployment/amko-gitops -- amko-gitops check | tail",
    "npx amko-gitops status -w",
  ])("%s is understood", async (line) => expect(await misunderstood(command(line))).toBeNull());

  it.each(["helm upgrade amko-gitops deploy/helm", "kubectl logs deployment/amko-gitops"])("%s is none", (line) => {
    expect(findCommands(`\`${line}\``)).toEqual([]);
  });
});

describe("the runbook", () => {
  it("has a heading for each alert and each code, and no other", () => {
    const headings = [...RUNBOOK.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([...ALERTS.map(({ alert }) => alert), ...CODES.map(([code]) => code)]);
  });

  it.each(CODES)("says of %s what it is, as every message does, and what to do", (code, { title }) => {
    const section = sectionOf(code);
    expect(section.startsWith(`**${title}**`)).toBe(true);
    expect(section).toMatch(/^- Do: /m);
  });

  it.each(ALERTS)("says of $alert what it means, what to do, and when it is over", ({ alert }) => {
    const section = sectionOf(alert);
    expect(section).not.toMatch(/^- /);
    expect(section).toMatch(/^- Do: /m);
    expect(section).toMatch(/^- Over: /m);
  });

  it("says of each group of codes how to see that it is over", () => {
    const groups = RUNBOOK.split(/^## /m).filter((part) => /^.*: AG\d\n/.test(part));
    expect(groups).toHaveLength(6);
    for (const group of groups) expect(group).toMatch(/\*\*Over\*\*|- Over:/);
  });
});

function sectionOf(heading: string): string {
  const [, rest = ""] = RUNBOOK.split(`\n### ${heading}\n`);
  return rest.split(/\n##+ /)[0]?.trim() ?? "";
}

/** As git hosts make them. */
function anchorsOf(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
