/** Something that reads what others wrote. */
export interface Parser {
  readonly name: string;
  /** Valid inputs, to be broken. */
  readonly corpus: readonly Uint8Array[];
  /** What means something to it. */
  readonly words: readonly string[];
  /** Codes of the errors that it may throw; none for one that is total. */
  readonly codes: readonly string[];
  /** Reads an input, and throws also where what it read is not what it promises. */
  read(input: Uint8Array): void;
}

/** Names that lead out of the folder that they stand in. */
export function isEscaping(path: string): boolean {
  return path.startsWith("/") || path.split(/[/\\]/).some((segment) => segment === ".." || segment === ".");
}
