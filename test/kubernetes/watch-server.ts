import type { RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { type AmkoKind, KINDS } from "../../src/core/model.ts";
import { FederationError } from "../../src/errors.ts";
import type { Api } from "../../src/kubernetes/api.ts";
import { createRequests } from "../../src/kubernetes/requests.ts";
import type { ManualClock } from "./support.ts";

/** What a server may answer to a list, or to the start of a watch. */
export type Refusal = "error" | "too many requests" | "unknown kind" | "unauthorized" | "hang" | "senseless";

/** What may become of a watch that is open. */
export type WatchEnd = "closed" | "cut in a line" | "forgotten" | "error" | "deaf";

const KUBE_TIMEOUT_MS = 10_000;
const RETRY_AFTER_MS = 7_000;

/** One collection of a simulated API server: its one object, its history, and the watches that are open on it. */
export interface Collection {
  /** Every request: lists and watches. */
  requests(): number;
  changes(): number;
  /** The object's version, or that it is not there. What came and went again while nobody saw it needs no word. */
  state(): string;
  change(how: "write" | "delete"): void;
  /** Somebody writes between the next list and the watch that follows it. */
  changeBeforeWatch(): void;
  /** Of older versions it knows nothing any more. */
  compact(): void;
  refuse(what: "list" | "watch", how: Refusal, times: number): void;
  end(how: WatchEnd): void;
  /** What the server does by itself as time passes: bookmarks, and the end that was agreed. */
  tick(): void;
  /** It refuses nothing any more; what is deaf stays deaf. */
  heal(): void;
}

interface Stream {
  readonly endsAtMs: number;
  isDeaf: boolean;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
}

interface Event {
  readonly version: number;
  readonly line: string;
}

const encoder = new TextEncoder();

/** An API server in memory and simulated time, as far as lists and watches go. */
export function createWatchServer(clock: ManualClock) {
  const collections = new Map<AmkoKind, ReturnType<typeof createCollection>>();
  for (const kind of Object.keys(KINDS) as AmkoKind[]) collections.set(kind, createCollection(kind, clock));
  const find = (context: RequestContext) => {
    const { pathname, searchParams } = new URL(context.getUrl());
    const found = [...collections].find(([kind]) => pathname.endsWith(`/${KINDS[kind].plural}`));
    if (found === undefined) throw new TypeError(`nothing is at ${pathname}`);
    return { ...found[1], searchParams };
  };
  const api: Api = {
    requests: createRequests("https://api.example.com"),
    send: async (context, _, signal) => find(await context).list(signal),
    async open(context, _, signal) {
      const { searchParams, watch } = find(await context);
      return watch(Number(searchParams.get("resourceVersion")), Number(searchParams.get("timeoutSeconds")), signal);
    },
  };
  return { api, collection: (kind: AmkoKind): Collection => collections.get(kind) as Collection };
}

function createCollection(kind: AmkoKind, clock: ManualClock) {
  let version = 1;
  let oldest = 1;
  let isThere = true;
  let requests = 0;
  let surprise = false;
  const events: Event[] = [];
  const streams = new Set<Stream>();
  const refusals: Record<"list" | "watch", Refusal[]> = { list: [], watch: [] };
  const metadata = () => ({ name: "one", uid: "uid", resourceVersion: String(version) });

  function change(how: "write" | "delete"): void {
    const type = how === "delete" ? "DELETED" : isThere ? "MODIFIED" : "ADDED";
    if (how === "delete" && !isThere) return;
    version += 1;
    isThere = how === "write";
    const event = { version, line: lineOf(type, { metadata: metadata() }) };
    events.push(event);
    for (const { isDeaf, controller } of streams) if (!isDeaf) controller.enqueue(encoder.encode(event.line));
  }

  async function refuse(what: "list" | "watch", signal: AbortSignal): Promise<void> {
    const how = refusals[what].shift();
    if (how === undefined) return;
    if (how === "hang") await clock.sleep(KUBE_TIMEOUT_MS, signal);
    throw refusalOf(how);
  }

  function close(stream: Stream, last = ""): void {
    streams.delete(stream);
    if (last !== "") stream.controller.enqueue(encoder.encode(last));
    stream.controller.close();
  }

  return {
    requests: () => requests,
    changes: () => version - 1,
    state: () => (isThere ? `at ${version}` : "not there"),
    change,
    changeBeforeWatch() {
      surprise = true;
    },
    compact() {
      oldest = version;
    },
    refuse(what: "list" | "watch", how: Refusal, times: number) {
      refusals[what] = new Array<Refusal>(times).fill(how);
    },
    end(how: WatchEnd) {
      for (const stream of [...streams]) {
        if (how === "deaf") stream.isDeaf = true;
        else if (!stream.isDeaf) close(stream, lastLine(how));
      }
    },
    tick() {
      for (const stream of [...streams].filter(({ isDeaf }) => !isDeaf)) {
        if (clock.nowMs() >= stream.endsAtMs) close(stream);
        else stream.controller.enqueue(encoder.encode(lineOf("BOOKMARK", { metadata: metadata() })));
      }
    },
    heal() {
      refusals.list = [];
      refusals.watch = [];
    },
    async list(signal: AbortSignal) {
      requests += 1;
      await refuse("list", signal);
      return { kind, metadata: { resourceVersion: String(version) }, items: isThere ? [{ metadata: metadata() }] : [] };
    },
    async watch(from: number, lifetimeS: number, signal: AbortSignal) {
      requests += 1;
      await refuse("watch", signal);
      if (surprise) change("write");
      surprise = false;
      if (from < oldest) throw new FederationError("AG3004", "too old");
      return new ReadableStream<Uint8Array>({
        start(controller) {
          const stream: Stream = { endsAtMs: clock.nowMs() + lifetimeS * 1_000, isDeaf: false, controller };
          streams.add(stream);
          for (const event of events) if (event.version > from) controller.enqueue(encoder.encode(event.line));
          signal.addEventListener("abort", () => {
            if (streams.delete(stream)) controller.error(signal.reason);
          });
        },
      }) as unknown as AsyncIterable<Buffer>;
    },
  };
}

function lineOf(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function lastLine(how: Exclude<WatchEnd, "deaf">): string {
  switch (how) {
    case "closed":
      return "";
    case "cut in a line":
      return '{"type":"MODIF';
    case "forgotten":
      return lineOf("ERROR", { kind: "Status", code: 410, reason: "Expired" });
    case "error":
      return lineOf("ERROR", { kind: "Status", code: 500 });
    default:
      return how satisfies never;
  }
}

function refusalOf(how: Refusal): FederationError {
  switch (how) {
    case "error":
      return new FederationError("AG3001", "500");
    case "too many requests":
      return new FederationError("AG3009", "429", { retryAfterMs: RETRY_AFTER_MS });
    case "unknown kind":
      return new FederationError("AG3005", "404");
    case "unauthorized":
      return new FederationError("AG3002", "401");
    case "hang":
      return new FederationError("AG3006", "no answer in time");
    case "senseless":
      return new FederationError("AG3014", "HTML");
    default:
      return how satisfies never;
  }
}
