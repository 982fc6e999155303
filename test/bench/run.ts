import { readFile, writeFile } from "node:fs/promises";
import { inspect, parseArgs } from "node:util";
import { withControlPlane } from "../kube/control-plane.ts";
import { useCompiledProgram } from "../support/compiled-program.ts";
import { temporaryFolder } from "../support/git.ts";
import { type Figure, ratioOf } from "./figure.ts";
import { describeMachine } from "./machine.ts";
import { plot } from "./plot.ts";
import { FULL, QUICK, type Row } from "./row.ts";
import { fillSection, formatMarkdown, formatTable } from "./table.ts";

const README = new URL("../../README.md", import.meta.url);

/**
 * `npm run bench`: every figure beside its floor, measured in the same run. Reports, and never fails the build:
 * whatever it finds, it exits with 0 when all could be measured, and with 1 when a row broke off; the others are told
 * all the same, and README.md stays as it was.
 */

const USAGE = `usage: npm run bench -- [--quick] [--kube] [--only ROW[,ROW]] [--json FILE] [--plot FILE] [--readme]

  --quick          fewer samples, smaller repositories: two or three minutes
  --kube           on real kube-apiservers in place of the embedded ones
  --readme         puts the table into README.md, where the figures of such clusters stand
  --only ROW       some rows only: `;

async function main(args: readonly string[]): Promise<number> {
  const rows = async (): Promise<readonly Row[]> => (await import("./rows.ts")).ROWS;
  const options = readOptions(args);
  if (typeof options === "string") {
    // The rows load what looks at the environment: not before it is known what the clusters are.
    const names = (await rows()).map(({ name }) => name).join(", ");
    process.stderr.write(`${options}\n${USAGE}${names}\n`);
    return 2;
  }
  if (!options.kube) return measure(await rows(), options, "embedded API servers");
  return withControlPlane(say, async ({ versions }) => {
    const runnable = (await rows()).filter(({ on }) => on === "any");
    return measure(runnable, options, versions);
  });
}

interface Options {
  readonly quick: boolean;
  readonly kube: boolean;
  /** Null runs all. */
  readonly only: readonly string[] | null;
  readonly readme: boolean;
  readonly files: Readonly<Record<"json" | "plot", string | null>>;
}

/** The options, or what is wrong with them. */
function readOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        kube: { type: "boolean", default: false },
        only: { type: "string" },
        json: { type: "string" },
        plot: { type: "string" },
        readme: { type: "boolean", default: false },
      },
    });
    const { quick, kube, only, readme, json = null, plot: drawing = null } = values;
    return { quick, kube, only: only?.split(",") ?? null, readme, files: { json, plot: drawing } };
  } catch (error) {
    return (error as Error).message;
  }
}

async function measure(rows: readonly Row[], options: Options, clusters: string): Promise<number> {
  const { quick, kube, only, readme, files } = options;
  const unknown = only?.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no row ${unknown} to be run here: ${rows.map(({ name }) => name).join(", ")}\n`);
    return 2;
  }
  await using folder = await temporaryFolder();
  await useCompiledProgram(folder.path);
  const machine = await describeMachine(clusters);
  say(machine);
  const figures: Figure[] = [];
  const beyond: Figure[] = [];
  let isWhole = true;
  for (const row of rows.filter(({ name }) => only === null || only.includes(name))) {
    say(`${row.name}: ${row.explanation}`);
    try {
      (row.isInDesign ? figures : beyond).push(...(await row.run(quick ? QUICK : FULL, (line) => say(`  ${line}`))));
    } catch (error) {
      isWhole = false;
      process.stderr.write(`${row.name} broke off: ${inspect(error)}\n`);
    }
  }
  const all = [...figures, ...beyond];
  say(`\n${formatTable(all)}`);
  const at = new Date().toISOString();
  const told = { at, machine, figures: all.map((figure) => ({ ...figure, ratio: ratioOf(figure) })) };
  if (files.json !== null) await writeFile(files.json, `${JSON.stringify(told, null, 2)}\n`);
  if (files.plot !== null) await writeFile(files.plot, plot(figures, `amko-gitops, ${machine}`));
  if (!isWhole) return 1;
  if (readme) {
    const text = await readFile(README, "utf8");
    const section = `${at.slice(0, 10)}; ${machine}\n\n${formatMarkdown(figures, beyond)}`;
    await writeFile(README, fillSection(text, kube ? "figures on kube-apiservers" : "figures", section));
  }
  return 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
