import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openJournal } from "../../../src/sandbox/api-server/journal.ts";
import { openStore } from "../../../src/sandbox/api-server/store.ts";
import { asking, DEFINITION_PATH, freshServer, GDPS, gdp } from "./support.ts";

const MAIN = fileURLToPath(new URL("../../../src/sandbox/api-server/main.ts", import.meta.url));
const CRDS = fileURLToPath(new URL("../../../deploy/crds", import.meta.url));

async function newStorageFile(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "amko-gitops-storage-")), "cluster1.jsonl");
}

async function startProcess(storageFile: string) {
  const args = [MAIN, "--name", "cluster1", "--storage", storageFile, "--crds", CRDS];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, ask: asking(JSON.parse(String(line))) };
}

test("a server that is killed loses nothing that it acknowledged, and uses no resourceVersion twice", async () => {
  const storageFile = await newStorageFile();
  const first = await startProcess(storageFile);
  const writes = Array.from({ length: 50 }, (_, index) => first.ask("POST", GDPS, gdp(`g${index}`)));
  const acknowledged: string[] = [];
  for (const write of writes)
    write.then(
      ({ body }) => acknowledged.push(body.metadata.name),
      () => {},
    );
  await Promise.all(writes.slice(0, 20));
  first.child.kill("SIGKILL");
  await once(first.child, "exit");

  const second = await startProcess(storageFile);
  const { items, metadata } = (await second.ask("GET", GDPS)).body;
  const names = items.map((item: ReturnType<typeof gdp>) => item.metadata.name);
  expect(acknowledged.length).toBeGreaterThanOrEqual(20);
  expect(acknowledged.filter((name) => !names.includes(name))).toEqual([]);
  const { body } = await second.ask("POST", GDPS, gdp("later"));
  expect(Number(body.metadata.resourceVersion)).toBe(Number(metadata.resourceVersion) + 1);
  second.child.kill("SIGTERM");
  expect(await once(second.child, "exit")).toEqual([0, null]);
});

test("a restarted server has the same namespace, objects, definitions and past", async () => {
  const storageFile = await newStorageFile();
  const first = await freshServer({ storageFile });
  const namespace = (await first.ask("GET", "/api/v1/namespaces/avi-system")).body;
  const since = namespace.metadata.resourceVersion;
  const { body } = await first.ask("POST", GDPS, gdp("kept"));
  await first.ask("DELETE", `${DEFINITION_PATH}/gslbconfigs.amko.vmware.com`);
  await first.stop({ abruptly: true });

  const second = await freshServer({ storageFile });
  expect((await second.ask("GET", "/api/v1/namespaces/avi-system")).body).toEqual(namespace);
  expect((await second.ask("GET", `${GDPS}/kept`)).body).toEqual(body);
  expect((await second.ask("GET", DEFINITION_PATH)).body.items).toHaveLength(2);
  const watched = await second.ask("GET", `${GDPS}?watch=true&resourceVersion=${since}&timeoutSeconds=1`);
  expect(watched.body).toMatchObject({ type: "ADDED", object: { metadata: { name: "kept" } } });
  await second.stop({ abruptly: false });
});

test("a last line that was torn is dropped, and writing goes on after it", async () => {
  const storageFile = await newStorageFile();
  const first = await freshServer({ storageFile });
  await first.ask("POST", GDPS, gdp("whole"));
  await first.stop({ abruptly: true });
  await appendFile(storageFile, '{"type":"put","revision":99,"key":"amko');

  const second = await freshServer({ storageFile });
  expect((await second.ask("POST", GDPS, gdp("next"))).code).toBe(201);
  await second.stop({ abruptly: true });
  const lines = (await readFile(storageFile, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).revision)).toEqual(lines.map((_, index) => index + 1));
});

test("a line that is damaged in the middle is an error that names it", async () => {
  const storageFile = await newStorageFile();
  await writeFile(storageFile, '{"type":"mark","revision":1}\n{"typ\n{"type":"mark","revision":3}\n');
  await expect(freshServer({ storageFile })).rejects.toThrow(`${storageFile}:2: damaged record`);
});

test("a long journal is rewritten at start as what is left, and revisions go on", async () => {
  const storageFile = await newStorageFile();
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "n" } };
  const lines = Array.from({ length: 20_001 }, (_, index) => {
    const revision = index + 1;
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    return JSON.stringify({ type: "put", revision, key: `k${index % 2}`, object: versioned });
  });
  await writeFile(storageFile, `${lines.join("\n")}\n`);
  const store = openStore(openJournal(storageFile));
  expect(store.put("k1", object).metadata.resourceVersion).toBe("20002");
  store.close();
  expect((await readFile(storageFile, "utf8")).trimEnd().split("\n")).toHaveLength(4);
  const again = openStore(openJournal(storageFile));
  expect([again.revision(), again.list("").map(([key]) => key)]).toEqual([20_002, ["k0", "k1"]]);
  expect(() => again.eventsAfter(20_000)).toThrow(expect.objectContaining({ code: 410 }));
  again.close();
});

test("history is bounded: what is older gets 410", () => {
  const store = openStore({ records: [], append() {}, rewrite() {}, close() {} });
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
  for (let index = 0; index < 10_001; index += 1) store.put("k", object);
  expect(() => store.eventsAfter(0)).toThrow(expect.objectContaining({ code: 410 }));
  expect(store.eventsAfter(10_000)).toHaveLength(1);
});
