import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import type { Json } from "../../core/model.ts";
import { startApiServer } from "./server.ts";

/** Runs one API server as a process of its own; prints `{"url": …}` once it answers, and stops on SIGTERM. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: "string", default: "cluster" },
      port: { type: "string", default: "0" },
      storage: { type: "string" },
      token: { type: "string" },
      crds: { type: "string" },
    },
  });
  const { name, port, storage, token, crds } = values;
  const server = await startApiServer({
    name,
    port: Number(port),
    definitions: crds === undefined ? [] : await readDefinitions(crds),
    ...(storage === undefined ? {} : { storageFile: storage }),
    ...(token === undefined ? {} : { token }),
  });
  process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
  const stop = () => void server.stop({ abruptly: true });
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

async function readDefinitions(folder: string): Promise<readonly Json[]> {
  const files = (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).toSorted();
  return Promise.all(files.map(async (file) => parse(await readFile(join(folder, file), "utf8")) as Json));
}

await main();
