import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { createShell } from "../../src/cli/shell.ts";
import { PROJECT } from "../support/process.ts";

/** Asks as a verb does, at pipes that pass for a terminal, and tells what came of it. */
const ASKING = `
  for (const stream of [process.stdin, process.stderr]) Object.assign(stream, { isTTY: true, setRawMode: () => stream });
  const { createShell } = await import("./src/cli/shell.ts");
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));
  const answer = await createShell(interrupted.signal).ask("Push it? ").catch((error) => error);
  process.stdout.write(interrupted.signal.aborted ? "interrupted" : JSON.stringify(answer));
  process.stdin.destroy();
`;

async function answerWith(keys: string): Promise<string> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", ASKING], {
    cwd: PROJECT,
    env: { ...process.env, TERM: "dumb" },
  });
  let told = "";
  child.stdout.on("data", (chunk) => {
    told += String(chunk);
  });
  await once(child.stderr, "data");
  child.stdin.write(keys);
  await once(child, "close");
  return told;
}

describe("a question at the terminal", () => {
  it.each([
    ["an answer", "yes\r", '"yes"'],
    ["Ctrl-C, as everywhere", "\u0003", "interrupted"],
    ["Ctrl-D, as by nobody", "\u0004", "null"],
  ])("is ended by %s", async (_what, keys, told) => {
    expect(await answerWith(keys)).toBe(told);
  });
});

describe("a sleep", () => {
  it("is none where the person has left already", async () => {
    await createShell(AbortSignal.abort()).sleep(2 ** 31 - 1);
  });

  it("ends when the person leaves", async () => {
    const leaving = new AbortController();
    const slept = createShell(leaving.signal).sleep(2 ** 31 - 1);
    leaving.abort();
    await slept;
  });
});
