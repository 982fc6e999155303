import { createHash } from "node:crypto";
import { applyDelta } from "./delta.ts";
import { createLru } from "./lru.ts";
import { damagedPack, packTooLarge } from "./pack-complaint.ts";
import {
  type DeltaBase,
  type FoldedData,
  type PackEntry,
  type PackedType,
  readPackEntries,
  unfold,
} from "./pack-entries.ts";

/** The objects of received packs, kept folded as they came; what was read last is kept unfolded too. */
export interface PackedObjects {
  has(id: string): boolean;
  read(id: string): { readonly type: PackedType; readonly bytes: Uint8Array } | null;
  /** Takes in a whole pack, or nothing of it. @throws FederationError AG2008 when it is damaged, AG2009 when it is too large. */
  add(pack: Uint8Array): void;
}

/** Enough that a command reads ten thousand small revisions without unfolding anything twice. */
const UNFOLDED_KEPT_MAX_BYTES = 32 * 1024 * 1024;
const OBJECT_OVERHEAD_BYTES = 300;
/** Git itself makes and reads no longer chains. */
const CHAIN_MAX = 4_095;
/** What a pack's objects may be together, whole; 50,000 revisions of a folder of 1,000 clusters are half of it. */
const OBJECTS_MAX_BYTES = 4 * 1024 * 1024 * 1024;

interface Packed {
  readonly type: PackedType;
  readonly folded: FoldedData;
  /** Null for an object that stands there whole. */
  readonly base: Packed | null;
  /** How many deltas make it. */
  readonly chain: number;
}

export function createPackedObjects(): PackedObjects {
  const packed = new Map<string, Packed>();
  const unfolded = createLru<Packed, Uint8Array>({
    weightMax: UNFOLDED_KEPT_MAX_BYTES,
    weigh: ({ length }) => length + OBJECT_OVERHEAD_BYTES,
  });

  /** Walks down to the next base that is known, then up again, without recursion: a chain may be long. */
  function contentOf(wanted: Packed): Uint8Array {
    const deltas: Packed[] = [];
    let at = wanted;
    let bytes = unfolded.get(at);
    while (bytes === undefined && at.base !== null) {
      deltas.push(at);
      at = at.base;
      bytes = unfolded.get(at);
    }
    if (bytes === undefined) {
      bytes = unfold(at.folded);
      unfolded.set(at, bytes);
    }
    for (const delta of deltas.reverse()) {
      bytes = applyDelta(bytes, unfold(delta.folded));
      unfolded.set(delta, bytes);
    }
    return bytes;
  }

  return {
    has: (id) => packed.has(id),
    read(id) {
      const found = packed.get(id);
      return found === undefined ? null : { type: found.type, bytes: contentOf(found) };
    },
    add(pack) {
      const index = createIndex((id) => packed.get(id), contentOf, unfolded.set);
      for (const entry of readPackEntries(pack)) index.add(entry);
      for (const [id, object] of index.finish()) packed.set(id, object);
    },
  };
}

interface PackIndex {
  add(entry: PackEntry): void;
  /** @throws FederationError AG2008 when there are deltas without their base. */
  finish(): ReadonlyMap<string, Packed>;
}

/**
 * Finds the ids of a pack's objects. A base mostly stands before what is made of it; where it does not, which a server
 * may do that names bases by their ids, the delta waits for it.
 */
function createIndex(
  elsewhere: (id: string) => Packed | undefined,
  contentOf: (object: Packed) => Uint8Array,
  keep: (object: Packed, bytes: Uint8Array) => void,
): PackIndex {
  const byId = new Map<string, Packed>();
  const byOffset = new Map<DeltaBase, Packed>();
  const waiting = new Map<DeltaBase, PackEntry[]>();
  let madeBytes = 0;

  const find = (base: DeltaBase): Packed | undefined =>
    typeof base === "number" ? byOffset.get(base) : (byId.get(base) ?? elsewhere(base));

  function wait(base: DeltaBase, { offset, form, folded }: PackEntry): void {
    const others = waiting.get(base);
    // Without its data, which would pile up here.
    const entry = { offset, form, folded, data: new Uint8Array() };
    if (others === undefined) waiting.set(base, [entry]);
    else others.push(entry);
  }

  /** Gives an object its place; what waited for it comes back. */
  function place(entry: PackEntry, base: Packed | null, type: PackedType, bytes: Uint8Array): readonly PackEntry[] {
    madeBytes += bytes.length;
    if (madeBytes > OBJECTS_MAX_BYTES) throw packTooLarge(OBJECTS_MAX_BYTES);
    const object = { type, folded: entry.folded, base, chain: base === null ? 0 : base.chain + 1 };
    if (object.chain > CHAIN_MAX) throw damagedPack("it holds too long a chain of deltas");
    const id = createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
    byId.set(id, object);
    byOffset.set(entry.offset, object);
    keep(object, bytes);
    return [entry.offset, id].flatMap((key) => {
      const released = waiting.get(key) ?? [];
      waiting.delete(key);
      return released;
    });
  }

  function placeDelta(entry: PackEntry, from: DeltaBase, data: Uint8Array): readonly PackEntry[] {
    const base = find(from);
    if (base !== undefined) return place(entry, base, base.type, applyDelta(contentOf(base), data));
    wait(from, entry);
    return [];
  }

  return {
    add(entry) {
      const { form, data } = entry;
      const first = "base" in form ? placeDelta(entry, form.base, data) : place(entry, null, form.type, data);
      if (first.length === 0) return;
      const released = [...first];
      for (let next = released.pop(); next !== undefined; next = released.pop()) {
        if ("base" in next.form) released.push(...placeDelta(next, next.form.base, unfold(next.folded)));
      }
    },
    finish() {
      if (waiting.size > 0) throw damagedPack("it holds the difference to an object that is not there");
      return byId;
    },
  };
}
