/** How many members are talked to at a time. */
export const MEMBERS_AT_ONCE_MAX = 32;

/** Works on all items, so many at a time; settles when every one is done. `work` must not throw. */
export async function inParallel<T>(
  items: Iterable<T>,
  atOnceMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items].values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
}
