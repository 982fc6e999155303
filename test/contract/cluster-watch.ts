import { describe, expect, it, onTestFinished } from "vitest";
import { type AmkoKind, KINDS } from "../../src/core/model.ts";
import type { Clock, WatchHandle } from "../../src/ports.ts";
import type { Gate } from "../kubernetes/gate.ts";
import { never, systemClock, until } from "../kubernetes/support.ts";
import { type Bench, errorOf, gslbConfig, installDefinitions, pathOf, removeDefinitions } from "./cluster-world.ts";

/** Makes a minute and a half of silence a matter of milliseconds. */
const HURRY = 500;

/** What a watch tells, whatever happens to its connection. */
export function watchContract(bench: () => Bench): void {
  describe("a watch", () => {
    interface Watching {
      readonly changes: (kind?: AmkoKind) => number;
      readonly handle: WatchHandle;
      /** Settles when every kind is being watched. */
      readonly settled: () => Promise<void>;
    }

    function watching(clock: Clock = systemClock()): Watching {
      const changes: AmkoKind[] = [];
      const stop = new AbortController();
      const handle = bench()
        .connect({ clock })
        .watch((kind) => changes.push(kind), stop.signal);
      onTestFinished(async () => {
        stop.abort();
        await handle.stopped;
      });
      return {
        changes: (kind = "GSLBConfig") => changes.filter((changed) => changed === kind).length,
        handle,
        settled: () =>
          until(
            () => watches(bench().gate) >= 3 && Object.keys(KINDS).every((kind) => changes.includes(kind as AmkoKind)),
          ),
      };
    }

    async function tellsOf(watch: Watching, change: () => Promise<unknown>): Promise<void> {
      const before = watch.changes();
      await change();
      await until(() => watch.changes() > before);
    }

    const create = () => bench().admin("POST", pathOf("GSLBConfig"), gslbConfig());
    const update = () => bench().admin("PATCH", `${pathOf("GSLBConfig")}/gc-1`, { spec: { logLevel: "WARN" } });
    const remove = () => bench().admin("DELETE", `${pathOf("GSLBConfig")}/gc-1`);

    it("tells of what is created, updated and deleted", async () => {
      const watch = watching();
      await watch.settled();
      await tellsOf(watch, create);
      await tellsOf(watch, update);
      await tellsOf(watch, remove);
      expect(watch.changes("AMKOCluster")).toBe(1);
    });

    it("tells of what happened while the API server was restarting", async () => {
      const watch = watching();
      await watch.settled();
      await tellsOf(watch, async () => {
        bench().gate.set({ kind: "cut" });
        bench().gate.cut();
        await create();
        await bench().world.restart();
        bench().gate.set({ kind: "open" });
      });
      await tellsOf(watch, update);
    });

    it("goes on when the version that it knows has been compacted away", async () => {
      const watch = watching();
      await watch.settled();
      await tellsOf(watch, async () => {
        bench().gate.set({ kind: "refuse", status: 503, reason: "ServiceUnavailable", headers: {} });
        bench().gate.cut();
        await create();
        await bench().world.compact();
        bench().gate.set({ kind: "open" });
      });
      await tellsOf(watch, update);
    });

    it.each<[string, () => void]>([
      ["its connection is cut", () => bench().gate.cut()],
      [
        "the API server asks to wait",
        () => {
          bench().gate.set({ kind: "refuse", status: 429, reason: "TooManyRequests", headers: { "Retry-After": "1" } });
          bench().gate.cut();
        },
      ],
      [
        "its credentials are refused for a while",
        () => {
          bench().gate.set({ kind: "refuse", status: 401, reason: "Unauthorized", headers: {} });
          bench().gate.cut();
        },
      ],
    ])("goes on when %s", async (_when, fault) => {
      const watch = watching();
      await watch.settled();
      await tellsOf(watch, async () => {
        const before = bench().gate.requests.length;
        fault();
        await create();
        await until(() => bench().gate.requests.length > before);
        bench().gate.set({ kind: "open" });
      });
      await tellsOf(watch, update);
    });

    it("goes on when it falls silent without an end", async () => {
      const watch = watching(hurriedClock());
      await watch.settled();
      await tellsOf(watch, async () => {
        bench().gate.silence();
        await create();
      });
    });

    it("waits for the CRDs, and tells when they are there", async () => {
      onTestFinished(() => installDefinitions(bench().world.upstream));
      await removeDefinitions(bench().world.upstream);
      expect(await errorOf(bench().cluster.list("GSLBConfig", never))).toMatchObject({ code: "AG3005" });
      const watch = watching();
      await until(() => bench().gate.requests.length >= 6);
      expect(watch.changes()).toBe(0);
      await tellsOf(watch, () => installDefinitions(bench().world.upstream));
      await tellsOf(watch, create);
    });
  });
}

function watches(gate: Gate): number {
  return gate.requests.filter((request) => request.includes("watch=true")).length;
}

/** Lives {@link HURRY} times as fast as the world. */
function hurriedClock(): Clock {
  const { nowMs, elapsedMs, sleep } = systemClock();
  return {
    nowMs: () => nowMs() * HURRY,
    elapsedMs: () => elapsedMs() * HURRY,
    sleep: (durationMs, signal) => sleep(durationMs / HURRY, signal),
  };
}
