import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createObjectStore } from "../../src/git/object-store.ts";
import { formatPack, inspectPack, objectIdOf } from "../../src/git/pack.ts";
import { createBareRepository } from "../../src/sandbox/bare-repository.ts";
import { commitChain, git, temporaryFolder } from "../support/git.ts";

const MEBIBYTE = 1024 * 1024;

/** A pack of one object with a header of our choice; its checksum is right. */
function packOf(header: readonly number[], data: Uint8Array): Uint8Array {
  const content = Buffer.concat([
    Buffer.from("PACK\0\0\0\u0002\0\0\0\u0001", "latin1"),
    Uint8Array.from(header),
    deflateSync(data),
  ]);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}

/** Type and size as a pack writes them. */
function header(type: number, size: number): number[] {
  const bytes = [(type << 4) | (size % 16)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 128;
    bytes.push(rest % 128);
  }
  return bytes;
}

describe("a pack that we make", () => {
  it("holds what went in, for git and for ourselves", async () => {
    await using folder = await temporaryFolder();
    const repository = await createBareRepository(folder.path, "x.git");
    const contents = ["", "a", "x".repeat(15), "x".repeat(16), "x".repeat(5_000), "ü\0\n"];
    const objects = contents.map((text) => ({ type: "blob", bytes: Buffer.from(text) }) as const);
    const pack = formatPack(objects);
    expect(inspectPack(pack).objects).toBe(contents.length);
    await git(repository, ["unpack-objects", "-q", "--strict"], { input: pack });
    const store = await createObjectStore();
    await store.addPack(pack);
    for (const object of objects) {
      const id = objectIdOf(object);
      expect(await git(repository, ["cat-file", "-s", id])).toBe(String(object.bytes.length));
      expect(Buffer.from(await store.readBlob(id as never))).toEqual(object.bytes);
    }
  });
});

describe("a pack that a server sends", () => {
  it.each(["--delta-base-offset", "--no-reuse-delta"])("is read whole with git's deltas (%s)", async (option) => {
    await using folder = await temporaryFolder();
    const repository = await createBareRepository(folder.path, "x.git");
    await commitChain(repository, "main", { count: 60 });
    const ids = (await git(repository, ["rev-list", "--objects", "--no-object-names", "main"])).split("\n");
    await git(repository, ["pack-objects", "-q", "--depth=50", "--window=50", option, `${folder.path}/p`], {
      input: `${ids.join("\n")}\n`,
    });
    const pack = await readPack(folder.path);
    expect(inspectPack(pack).objects).toBe(ids.length);
    const store = await createObjectStore();
    await store.addPack(pack);
    expect(ids.every((id) => store.has(id))).toBe(true);
  });

  it("is refused when any byte of it was changed", async () => {
    const pack = formatPack([{ type: "blob", bytes: Buffer.from("hello, federation") }]);
    fc.assert(
      fc.property(fc.nat(pack.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const broken = Uint8Array.from(pack, (byte, at) => (at === index ? byte ^ change : byte));
        expect(() => inspectPack(broken)).toThrowError(expect.objectContaining({ code: "AG2008" }));
      }),
    );
  });

  it("is refused when an object is not as large as it says, in either direction", () => {
    const data = Buffer.from("0123456789");
    expect(inspectPack(packOf(header(3, 10), data)).objects).toBe(1);
    for (const size of [0, 9, 11, 1_000]) {
      expect(() => inspectPack(packOf(header(3, size), data))).toThrowError(
        expect.objectContaining({ code: "AG2008" }),
      );
    }
  });

  it("is refused before it unfolds to more than memory holds", () => {
    const bomb = packOf(header(3, 65 * MEBIBYTE), Buffer.alloc(65 * MEBIBYTE));
    expect(bomb.length).toBeLessThan(MEBIBYTE);
    expect(() => inspectPack(bomb)).toThrowError(expect.objectContaining({ code: "AG2009" }));
    const liar = packOf(header(3, 100), Buffer.alloc(65 * MEBIBYTE));
    expect(() => inspectPack(liar)).toThrowError(expect.objectContaining({ code: "AG2008" }));
    const enormous = packOf(header(3, 2 ** 45), Buffer.alloc(1));
    expect(() => inspectPack(enormous)).toThrowError(expect.objectContaining({ code: "AG2009" }));
  });

  it("is refused when a delta would make too much of too little", () => {
    const sizes = [1, 0x80, 0x80, 0x80, 0x80, 0x01];
    const delta = Buffer.from([...sizes, 0]);
    const base = new Array<number>(20).fill(7);
    const pack = packOf([...header(7, delta.length), ...base], delta);
    expect(() => inspectPack(pack)).toThrowError(expect.objectContaining({ code: "AG2009" }));
  });
});

async function readPack(folder: string): Promise<Uint8Array> {
  const name = (await readdir(folder)).find((file) => file.endsWith(".pack"));
  return readFile(`${folder}/${name}`);
}
