import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { applyDefaults } from "../../src/core/defaults.ts";
import { describePath } from "../../src/core/document-path.ts";
import { type AmkoKind, type Json, type JsonObject, KINDS, NAMESPACE } from "../../src/core/model.ts";
import { prune } from "../../src/core/prune.ts";
import { collectSchemas, readCustomResourceDefinition } from "../../src/core/resource-definition.ts";
import { validate } from "../../src/core/validate.ts";
import { startApiServer } from "../../src/sandbox/api-server/server.ts";
import { type AdminAnswer, askAsAdmin, type Upstream } from "../kubernetes/gate.ts";
import { PROJECT } from "../support/process.ts";
import { type KubeApiServer, startKubeApiServer } from "./api-server.ts";
import { CORPUS, SPECIMEN_NAME, type Specimen } from "./corpus.ts";
import { KUBE_ETCD_URL, told } from "./environment.ts";
import { installDefinitions, installNamespace } from "./install.ts";

/**
 * One object, three judges: our own validation, by which a pull request is judged; the embedded server, in which
 * everything else is tested; and the real one, which is right.
 */

/** Another folder of definitions to try as well, such as those of an AMKO release. */
const FURTHER_CRDS = process.env["AMKO_GITOPS_TEST_CRDS"] ?? "";
const FOLDERS = [
  { what: "the definitions that we ship", crds: join(PROJECT, "deploy/crds") },
  { what: "the definitions of another folder", crds: FURTHER_CRDS },
].filter(({ crds }) => crds !== "");

/** What became of an object: as it is kept, without metadata, or the fields that are wrong with it. */
type Outcome = { readonly kept: Json } | { readonly refused: readonly string[] };

describe.each(FOLDERS)("with $what", ({ crds }) => {
  const folder = mkdtempSync(join(tmpdir(), "kube-equality-"));
  const definitions = readdirSync(crds)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => parse(readFileSync(join(crds, file), "utf8")) as Json);
  const schemas = collectSchemas(definitions.map(readCustomResourceDefinition));
  let real: KubeApiServer;
  let embedded: Upstream;
  let stopEmbedded: () => Promise<void>;

  beforeAll(async () => {
    const server = await startApiServer({ name: "embedded", port: 0, definitions });
    embedded = { url: server.url, headers: {}, tls: {} };
    stopEmbedded = () => server.stop({ abruptly: true });
    real = await startKubeApiServer({ folder, etcdUrl: told(KUBE_ETCD_URL) });
    await installNamespace(real.upstream);
    await installDefinitions(real.upstream, crds);
  });
  afterAll(async () => {
    await real.crash();
    await stopEmbedded();
    rmSync(folder, { recursive: true });
  });

  function judge({ kind, text }: Specimen): Outcome {
    const { schema, statusSubresource } = schemas[kind];
    const { metadata: _, status, ...rest } = JSON.parse(text) as JsonObject;
    // A creation drops a status that has a request of its own.
    const object = statusSubresource || status === undefined ? rest : { ...rest, status };
    const kept = applyDefaults(prune(object, schema).value, schema);
    const errors = validate(kept, schema);
    return errors.length === 0 ? { kept } : { refused: fieldsOf(errors.map(({ path }) => describePath(path))) };
  }

  async function tryOn(upstream: Upstream, { kind, text }: Specimen): Promise<Outcome> {
    const answer = await askAsAdmin(upstream, "POST", pathOf(kind), text);
    if (answer.status === 201) await askAsAdmin(upstream, "DELETE", `${pathOf(kind)}/${SPECIMEN_NAME}`);
    return outcomeOf(answer);
  }

  it.each(CORPUS)("$kind with $what is $then by all three, in the same form", async (specimen) => {
    const right = await tryOn(real.upstream, specimen);
    expect(Object.keys(right)).toEqual([specimen.then]);
    expect(await tryOn(embedded, specimen)).toEqual(right);
    expect(judge(specimen)).toEqual(right);
  });
});

function outcomeOf({ status, body }: AdminAnswer): Outcome {
  if (status === 201) {
    const { metadata: _, ...kept } = body;
    return { kept };
  }
  if (status !== 422) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  const causes: readonly { readonly field: string }[] = body.details.causes;
  // A cause that speaks of no field says that further rules were not looked at.
  return { refused: fieldsOf(causes.map(({ field }) => field).filter((field) => field !== "<nil>")) };
}

function fieldsOf(fields: readonly string[]): readonly string[] {
  return [...new Set(fields)].toSorted();
}

function pathOf(kind: AmkoKind): string {
  return `/apis/${KINDS[kind].apiVersion}/namespaces/${NAMESPACE}/${KINDS[kind].plural}`;
}
