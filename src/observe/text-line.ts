type Fields = Readonly<Record<string, unknown>>;

/** Turns one JSON line of the log into one for people: `09:45:57 INFO  message  key=value …`, errors last. */
export function formatLine(line: string): string {
  const { time, level, msg, error, ...fields } = JSON.parse(line) as Fields;
  const words = [String(time).slice(11, 19), String(level).toUpperCase().padEnd(5), String(msg)];
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${formatValue(value)}`);
  const told = error === undefined || error === null ? [] : [formatError(error)];
  return `${[...words, ...pairs, ...told].join(" ")}\n`;
}

function formatValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

/** `AG3001: cause (because: cause) -> remedy`; the stack, where there is one, on lines of its own. */
function formatError(error: unknown): string {
  if (!isFields(error)) return formatValue(error);
  const { code, type, message, remedy, cause, stack } = error;
  const because = cause === undefined ? "" : ` (because: ${formatError(cause)})`;
  const then = remedy === undefined ? "" : ` -> ${String(remedy)}`;
  const trace = stack === undefined ? "" : `\n${String(stack)}`;
  return `${String(code ?? type ?? "error")}: ${oneLine(String(message))}${because}${then}${trace}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
