import { readFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import type { Json } from "../../src/core/model.ts";
import { contextsOf, giveMembers } from "../support/members-secret.ts";
import { type World, type WorldCluster, waitUntil } from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

/** How many changes are made; 1,000 prove more and take some minutes. */
const CHANGES = Number(process.env["AMKO_GITOPS_TEST_CHANGES"] ?? "100");
const LIMIT_MS = 120_000 + CHANGES * 2_000;
const GDP = "global-gdp";
/** Main, and per cluster an acknowledgement and an identity; the leader's claim. */
const REFS = 8;
/** A commit, its three trees and a blob. */
const OBJECTS_PER_COMMIT = 5;
const MIB = 1024 * 1024;
/** What an agent may have grown by from the first third of the changes to the last. */
const GROWTH_MAX_BYTES = 40 * MIB;
const SAMPLES_EVERY = Math.max(1, Math.floor(CHANGES / 100));

const world = useWorld({ direct: true });

/** Resident memory of a process, as the kernel counts it. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

async function sample({ clusters }: World): Promise<readonly number[]> {
  return Promise.all(clusters.map(({ agent }) => residentBytes(agent()?.pid ?? 0)));
}

/** What each cluster's GDP says, as the watches tell it. */
async function observe(clusters: readonly WorldCluster[]) {
  const seen = new Map<string, number>();
  const watches = clusters.map(({ name, objects }) =>
    objects.watch("GlobalDeploymentPolicy", ({ object }) => {
      const { ttl } = object.spec as { readonly ttl?: Json };
      seen.set(name, Number(ttl));
    }),
  );
  const leave = await Promise.all(watches);
  return { seen, stop: async () => void (await Promise.all(leave.map((stop) => stop()))) };
}

/** The leader is given what it needs to nudge its members, so that what is measured is not their polls. */
beforeAll(async () => {
  const { leader, clusters, settled } = world();
  await leader.agent()?.stop();
  await giveMembers(leader, contextsOf(clusters));
  leader.startAgent();
  await settled();
}, 60_000);

test(
  `${CHANGES} changes, each awaited on all followers, are as many commits, and nothing piles up`,
  async () => {
    tellLogs(world());
    const { leader, clusters, followers, git, refs } = world();
    const start = await world().settled();
    const objectsBefore = await countObjects(world());
    const { seen, stop } = await observe(clusters);
    const memory: (readonly number[])[] = [];
    const durationsMs: number[] = [];
    for (let index = 1; index <= CHANGES; index += 1) {
      const startMs = performance.now();
      await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 100 + index } });
      await soon(`every follower holds change ${index}`, async () => {
        return followers.every(({ name }) => seen.get(name) === 100 + index);
      });
      durationsMs.push(performance.now() - startMs);
      if (index % SAMPLES_EVERY === 0) memory.push(await sample(world()));
    }
    await stop();
    await world().settled();
    expect(Number(await git("rev-list", "--count", `${start}..main`))).toBe(CHANGES);
    expect(Number(await git("rev-list", "--count", "--merges", "main"))).toBe(0);
    expect((await refs()).size).toBe(REFS);
    const { loose, packs } = await countObjects(world());
    expect(packs).toBe(objectsBefore.packs);
    expect(loose - objectsBefore.loose).toBeLessThanOrEqual(CHANGES * OBJECTS_PER_COMMIT);
    report(durationsMs, memory, clusters);
    expectFlat(memory, clusters);
  },
  LIMIT_MS,
);

test(
  `of ${CHANGES} changes that nobody waits for, the last wins everywhere`,
  async () => {
    tellLogs(world());
    const { leader, clusters, git, refs } = world();
    const start = await world().settled();
    const startMs = performance.now();
    for (let index = 1; index <= CHANGES; index += 1) {
      await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 10_000 + index } });
    }
    const madeMs = performance.now() - startMs;
    for (const { name, objects } of clusters) {
      await waitUntil(`${name} holds the last change`, async () => {
        const spec = (await objects.get("GlobalDeploymentPolicy", GDP))?.spec as { readonly ttl?: Json } | undefined;
        return spec?.ttl === 10_000 + CHANGES || `ttl ${spec?.ttl}`;
      });
    }
    await world().settled();
    expect(await git("show", `main:federation/globaldeploymentpolicy/${GDP}.yaml`)).toContain(
      `ttl: ${10_000 + CHANGES}`,
    );
    const commits = Number(await git("rev-list", "--count", `${start}..main`));
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThanOrEqual(CHANGES);
    expect((await refs()).size).toBe(REFS);
    process.stdout.write(`${CHANGES} changes made in ${Math.round(madeMs)} ms became ${commits} commits\n`);
  },
  LIMIT_MS,
);

/** Looks more often than a person would, so that what is measured is the product. */
async function soon(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function countObjects({ git }: World): Promise<{ readonly loose: number; readonly packs: number }> {
  const text = await git("count-objects", "-v");
  const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1]);
  return { loose: count("count"), packs: count("packs") };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function windows(memory: readonly (readonly number[])[], cluster: number): readonly [first: number, last: number] {
  const values = memory.map((row) => row[cluster] ?? 0);
  const third = Math.ceil(values.length / 3);
  return [median(values.slice(0, third)), median(values.slice(-third))];
}

function expectFlat(memory: readonly (readonly number[])[], clusters: readonly WorldCluster[]): void {
  for (const [index, { name }] of clusters.entries()) {
    const [first, last] = windows(memory, index);
    expect(last - first, `growth of the agent of ${name} in bytes`).toBeLessThan(GROWTH_MAX_BYTES);
  }
}

function report(
  durationsMs: readonly number[],
  memory: readonly (readonly number[])[],
  clusters: readonly WorldCluster[],
): void {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  const resident = clusters.map(({ name }, index) => {
    const [first, last] = windows(memory, index).map((bytes) => Math.round(bytes / MIB));
    return `${name} ${first} -> ${last} MiB`;
  });
  process.stdout.write(
    `${durationsMs.length} changes: median ${at(0.5)} ms, 90 % ${at(0.9)} ms, longest ${at(1)} ms; resident ${resident.join(", ")}\n`,
  );
}
