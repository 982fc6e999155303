import { execFile } from "node:child_process";
import { access, cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../support/cache-folder.ts";

/** Prometheus itself, and its tool that judges and plays rules. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

const run = promisify(execFile);
const PACKAGE = "prometheus";
const NAMES = ["prometheus", "promtool"] as const;

/**
 * Those on PATH, else those in Debian's package, which is unpacked into the user's cache once and installed nowhere.
 * @throws Error that says why there are none
 */
export async function findPrometheus(): Promise<PrometheusPrograms> {
  if ((await Promise.all(NAMES.map(answers))).every((one) => one)) return programsIn(null);
  const folder = cacheFolder("prometheus");
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  if (!there) {
    await unpack(folder).catch((error: unknown) => {
      throw new Error(`Prometheus is not on PATH, and could not be had from Debian's packages: ${error}`);
    });
  }
  return programsIn(folder);
}

function programsIn(folder: string | null): PrometheusPrograms {
  const place = (name: string): string => (folder === null ? name : join(folder, name));
  return { prometheus: place("prometheus"), promtool: place("promtool") };
}

function answers(program: string): Promise<boolean> {
  return run(program, ["--version"]).then(
    () => true,
    () => false,
  );
}

async function unpack(kept: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
  const unfinished = `${kept}.${process.pid}`;
  try {
    const download = () => run("apt-get", ["download", PACKAGE], { cwd: folder });
    // On a new machine there are no lists of packages yet.
    await download().catch(async () => {
      await run("apt-get", ["update"]);
      await download();
    });
    const [archive = ""] = await readdir(folder);
    await run("dpkg-deb", ["--extract", join(folder, archive), join(folder, "root")]);
    await mkdir(unfinished, { recursive: true });
    for (const name of NAMES) await cp(join(folder, "root/usr/bin", name), join(unfinished, name));
    // Under another name first: what was cut off is never taken for the whole.
    await rename(unfinished, kept);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
    await rm(folder, { recursive: true });
  }
}
