import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../support/cache-folder.ts";

/** What keeps the rules from being tested, in one sentence for people. */
export class MissingPromtool extends Error {}

const run = promisify(execFile);
const PACKAGE = "prometheus";

/**
 * Prometheus' own tool: the one on PATH, else the one in Debian's package, which is unpacked into the user's cache and
 * installed nowhere. @throws MissingPromtool
 */
export async function findPromtool(say: (line: string) => void): Promise<string> {
  if (await answers("promtool")) return "promtool";
  const kept = join(cacheFolder("promtool"), "promtool");
  if (await exists(kept)) return kept;
  say("taking promtool out of Debian's package prometheus, once");
  await unpack(kept).catch((error: unknown) => {
    throw new MissingPromtool(`There is no promtool on PATH, and none could be had from Debian's packages: ${error}`);
  });
  return kept;
}

function answers(program: string): Promise<boolean> {
  return run(program, ["--version"]).then(
    () => true,
    () => false,
  );
}

async function unpack(kept: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "promtool-"));
  try {
    const download = () => run("apt-get", ["download", PACKAGE], { cwd: folder });
    // On a new machine there are no lists of packages yet.
    await download().catch(async () => {
      await run("apt-get", ["update"]);
      await download();
    });
    const [archive = ""] = await readdir(folder);
    await run("dpkg-deb", ["--extract", join(folder, archive), join(folder, "root")]);
    await mkdir(cacheFolder("promtool"), { recursive: true });
    // Under another name first: a copy that was cut off is never taken for a whole one.
    await run("cp", [join(folder, "root/usr/bin/promtool"), `${kept}.${process.pid}`]);
    await rename(`${kept}.${process.pid}`, kept);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
