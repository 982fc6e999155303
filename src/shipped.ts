import { readdir, readFile } from "node:fs/promises";
import { parse } from "yaml";
import type { FolderFile } from "./cli/house.ts";
import type { Json } from "./core/model.ts";
import { collectSchemas, readCustomResourceDefinition, type Schemas } from "./core/resource-definition.ts";

/** The folder with the CRDs that objects are judged by: beside the sources, and beside them in the package. */
const CRDS_DIRECTORY = new URL("../deploy/crds/", import.meta.url);

/** Every CRD in `deploy/crds`, as JSON. */
export async function readCrds(): Promise<readonly Json[]> {
  const names = (await readdir(CRDS_DIRECTORY)).filter((name) => name.endsWith(".yaml")).toSorted();
  return Promise.all(names.map(async (name) => parse(await readFile(new URL(name, CRDS_DIRECTORY), "utf8")) as Json));
}

export async function readSchemas(): Promise<Schemas> {
  return collectSchemas((await readCrds()).map(readCustomResourceDefinition));
}

/** The complete example of a federation repository, beside the sources and in the package. */
const TEMPLATE_DIRECTORY = new URL("../fixtures/repo/", import.meta.url);
/** What of it belongs to no federation in particular; a file that is not there is left out. */
const TEMPLATE_FILES = ["README.md", ".github/workflows/validate.yaml", ".gitlab-ci.yml"] as const;

/** What `init` puts beside the manifests and the snapshots. */
export async function readTemplate(): Promise<readonly FolderFile[]> {
  const files = TEMPLATE_FILES.map(async (path) => {
    const bytes = await readFile(new URL(path, TEMPLATE_DIRECTORY)).catch(() => null);
    return bytes === null ? [] : [{ path, bytes: new Uint8Array(bytes) }];
  });
  return (await Promise.all(files)).flat();
}
