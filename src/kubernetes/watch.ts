import { type AmkoKind, KINDS, type ResourceVersion } from "../core/model.ts";
import { asFederationError, FederationError, hasCode } from "../errors.ts";
import type { Chance, Clock, Cluster, Log, ObjectList, WatchHandle } from "../ports.ts";
import type { Api } from "./api.ts";
import { backoffMs } from "./backoff.ts";
import { listAll } from "./objects.ts";
import { linesOf, readWatchEvent } from "./watch-stream.ts";

export interface WatchSettings {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** The server ends a watch after this and up to as much again, at random; then everything is listed afresh. */
const WATCH_LIFETIME_S = 300;
/** How much longer than it was told the server may take to end it. */
const WATCH_LIFETIME_GRACE_MS = 30_000;
/** Bookmarks come every minute on a quiet watch; a connection without a byte for longer than this is dead. */
const SILENCE_MAX_MS = 90_000;
/** A watch that lived this long was healthy: its end is no failure in a row. */
const HEALTHY_AFTER_MS = 10_000;
const BACKOFF = { firstMs: 200, maxMs: 30_000 } as const;

/**
 * Watches the three kinds, each in a loop of its own: list, watch from there, and on whatever end list again. The
 * library's informer is not used: it stops for good on most errors, and says nothing when it does.
 */
export function createWatch(api: Api, settings: WatchSettings): Pick<Cluster, "watch"> {
  return {
    watch: (changed, signal) => {
      const kinds = Object.keys(KINDS) as AmkoKind[];
      const elapsedMs = (): number => settings.clock.elapsedMs();
      const lifeSigns = new Map(kinds.map((kind) => [kind, elapsedMs()]));
      const attempts = new Map(lifeSigns);
      const loops = kinds.map((kind) =>
        supervise(
          {
            api,
            kind,
            settings,
            alive: () => lifeSigns.set(kind, elapsedMs()),
            tried: () => attempts.set(kind, elapsedMs()),
            lastSignMs: () => lifeSigns.get(kind) ?? 0,
            changed: () => tell(changed, kind, settings.log),
          },
          signal,
        ),
      );
      const handle: WatchHandle = {
        silenceMs: () => elapsedMs() - Math.min(...lifeSigns.values()),
        stalledMs: () =>
          elapsedMs() - Math.min(...kinds.map((kind) => Math.max(lifeSigns.get(kind) ?? 0, attempts.get(kind) ?? 0))),
        stopped: Promise.all(loops).then(() => undefined),
      };
      return handle;
    },
  };
}

/** The callback belongs to somebody else; its failure is reported and does not end the watch. */
function tell(changed: (kind: AmkoKind) => void, kind: AmkoKind, log: Log): void {
  try {
    changed(kind);
  } catch (error) {
    log("error", "the receiver of watch events failed", { kind, error });
  }
}

interface KindWatch {
  readonly api: Api;
  readonly kind: AmkoKind;
  readonly settings: WatchSettings;
  /** The server showed a sign of life. */
  readonly alive: () => void;
  /** An attempt has ended, whatever came of it. */
  readonly tried: () => void;
  readonly lastSignMs: () => number;
  readonly changed: () => void;
}

/** The version of each object by its name. */
type Versions = Map<string, string>;

async function supervise(watch: KindWatch, signal: AbortSignal): Promise<void> {
  const { clock, chance, log } = watch.settings;
  const memory: Memory = { known: null, openedAtMs: null };
  let failures = 0;
  while (!signal.aborted) {
    const end = await listAndFollow(watch, memory, signal);
    watch.tried();
    if (signal.aborted) return;
    if (memory.openedAtMs !== null && clock.elapsedMs() - memory.openedAtMs >= HEALTHY_AFTER_MS) failures = 0;
    // The first end of a healthy watch is followed by a list at once: most ends are restarts, timeouts and 410.
    const waitMs = end?.retryAfterMs ?? (failures === 0 ? 0 : backoffMs(failures, BACKOFF, chance));
    log(end !== null && failures === 0 ? "warn" : "debug", "watch ended; listing again", {
      kind: watch.kind,
      waitMs: Math.round(waitMs),
      failures,
      error: end,
    });
    failures += 1;
    await clock.sleep(waitMs, signal);
  }
}

/** What a kind's loop remembers from one life of its watch to the next. */
interface Memory {
  /** Null before the first list. */
  known: Versions | null;
  /** When the watch of this life began; null while it has not, however long the server took to say so. */
  openedAtMs: number | null;
}

/** One life of a watch. Returns why it ended; null when the server ended it as it should. */
async function listAndFollow(watch: KindWatch, memory: Memory, signal: AbortSignal): Promise<FederationError | null> {
  memory.openedAtMs = null;
  try {
    const { objects, version } = await listAll(watch.api, watch.kind, signal);
    watch.alive();
    const listed = versionsOf(objects);
    const missed = memory.known === null || !sameVersions(memory.known, listed);
    memory.known = listed;
    if (missed) watch.changed();
    await follow(watch, { version, known: listed, opened: () => markOpened(watch, memory) }, signal);
    return null;
  } catch (error) {
    // An answer is a sign of life, also one that says "wait" or "no such kind".
    if (hasCode(error, "AG3004", "AG3005", "AG3009")) watch.alive();
    return asFederationError(error);
  }
}

function markOpened(watch: KindWatch, memory: Memory): void {
  watch.alive();
  memory.openedAtMs = watch.settings.clock.elapsedMs();
}

interface Start {
  readonly version: ResourceVersion;
  /** Brought up to date by every event. */
  readonly known: Versions;
  readonly opened: () => void;
}

async function follow(watch: KindWatch, { version, known, opened }: Start, signal: AbortSignal): Promise<void> {
  const lifetimeS = Math.round(WATCH_LIFETIME_S * (1 + watch.settings.chance.fraction()));
  const life = new AbortController();
  const onAbort = () => life.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const guard = guardLife(watch, lifetimeS * 1_000 + WATCH_LIFETIME_GRACE_MS, life);
  try {
    const { requests, open } = watch.api;
    const subject = { verb: "watch", kind: watch.kind, name: null } as const;
    const chunks = await open(requests.watch(watch.kind, { version, lifetimeS }), subject, life.signal);
    opened();
    for await (const line of linesOf(chunks, watch.alive)) receive(watch, known, line);
  } finally {
    signal.removeEventListener("abort", onAbort);
    life.abort();
    await guard;
  }
}

function receive(watch: KindWatch, known: Versions, line: string): void {
  const event = readWatchEvent(line);
  switch (event.kind) {
    case "bookmark":
      return;
    case "changed":
      known.set(event.name, event.version);
      break;
    case "deleted":
      known.delete(event.name);
      break;
    default:
      event satisfies never;
  }
  watch.changed();
}

/** Ends a life that has fallen silent, or that the server does not end. Returns when the life is over. */
async function guardLife(watch: KindWatch, lifetimeMs: number, life: AbortController): Promise<void> {
  const { clock } = watch.settings;
  const bornAtMs = clock.elapsedMs();
  while (!life.signal.aborted) {
    const silentAtMs = watch.lastSignMs() + SILENCE_MAX_MS;
    const leftMs = Math.min(silentAtMs, bornAtMs + lifetimeMs) - clock.elapsedMs();
    if (leftMs > 0) await clock.sleep(leftMs, life.signal);
    else life.abort(new FederationError("AG3006", `The watch of ${watch.kind} is silent, or older than agreed.`));
  }
}

function versionsOf(objects: ObjectList): Versions {
  return new Map(objects.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

function sameVersions(left: Versions, right: Versions): boolean {
  return left.size === right.size && [...left].every(([name, version]) => right.get(name) === version);
}
