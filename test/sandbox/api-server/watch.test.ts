import { afterEach, beforeEach, expect, test } from "vitest";
import { freshServer, GDPS, gdp } from "./support.ts";

let server: Awaited<ReturnType<typeof freshServer>>;
let stopped: AbortController;
beforeEach(async () => {
  server = await freshServer();
  stopped = new AbortController();
});
afterEach(async () => {
  stopped.abort();
  await server.stop({ abruptly: true });
});

// biome-ignore lint/suspicious/noExplicitAny: tests read events by path, and a wrong path fails the test
type Event = any;

interface Watch {
  /** The next so many events. */
  next(count: number): Promise<readonly Event[]>;
  /** All events up to the end of the stream. */
  rest(): Promise<readonly Event[]>;
}

async function watch(query: string, { path = GDPS, accept = "application/json" } = {}): Promise<Watch> {
  const url = `${server.url}${path}?watch=true&${query}`;
  const response = await fetch(url, { headers: { accept }, signal: stopped.signal });
  expect(response.status).toBe(200);
  const events = readLines(response);
  const rest = async (limit = Number.POSITIVE_INFINITY): Promise<readonly Event[]> => {
    const seen: Event[] = [];
    while (seen.length < limit) {
      const { done, value } = await events.next();
      if (done === true) break;
      seen.push(value);
    }
    return seen;
  };
  return { next: rest, rest: () => rest() };
}

async function* readLines(response: Response): AsyncGenerator<Event> {
  let text = "";
  for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

const revision = async (): Promise<string> => (await server.ask("GET", GDPS)).body.metadata.resourceVersion;
const create = (name: string, labels = {}) => server.ask("POST", GDPS, gdp(name, { ttl: 1 }, { labels }));
const merge = (name: string, patch: unknown) =>
  server.ask("PATCH", `${GDPS}/${name}`, patch, { contentType: "application/merge-patch+json" });
const remove = (name: string) => server.ask("DELETE", `${GDPS}/${name}`);
const brief = (events: readonly Event[]) => events.map(({ type, object }) => `${type} ${object.metadata.name}`);

test("tells of every change after a resourceVersion, past and to come, in order", async () => {
  const since = await revision();
  await create("a");
  await merge("a", { spec: { ttl: 2 } });
  const changes = await watch(`resourceVersion=${since}`);
  expect(brief(await changes.next(2))).toEqual(["ADDED a", "MODIFIED a"]);
  await remove("a");
  await create("b");
  const [deleted, added] = await changes.next(2);
  expect(brief([deleted, added])).toEqual(["DELETED a", "ADDED b"]);
  expect(Number(deleted.object.metadata.resourceVersion)).toBeGreaterThan(Number(since) + 2);
  expect(deleted.object.spec.ttl).toBe(2);
});

test.each(["", "resourceVersion=0"])("begins with all there is when asked with '%s'", async (query) => {
  await create("a");
  await create("b");
  const changes = await watch(query);
  expect(brief(await changes.next(2))).toEqual(["ADDED a", "ADDED b"]);
});

test("shows nothing of other kinds, of other namespaces, and of dry runs", async () => {
  const changes = await watch(`resourceVersion=${await revision()}`);
  await server.ask("POST", "/api/v1/namespaces/avi-system/configmaps", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x" },
  });
  await server.ask("POST", GDPS.replace("avi-system", "default"), gdp("elsewhere"));
  await server.ask("POST", `${GDPS}?dryRun=All`, gdp("dry"));
  await create("seen");
  expect(brief(await changes.next(1))).toEqual(["ADDED seen"]);
});

test("with a selector, what begins to fit is added and what ceases to is deleted", async () => {
  await create("a");
  const changes = await watch(`resourceVersion=${await revision()}&labelSelector=tier=gold`);
  await merge("a", { metadata: { labels: { tier: "gold" } } });
  await merge("a", { spec: { ttl: 3 } });
  await merge("a", { metadata: { labels: { tier: null } } });
  await remove("a");
  await create("b", { tier: "gold" });
  expect(brief(await changes.next(4))).toEqual(["ADDED a", "MODIFIED a", "DELETED a", "ADDED b"]);
  const named = await watch("resourceVersion=0&fieldSelector=metadata.name=b");
  expect(brief(await named.next(1))).toEqual(["ADDED b"]);
});

test("ends when it was asked to, with a bookmark of how far it came", async () => {
  const changes = await watch(`resourceVersion=${await revision()}&timeoutSeconds=1&allowWatchBookmarks=true`);
  const [bookmark, ...more] = await changes.rest();
  expect(more).toEqual([]);
  expect(bookmark).toMatchObject({
    type: "BOOKMARK",
    object: { kind: "GlobalDeploymentPolicy", metadata: { resourceVersion: await revision() } },
  });
});

test("a start that was compacted away is an ERROR event with 410", async () => {
  const since = await revision();
  await create("a");
  server.compact();
  const [error, ...more] = await (await watch(`resourceVersion=${since}`)).rest();
  expect(error).toMatchObject({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } });
  expect(more).toEqual([]);
  const current = await watch(`resourceVersion=${await revision()}`);
  await create("b");
  expect(brief(await current.next(1))).toEqual(["ADDED b"]);
});

test("refuses sendInitialEvents as a server without that feature does", async () => {
  const answer = await server.ask(
    "GET",
    `${GDPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  );
  expect(answer).toMatchObject({ code: 422, body: { reason: "Invalid" } });
  expect(answer.body.details.causes[0].field).toBe("sendInitialEvents");
});

test("refuses a selector that makes no sense before anything is sent", async () => {
  expect((await server.ask("GET", `${GDPS}?watch=true&fieldSelector=spec.ttl=1`)).code).toBe(400);
});

test("sends tables to those who want them, with columns once", async () => {
  await create("a");
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const changes = await watch("resourceVersion=0", { accept });
  const [first] = await changes.next(1);
  await merge("a", { spec: { ttl: 9 } });
  const [second] = await changes.next(1);
  expect(first).toMatchObject({ type: "ADDED", object: { kind: "Table", columnDefinitions: [{ name: "Name" }, {}] } });
  expect(second).toMatchObject({
    type: "MODIFIED",
    object: { columnDefinitions: null, rows: [{ cells: ["a", expect.stringMatching(/s$/)] }] },
  });
});

test("all namespaces can be watched at once", async () => {
  const path = "/apis/amko.vmware.com/v1alpha2/globaldeploymentpolicies";
  const changes = await watch(`resourceVersion=${await revision()}`, { path });
  await server.ask("POST", GDPS.replace("avi-system", "default"), gdp("a"));
  await create("b");
  expect(brief(await changes.next(2))).toEqual(["ADDED a", "ADDED b"]);
});

test("stopping the server ends watches in good order", async () => {
  const changes = await watch(`resourceVersion=${await revision()}`);
  await server.stop({ abruptly: false });
  expect(await changes.rest()).toEqual([]);
  server = await freshServer();
});

test("stopping it abruptly cuts them", async () => {
  const changes = await watch(`resourceVersion=${await revision()}`);
  await server.stop({ abruptly: true });
  await expect(changes.rest()).rejects.toThrow("terminated");
  server = await freshServer();
});
