import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FederationError } from "../../src/errors.ts";
import { applyDelta } from "../../src/git/delta.ts";
import { objectIdOf } from "../../src/git/pack.ts";
import { createPackedObjects } from "../../src/git/packed-objects.ts";
import { createBareRepository } from "../../src/sandbox/git-server.ts";
import { git, temporaryFolder } from "../support/git.ts";

const damaged = expect.objectContaining({ code: "AG2008" });

/** A number as packs write it: seven bits in each byte, least first. */
function variableLength(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 128;
    bytes.push(rest % 128);
  }
  return bytes;
}

type Step = { readonly insert: Uint8Array } | { readonly offset: number; readonly length: number };

/** The bytes of one instruction, as the format says: the code's bits tell which bytes follow. */
function instruction(step: Step): number[] {
  if ("insert" in step) return [step.insert.length, ...step.insert];
  const numbers = [0, 8, 16, 24].map((shift) => (step.offset >>> shift) & 255);
  const lengths = [0, 8, 16].map((shift) => (step.length === 0x10000 ? 0 : (step.length >>> shift) & 255));
  const following = [...numbers, ...lengths];
  const code = following.reduce((bits, byte, index) => (byte === 0 ? bits : bits | (1 << index)), 128);
  return [code, ...following.filter((byte) => byte !== 0)];
}

function deltaOf(base: Uint8Array, steps: readonly Step[]): { readonly delta: Uint8Array; readonly made: Uint8Array } {
  const parts = steps.map((step) =>
    "insert" in step ? step.insert : base.slice(step.offset, step.offset + step.length),
  );
  const made = Buffer.concat(parts);
  const sizes = [...variableLength(base.length), ...variableLength(made.length)];
  return { delta: Uint8Array.from([...sizes, ...steps.flatMap(instruction)]), made };
}

const stepsOn = (base: Uint8Array): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 127 }).map((insert) => ({ insert })),
      fc
        .tuple(fc.nat(base.length - 1), fc.nat())
        .map(([offset, rest]) => ({ offset, length: 1 + (rest % Math.min(base.length - offset, 0xffffff)) })),
    ),
    { maxLength: 8 },
  );

const bases = (): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.constantFrom(1, 40, 400))
    .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)));

describe("a delta", () => {
  it("makes what its instructions say", () => {
    const withSteps = bases().chain((base) => fc.tuple(fc.constant(base), stepsOn(base)));
    fc.assert(
      fc.property(withSteps, ([base, steps]) => {
        const { delta, made } = deltaOf(base, steps);
        expect(Buffer.compare(applyDelta(base, delta), made)).toBe(0);
      }),
    );
  });

  it("copies 65,536 bytes where it names no length", () => {
    const base = Buffer.alloc(0x10000, "abc");
    const { delta, made } = deltaOf(base, [{ offset: 0, length: 0x10000 }]);
    expect(delta).toHaveLength(3 + 3 + 1);
    expect(Buffer.compare(applyDelta(base, delta), made)).toBe(0);
  });

  it("is refused where it is cut or belongs to another object; a changed one makes as much as it says, or nothing", () => {
    const base = Buffer.from("the quick brown fox jumps over the lazy dog");
    const { delta, made } = deltaOf(base, [{ offset: 4, length: 20 }, { insert: Buffer.from("!?") }]);
    for (let length = 0; length < delta.length; length += 1) {
      expect(() => applyDelta(base, delta.subarray(0, length))).toThrowError(damaged);
    }
    expect(() => applyDelta(base.subarray(1), delta)).toThrowError(damaged);
    expect(() => applyDelta(base, Uint8Array.from([...delta, 0]))).toThrowError(damaged);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: delta.length - 1 }), fc.nat(255), (index, byte) => {
        const changed = Uint8Array.from(delta, (old, at) => (at === index ? byte : old));
        try {
          expect(applyDelta(base, changed)).toHaveLength(made.length);
        } catch (error) {
          expect(error).toBeInstanceOf(FederationError);
        }
      }),
    );
  });
});

/** Versions of a file as people leave them behind: lines added, taken away, changed, moved. */
const versions = (): fc.Arbitrary<readonly string[]> => {
  const edit = fc.record({ at: fc.nat(), count: fc.nat(5), text: fc.string({ maxLength: 30 }), move: fc.boolean() });
  return fc.tuple(fc.nat(400), fc.array(edit, { minLength: 1, maxLength: 40 })).map(([lines, edits]) => {
    let current = Array.from({ length: lines }, (_, index) => `line ${index * 7919} of a manifest`);
    return edits.map(({ at, count, text, move }) => {
      const taken = current.splice(at % (current.length + 1), count, text);
      if (move) current = [...taken, ...current];
      return `${current.join("\n")}\n`;
    });
  });
};

