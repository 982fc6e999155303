/** Remembers what was used last, up to a total weight; what was not used for longest goes first. */
export interface Lru<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
}

export function createLru<Key, Value>({
  weightMax,
  weigh,
}: {
  /** Asked each time where it changes. */
  readonly weightMax: number | (() => number);
  readonly weigh: (value: Value) => number;
}): Lru<Key, Value> {
  // A Map iterates in the order of insertion, so its first entry is the one to go.
  const entries = new Map<Key, { readonly value: Value; readonly weight: number }>();
  let total = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value) {
      total -= entries.get(key)?.weight ?? 0;
      entries.delete(key);
      const weight = weigh(value);
      const most = typeof weightMax === "number" ? weightMax : weightMax();
      if (weight > most) return;
      entries.set(key, { value, weight });
      total += weight;
      for (const [oldest, entry] of entries) {
        if (total <= most) break;
        entries.delete(oldest);
        total -= entry.weight;
      }
    },
  };
}
