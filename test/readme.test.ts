import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { VERBS } from "../src/cli/verbs.ts";
import { AGENT_SETTINGS } from "../src/config.ts";
import { isObject } from "../src/core/json.ts";
import type { Json } from "../src/core/model.ts";

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

  it("tells the shape of the data of each verb, as its golden file has it", async () => {
    const folder = new URL("cli/golden/", import.meta.url);
    const files = (await readdir(folder)).filter((name) => name.endsWith("-json.txt")).sort();
    const shapes = await Promise.all(
      files.map(async (name) => {
        const shape = shapeOf(JSON.parse(await readFile(new URL(name, folder), "utf8")) as Json);
        return wrapped(`${calledBy(name).padEnd(VERB_COLUMNS)}${shape}`);
      }),
    );
    const found = /<!-- data -->\n```\n([\s\S]*?)\n```\n<!-- \/data -->/.exec(README)?.[1];
    expect(found).toBe(shapes.join("\n"));
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

const VERB_COLUMNS = 19;
const LINE_COLUMNS_MAX = 118;

/** `history-leaders-json.txt`: what the verb was called with. */
function calledBy(file: string): string {
  return file.replace("-json.txt", "").replace("history-", "history --").replace("diff-live", "diff --context");
}

/** The names of the fields, in order: `{ ok, items: [{ name }] }`. */
function shapeOf(value: Json): string {
  if (Array.isArray(value)) return `[${value[0] === undefined ? "" : shapeOf(value[0] as Json)}]`;
  if (!isObject(value)) return "";
  const fields = Object.entries(value).map(([name, held]) => {
    const inner = shapeOf(held);
    return inner === "" ? name : `${name}: ${inner}`;
  });
  return `{ ${fields.join(", ")} }`;
}

function wrapped(line: string): string {
  const [verb, shape] = [line.slice(0, VERB_COLUMNS), line.slice(VERB_COLUMNS)];
  const lines: string[] = [""];
  for (const word of shape.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length + 1 > LINE_COLUMNS_MAX - VERB_COLUMNS) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return verb + lines.join(`\n${" ".repeat(VERB_COLUMNS)}`);
}
