/** One change of one place of a source, which some test should notice. */
export interface Mutant {
  readonly file: string;
  /** Names it as long as its line stays as it is: file, line and what is done to it. */
  readonly name: string;
  readonly line: number;
  /** The whole file with the change. */
  readonly text: string;
}

/** Finds places in one line, and says what stands there instead. */
interface Operator {
  readonly name: string;
  readonly pattern: RegExp;
  replace(found: string): string;
}

const OPERATORS: readonly Operator[] = [
  swap("=== to !==", / === /g, " !== "),
  swap("!== to ===", / !== /g, " === "),
  swap("&& to ||", / && /g, " || "),
  swap("|| to &&", / \|\| /g, " && "),
  swap("?? to &&", / \?\? /g, " && "),
  swap("< to <=", / < /g, " <= "),
  swap("> to >=", / > /g, " >= "),
  swap("<= to <", / <= /g, " < "),
  swap(">= to >", / >= /g, " > "),
  swap("true to false", /\btrue\b/g, "false"),
  swap("false to true", /\bfalse\b/g, "true"),
  swap("some to every", /\.some\(/g, ".every("),
  swap("every to some", /\.every\(/g, ".some("),
  swap("not to nothing", /!(?=[\w(])/g, ""),
  swap("in its order", /\.toReversed\(\)/g, ""),
  swap("+ to -", / \+ /g, " - "),
  swap("0 to 1", /\b0\b/g, "1"),
  swap("1 to 2", /\b1\b/g, "2"),
  swap("never so", /\bif \(/g, "if (false && "),
  swap("always so", /\bif \(/g, "if (true || "),
];

/** What only types say is gone before anything runs; a comment never ran. */
const NO_CODE =
  /^\s*(?:\/\/|\/?\*|readonly |import |export type |export interface |type |interface |\| |[\w?]+\?: |case )/;

/** Every mutant of a source, one place at a time. */
export function mutantsOf(file: string, source: string): readonly Mutant[] {
  const lines = source.split("\n");
  const counts = new Map<string, number>();
  return lines.flatMap((line, index) => {
    if (NO_CODE.test(line)) return [];
    return changesOf(line).map(({ name, changed }) => {
      const plain = `${file}: ${line.trim()}: ${name}`;
      const count = (counts.get(plain) ?? 0) + 1;
      counts.set(plain, count);
      return {
        file,
        name: count === 1 ? plain : `${plain} (${count})`,
        line: index + 1,
        text: lines.with(index, changed).join("\n"),
      };
    });
  });
}

function changesOf(line: string): readonly { readonly name: string; readonly changed: string }[] {
  const inText = textsOf(line);
  return OPERATORS.flatMap(({ name, pattern, replace }) =>
    [...line.matchAll(pattern)]
      .filter(({ index }) => !inText.some(([start, end]) => index >= start && index < end))
      .map(({ index, 0: found }) => ({
        name,
        changed: line.slice(0, index) + replace(found) + line.slice(index + found.length),
      })),
  );
}

/** Where strings begin and end: what they say is no code. */
function textsOf(line: string): readonly (readonly [number, number])[] {
  return [...line.matchAll(/"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\/.*$/g)].map(
    ({ index, 0: text }) => [index, index + text.length] as const,
  );
}

function swap(name: string, pattern: RegExp, replacement: string): Operator {
  return { name, pattern, replace: () => replacement };
}
