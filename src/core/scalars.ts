/** What a plain (unquoted) scalar can mean. */
export type Scalar = null | boolean | number | string;

/**
 * What `kubectl apply -f` would send for a plain scalar, or undefined for a number that JavaScript cannot keep exactly.
 *
 * Kubernetes reads neither YAML 1.1 nor 1.2 but what its Go library makes of them: `yes` and `on` are booleans, `014`
 * is twelve, `1_000` a thousand, while `12:30` and dates are text. We must see what the API server will see, else a
 * cluster's dry run would differ from git for ever. Measured with kubectl 1.32; the table in the tests is its output.
 */
export function resolvePlain(text: string): Scalar | undefined {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (text === "" || NULLS.has(text)) return null;
  if (NO_NUMBERS.test(text)) return undefined;
  if (!/^[-+.0-9]/.test(text)) return text;
  const digits = text.startsWith(".") ? text : text.replaceAll("_", "");
  if (INTEGER.test(digits)) return exactInteger(digits);
  return FLOAT.test(digits) ? finite(Number(digits)) : text;
}

const NULLS: ReadonlySet<string> = new Set(["~", "null", "Null", "NULL"]);

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map((word) => [word, true] as const),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map((word) => [word, false] as const),
]);

/** Infinity and "not a number" have no JSON; kubectl refuses them. */
const NO_NUMBERS = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

function exactInteger(digits: string): number | undefined {
  const unsigned = digits.replace(/^[-+]/, "").replace(/^0[oO]?(?=[0-7])/, "0o");
  const value = digits.startsWith("-") ? -Number(unsigned) : Number(unsigned);
  return Number.isSafeInteger(value) ? plainZero(value) : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? plainZero(value) : undefined;
}

/** JSON of JavaScript knows no negative zero. */
function plainZero(value: number): number {
  return value === 0 ? 0 : value;
}
