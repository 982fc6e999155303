/** As much of PromQL as tells which series a query asks for. promtool judges the rest. */

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** What stands in `by`, `on`, `ignoring`, `group_left` and the like. */
  readonly labels: readonly string[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|[=!]~|!=|[^\s]/g;
const NAME = /^[a-zA-Z_:]/;
const GROUPING = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const WORDS = new Set(["and", "or", "unless", "bool", "offset"]);

export function readQuery(expr: string): Query {
  const tokens: readonly string[] = expr.match(TOKEN) ?? [];
  const selectors: Selector[] = [];
  const labels: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? "";
    const next = tokens[at + 1];
    if (GROUPING.has(token)) {
      if (next !== "(") continue;
      const end = tokens.indexOf(")", at);
      labels.push(...tokens.slice(at + 2, end).filter((one) => one !== ","));
      at = end;
    } else if (NAME.test(token) && !WORDS.has(token) && next !== "(" && !GROUPING.has(next ?? "")) {
      const end = next === "{" ? tokens.indexOf("}", at) : at;
      selectors.push({ metric: token, matchers: readMatchers(tokens.slice(at + 2, end)) });
      at = end;
    }
  }
  return { selectors, labels };
}

function readMatchers(tokens: readonly string[]): readonly Matcher[] {
  const matchers: Matcher[] = [];
  for (let at = 0; at + 2 < tokens.length; at += 4) {
    const [label = "", operator = "", quoted = ""] = tokens.slice(at, at + 3);
    matchers.push({ label, operator, value: quoted.slice(1, -1) });
  }
  return matchers;
}
