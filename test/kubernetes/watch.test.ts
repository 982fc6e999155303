import { getEventListeners } from "node:events";
import type { ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AmkoKind } from "../../src/core/model.ts";
import {
  answerJson,
  item,
  type LogLine,
  list,
  ManualClock,
  open,
  type Received,
  type ScriptedServer,
  startScriptedServer,
  status,
  until,
} from "./support.ts";

const KIND = "GSLBConfig";

interface Lives {
  /** What a list of the kind under test answers; the n-th from 0. */
  list?: (turn: number, response: ServerResponse) => void;
  /** What a watch of it answers. */
  watch?: (turn: number, response: ServerResponse) => void;
  /** Sees the watches of all three kinds. */
  everyWatch?: (response: ServerResponse) => void;
}

interface Scene {
  readonly server: ScriptedServer;
  readonly clock: ManualClock;
  readonly changes: () => number;
  readonly lists: () => number;
  readonly watches: () => readonly Received[];
  /** How many watches of any kind the client has seen begin; the server knows earlier. */
  readonly begun: () => number;
  readonly silenceMs: () => number;
  readonly stalledMs: () => number;
  readonly stop: () => Promise<void>;
  readonly lines: readonly LogLine[];
}

const of = (request: Received) => request.path.endsWith("gslbconfigs");
const isWatch = (request: Received) => request.query.get("watch") === "true";

function quiet(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.flushHeaders();
}

