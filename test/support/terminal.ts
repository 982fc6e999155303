import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { waitUntil as waitFor } from "../../src/sandbox/wait.ts";
import { findKubectl, pathWithKubectl } from "./kubectl.ts";
import { unpackProgram } from "./layer.ts";
import { PROJECT } from "./process.ts";

/** What a command answered. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody at a shell, with amko-gitops, git, kubectl and helm, pipes, and nothing else. */
export interface Terminal {
  readonly folder: string;
  /** Runs a command line; single quotes hold words together. Whatever it answers is the answer. */
  run(line: string): Promise<Answer>;
  /** Runs it and returns what it printed. @throws Error with all that it said, when it does not exit with 0 */
  ok(line: string): Promise<string>;
  /** Runs it again and again until it exits with 0 and prints what is wanted. */
  until(line: string, wanted: RegExp): Promise<string>;
  /** Every command with what it answered, as it stood on the screen. */
  transcript(): string;
}

const COMMAND_MAX_MS = 60_000;
const UNTIL_MAX_MS = 90_000;
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

export async function openTerminal(folder: string, environment: Readonly<Record<string, string>>): Promise<Terminal> {
  const programs: Readonly<Record<string, readonly string[]>> = {
    "amko-gitops": [process.execPath, join(PROJECT, "src/launch.js")],
    git: ["git"],
    kubectl: [await findKubectl()],
    helm: [await unpackProgram("helm")],
  };
  const home = join(folder, "home");
  await mkdir(home, { recursive: true });
  const env = { PATH: await pathWithKubectl(), HOME: home, GIT_CONFIG_NOSYSTEM: "1", ...environment };
  const screen: string[] = [];

  /** What fails ends a pipe, as with `set -o pipefail`. */
  async function execute(line: string): Promise<Answer> {
    let last: Answer = { code: 0, stdout: "", stderr: "" };
    for (const command of line.split(" | ")) {
      last = await executeOne(command, last.stdout);
      if (last.code !== 0) break;
    }
    return last;
  }

  function executeOne(line: string, input: string): Promise<Answer> {
    const [name = "", ...args] = wordsOf(line);
    const program = programs[name];
    if (program === undefined) throw new TypeError(`${name} is no program of this terminal`);
    const [file = "", ...first] = program;
    return new Promise((resolve) => {
      const options = { cwd: folder, env, timeout: COMMAND_MAX_MS, maxBuffer: OUTPUT_MAX_BYTES };
      const child = execFile(file, [...first, ...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
      // It may be gone before it has read anything.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input);
    });
  }

  function show(line: string, { code, stdout, stderr }: Answer): void {
    screen.push(`$ ${line}\n${stdout}${stderr}${code === 0 ? "" : `[exit ${code}]\n`}`);
  }

  async function run(line: string): Promise<Answer> {
    const answer = await execute(line);
    show(line, answer);
    return answer;
  }

  async function ok(line: string): Promise<string> {
    const { code, stdout, stderr } = await run(line);
    if (code !== 0) throw new Error(`${line}\nexited with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  return {
    folder,
    run,
    ok,
    async until(line, wanted) {
      let last: Answer = { code: -1, stdout: "", stderr: "" };
      const isThere = async (): Promise<boolean | string> => {
        last = await execute(line);
        const { code, stdout, stderr } = last;
        return (code === 0 && wanted.test(stdout)) || `exit ${code}: ${stdout}${stderr}`;
      };
      await waitFor(`${line} prints ${wanted}`, isThere, UNTIL_MAX_MS);
      show(line, last);
      return last.stdout;
    },
    transcript: () => screen.join("\n"),
  };
}

/** `commit -m 'two words'` as three words. */
export function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
}
