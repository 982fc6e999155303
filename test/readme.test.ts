import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { VERBS } from "../src/cli/verbs.ts";
import { AGENT_SETTINGS } from "../src/config.ts";

const README = await readFile(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  it("lists every setting as --help does", () => {
    const rows = AGENT_SETTINGS.map(({ flag, placeholder, fallback, description }) => {
      const standard = fallback === null ? "" : fallback === "" ? "" : `\`${fallback}\``;
      return `| \`--${flag} <${placeholder}>\` | ${standard} | ${description} |`;
    });
    const table = ["| flag | default | |", "|---|---|---|", ...rows].join("\n");
    const found = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(README)?.[1];
    expect(found).toBe(table);
  });

  it("lists every verb as --help does", () => {
    const rows = VERBS.map(({ name, summary }) => `| \`${name}\` | ${summary} |`);
    const found = /<!-- verbs -->\n([\s\S]*?)\n<!-- \/verbs -->/.exec(README)?.[1];
    expect(found).toBe(["| verb | |", "|---|---|", ...rows].join("\n"));
  });

  it("names only files that are there", async () => {
    const paths = [...README.matchAll(/\]\(((?:src|test|fixtures|deploy)[^)#]*|LICENSE)\)/g)].map(
      ([, path]) => path ?? "",
    );
    expect(paths.length).toBeGreaterThan(20);
    const missing = await Promise.all(
      paths.map((path) =>
        readFile(new URL(`../${path}`, import.meta.url)).then(
          () => [],
          (error: NodeJS.ErrnoException) => (error.code === "EISDIR" ? [] : [path]),
        ),
      ),
    );
    expect(missing.flat()).toEqual([]);
  });
});