function event(response: ServerResponse, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

/** Watches a server whose GSLBConfig follows a script, while the other two kinds are healthy and quiet. */
async function watching(
  lives: Lives,
  changed: (kind: AmkoKind) => void = () => undefined,
  stop = new AbortController(),
): Promise<Scene> {
  const turns = { list: 0, watch: 0 };
  const server = await startScriptedServer((request, response) => {
    const kind = isWatch(request) ? "watch" : "list";
    const play = of(request) ? lives[kind] : undefined;
    if (of(request)) turns[kind] += 1;
    if (kind === "watch") lives.everyWatch?.(response);
    if (play !== undefined) play(turns[kind] - 1, response);
    else if (kind === "watch") quiet(response);
    else answerJson(response, 200, list([]));
  });
  const clock = new ManualClock();
  const { cluster, observed, lines } = open(server.url, { clock });
  let changes = 0;
  const handle = cluster.watch((kind) => {
    if (kind === KIND) changes += 1;
    changed(kind);
  }, stop.signal);
  onTestFinished(() => stop.abort());
  return {
    server,
    clock,
    changes: () => changes,
    lists: () => turns.list,
    watches: () => server.received.filter((request) => of(request) && isWatch(request)),
    begun: () => observed.filter(({ verb, status: code }) => verb === "watch" && code === 200).length,
    silenceMs: handle.silenceMs,
    stalledMs: handle.stalledMs,
    stop: async () => {
      stop.abort();
      await handle.stopped;
    },
    lines,
  };
}

/** Lets a loop that waits go on, as often as it waits. */
async function waitingUntil(scene: Scene, holds: () => boolean): Promise<void> {
  await until(() => {
    scene.clock.advance(100);
    return holds();
  });
}

describe("a watch", () => {
  it("lists first, goes on from there, and asks for bookmarks and an end", async () => {
    const scene = await watching({
      list: (_turn, response) => answerJson(response, 200, list([item("a", "3")], "42")),
    });
    await until(() => scene.watches().length === 1);
    expect(Object.fromEntries(scene.watches()[0]?.query ?? [])).toEqual({
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: "42",
      timeoutSeconds: "450",
    });
    expect(scene.changes()).toBe(1);
  });

  it("tells of every event, and of no bookmark", async () => {
    let stream: ServerResponse | undefined;
    const scene = await watching({
      watch: (_turn, response) => {
        quiet(response);
        stream = response;
      },
    });
    await until(() => stream !== undefined);
    if (stream === undefined) return;
    event(stream, "BOOKMARK", { metadata: { resourceVersion: "50" } });
    event(stream, "ADDED", item("a", "51"));
    event(stream, "MODIFIED", item("a", "52"));
    event(stream, "DELETED", item("a", "53"));
    await until(() => scene.changes() === 4);
  });

  it("lists again when the server ends it, and tells only of what it missed", async () => {
    const scene = await watching({
      list: (turn, response) => answerJson(response, 200, list(turn < 2 ? [item("a", "1")] : [item("a", "2")], "9")),
      watch: (turn, response) => (turn < 2 ? response.end() : quiet(response)),
    });
    await waitingUntil(scene, () => scene.watches().length === 3);
    // The first list, and the third, which found another version; the second found what was known.
    expect(scene.changes()).toBe(2);
  });

  it("does not tell again of what its own events told", async () => {
    const scene = await watching({
      list: (turn, response) => answerJson(response, 200, list(turn === 0 ? [] : [item("a", "5")], "9")),
      watch: (turn, response) => {
        quiet(response);
        if (turn > 0) return;
        event(response, "ADDED", item("a", "5"));
        response.end();
      },
    });
    await waitingUntil(scene, () => scene.watches().length === 2);
    expect(scene.changes()).toBe(2);
  });

  it.each<[string, NonNullable<Lives["watch"]>]>([
    [
      "the version is too old, before it begins",
      (_turn, response) => answerJson(response, 410, status(410, "Expired")),
    ],
    [
      "the version is too old, in the stream",
      (_turn, response) => {
        quiet(response);
        event(response, "ERROR", status(410, "Expired"));
      },
    ],
    ["it is cut", (_turn, response) => void response.write("{", () => response.socket?.destroy())],
    ["a line is no JSON", (_turn, response) => void response.write("<html>\n")],
    ["a line is no event", (_turn, response) => void response.write('{"type":"ADDED"}\n')],
    ["the server fails in the stream", (_turn, response) => event(response, "ERROR", status(500, "InternalError"))],
    ["the server is elsewhere", (_turn, response) => answerJson(response, 503, status(503, "ServiceUnavailable"))],
    ["the credentials are refused", (_turn, response) => answerJson(response, 401, status(401, "Unauthorized"))],
    ["a proxy answers", (_turn, response) => void response.end("<html>\n")],
  ])("goes on when %s", async (_when, failing) => {
    const scene = await watching({
      list: (turn, response) => answerJson(response, 200, list([item("a", String(turn))])),
      watch: (turn, response) => (turn === 0 ? failing(turn, response) : quiet(response)),
    });
    await waitingUntil(scene, () => scene.watches().length === 2);
    expect(scene.changes()).toBe(2);
  });

  it("lists at once after its first end, without waiting for any clock", async () => {
    const scene = await watching({
      watch: (turn, response) => (turn === 0 ? answerJson(response, 410, status(410, "Expired")) : quiet(response)),
    });
    await until(() => scene.watches().length === 2);
    expect(scene.clock.asked).toContain(0);
  });

  it("waits longer after each failure in a row, up to half a minute, and never hammers the server", async () => {
    const scene = await watching({
      list: (_turn, response) => answerJson(response, 500, status(500, "InternalError")),
    });
    await until(() => {
      scene.clock.advance(1_000);
      return scene.lists() >= 14;
    });
    const waits = scene.lines.filter(({ fields }) => fields["kind"] === KIND).map(({ fields }) => fields["waitMs"]);
    expect(waits.slice(0, 10)).toEqual([0, 150, 300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 22_500]);
    expect(waits.slice(10).every((wait) => wait === 22_500)).toBe(true);
  });

  it("forgets its failures once it has lived for a while", async () => {
    const streams: ServerResponse[] = [];
    const scene = await watching({
      list: (turn, response) =>
        turn === 1 || turn === 2 ? response.socket?.destroy() : answerJson(response, 200, list([])),
      watch: (turn, response) => {
        quiet(response);
        streams[turn] = response;
      },
    });
    await until(() => scene.begun() === 3);
    scene.clock.advance(10_000);
    streams[0]?.end();
    await waitingUntil(scene, () => scene.begun() === 4);
    scene.clock.advance(10_000);
    const before = scene.clock.asked.length;
    streams[1]?.end();
    await until(() => streams.length === 3);
    expect(scene.clock.asked.slice(before)).toContain(0);
  });

  it("leaves nothing on a signal that lives for months", async () => {
    const stop = new AbortController();
    const scene = await watching(
      { watch: (turn, response) => (turn < 20 ? response.end() : quiet(response)) },
      undefined,
      stop,
    );
    const listeners = () => getEventListeners(stop.signal, "abort").length;
    await until(() => scene.server.received.filter(isWatch).length >= 3);
    const early = listeners();
    await waitingUntil(scene, () => scene.watches().length === 9);
    await until(() => listeners() <= early);
  });

  it("waits as long as it was told", async () => {
    const scene = await watching({
      list: (turn, response) =>
        turn === 0
          ? answerJson(response, 429, status(429, "TooManyRequests"), { "Retry-After": "7" })
          : answerJson(response, 200, list([])),
    });
    await until(() => scene.clock.asked.includes(7_000));
    expect(scene.lists()).toBe(1);
    scene.clock.advance(7_000);
    await until(() => scene.lists() === 2);
  });

  it("connects anew when it has been silent for too long, a bookmark being a sign of life", async () => {
    const streams: ServerResponse[] = [];
    const scene = await watching({ everyWatch: (response) => streams.push(response) });
    const guardsThatWait = (ms: number) => scene.clock.asked.filter((asked) => asked === ms).length;
    await until(() => scene.begun() === 3 && guardsThatWait(90_000) === 3);
    scene.clock.advance(60_000);
    for (const stream of streams) event(stream, "BOOKMARK", { metadata: { resourceVersion: "60" } });
    await until(() => scene.silenceMs() === 0);
    scene.clock.advance(30_000);
    await until(() => guardsThatWait(60_000) === 3);
    expect(scene.watches()).toHaveLength(1);
    scene.clock.advance(60_000);
    await until(() => scene.watches().length === 2);
  });

  it("waits for a CRD that is not there yet, and tells when it comes", async () => {
    let installed = false;
    const scene = await watching({
      list: (_turn, response) => {
        if (installed) answerJson(response, 200, list([]));
        else response.writeHead(404, { "Content-Type": "text/plain" }).end("404 page not found\n");
      },
    });
    await waitingUntil(scene, () => scene.lists() >= 3);
    expect(scene.changes()).toBe(0);
    installed = true;
    await waitingUntil(scene, () => scene.changes() === 1);
  });

  it("is not ended by a callback that throws, and says that it did", async () => {
    let stream: ServerResponse | undefined;
    const scene = await watching(
      {
        watch: (_turn, response) => {
          quiet(response);
          stream = response;
        },
      },
      () => {
        throw new Error("not mine");
      },
    );
    await until(() => stream !== undefined);
    if (stream === undefined) return;
    event(stream, "ADDED", item("a", "1"));
    event(stream, "MODIFIED", item("a", "2"));
    await until(() => scene.changes() === 3);
    expect(scene.lines).toContainEqual(
      expect.objectContaining({ level: "error", message: "the receiver of watch events failed" }),
    );
  });

  it("tells how long the most silent kind has been silent", async () => {
    const scene = await watching({ watch: (_turn, response) => quiet(response) });
    await until(() => scene.begun() === 3);
    scene.clock.advance(5_000);
    expect(scene.silenceMs()).toBe(5_000);
  });

  it.each([
    ["is away", (response: ServerResponse) => void response.destroy()],
    ["is overloaded", (response: ServerResponse) => answerJson(response, 503, {}, { "Retry-After": "60" })],
    ["lets nobody in", (response: ServerResponse) => answerJson(response, 403, status(403, "Forbidden"))],
  ])("does not count as stalled while it tries in vain, because the server %s", async (_why, refuse) => {
    const scene = await watching({
      list: (_turn, response) => refuse(response),
      everyWatch: (stream) => stream.destroy(),
    });
    const startMs = scene.clock.nowMs();
    await until(() => {
      scene.clock.advance(10_000);
      return scene.clock.nowMs() - startMs > 20 * 60_000 && scene.stalledMs() <= 60_000;
    });
  });

  it("counts as stalled where a request never ends", async () => {
    const scene = await watching({ list: () => undefined });
    await until(() => scene.begun() === 2);
    scene.clock.advance(16 * 60_000);
    expect(scene.stalledMs()).toBe(16 * 60_000);
  });

  it.each<[string, Lives]>([
    ["follows", {}],
    ["waits", { list: (_turn, response) => answerJson(response, 429, {}, { "Retry-After": "60" }) }],
    ["connects", { list: () => undefined }],
  ])("ends at once when it is told to while it %s", async (_when, lives) => {
    const scene = await watching(lives);
    await until(() => scene.server.received.length >= 3);
    await scene.stop();
    const before = scene.server.received.length;
    scene.clock.advance(600_000);
    expect(scene.server.received).toHaveLength(before);
  });
});