describe("git's own packs", () => {
  it("are read to the byte, however they name the bases of their deltas", async () => {
    await using folder = await temporaryFolder();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        versions(),
        fc.constantFrom("--delta-base-offset", "--no-reuse-delta"),
        async (texts, option) => {
          count += 1;
          const repository = await createBareRepository(folder.path, `${count}.git`);
          const stream = texts.map((text, index) => commitStep(text, index)).join("");
          await git(repository, ["fast-import", "--quiet"], { input: stream });
          const ids = (await git(repository, ["rev-list", "--objects", "--no-object-names", "main"])).split("\n");
          const packs = `${folder.path}/${count}`;
          await mkdir(packs);
          const flags = ["-q", "--depth=250", "--window=20", option];
          await git(repository, ["pack-objects", ...flags, `${packs}/p`], { input: `${ids.join("\n")}\n` });
          const objects = createPackedObjects();
          const [name = ""] = (await readdir(packs)).filter((file) => file.endsWith(".pack"));
          objects.add(await readFile(`${packs}/${name}`));
          for (const id of ids) {
            const found = objects.read(id);
            expect(objectIdOf(found as never)).toBe(id);
          }
          expect(ids.every((id) => objects.has(id))).toBe(true);
          const head = await git(repository, ["rev-parse", "main:a/file.yaml"]);
          expect(Buffer.from(objects.read(head)?.bytes ?? []).toString()).toBe(texts.at(-1));
        },
      ),
      { numRuns: 12 },
    );
  });
});

function commitStep(text: string, index: number): string {
  const data = (value: string) => `data ${Buffer.byteLength(value)}\n${value}\n`;
  return `commit refs/heads/main\ncommitter A <a@b> ${1_700_000_000 + index} +0000\n${data("x")}M 100644 inline a/file.yaml\n${data(text)}`;
}

describe("a pack in an unusual order", () => {
  const bytes = Buffer.from("a first version of a file, long enough to be worth a delta\n");
  const first = { type: "blob", bytes } as const;
  const { delta, made } = deltaOf(bytes, [{ offset: 0, length: 20 }, { insert: Buffer.from("second") }]);
  const second = { type: "blob", bytes: made } as const;
  const { delta: further, made: last } = deltaOf(made, [{ offset: 5, length: 10 }]);
  const whole = entry(3, first.bytes, []);
  const onFirst = entry(7, delta, [...Buffer.from(objectIdOf(first), "hex")]);
  const onSecond = entry(7, further, [...Buffer.from(objectIdOf(second), "hex")]);
  const lastId = objectIdOf({ type: "blob", bytes: last });

  it.each([
    [whole, onFirst, onSecond],
    [onSecond, onFirst, whole],
    [onFirst, whole, onSecond],
    [onSecond, whole, onFirst],
  ])("is read, since a delta may stand before its base (%#)", (...entries) => {
    const objects = createPackedObjects();
    objects.add(packOf(entries));
    expect(Buffer.from(objects.read(lastId)?.bytes ?? [])).toEqual(last);
  });

  it("is read where an earlier pack holds the base", () => {
    const objects = createPackedObjects();
    objects.add(packOf([whole, onFirst]));
    objects.add(packOf([onSecond]));
    expect(Buffer.from(objects.read(lastId)?.bytes ?? [])).toEqual(last);
  });

  it("is refused where nothing holds the base, and leaves nothing behind", () => {
    const objects = createPackedObjects();
    expect(() => objects.add(packOf([whole, onSecond]))).toThrowError(damaged);
    expect(objects.has(objectIdOf(first))).toBe(false);
  });

  it("is refused where a chain is longer than git makes them, and read up to there", () => {
    const same = (base: Uint8Array) => deltaOf(base, [{ offset: 0, length: base.length - 1 }]);
    const chain = (length: number): readonly Buffer[] => {
      let base: Uint8Array = Buffer.alloc(length + 1, "x");
      const entries = [entry(3, base, [])];
      for (let index = 0; index < length; index += 1) {
        const next = same(base);
        entries.push(entry(7, next.delta, [...Buffer.from(objectIdOf({ type: "blob", bytes: base }), "hex")]));
        base = next.made;
      }
      return entries;
    };
    createPackedObjects().add(packOf(chain(4_095)));
    expect(() => createPackedObjects().add(packOf(chain(4_096)))).toThrowError(damaged);
  });
});

function entry(type: number, data: Uint8Array, base: readonly number[]): Buffer {
  const [low, rest] = [data.length % 16, Math.floor(data.length / 16)];
  const head = rest === 0 ? [(type << 4) | low] : [128 | (type << 4) | low, ...variableLength(rest)];
  return Buffer.concat([Uint8Array.from([...head, ...base]), deflateSync(data)]);
}

function packOf(entries: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
  header.writeUInt32BE(entries.length, 8);
  const content = Buffer.concat([header, ...entries]);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}
