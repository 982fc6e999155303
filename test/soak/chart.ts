import type { Verdict } from "./judge.ts";
import type { Metric } from "./metric.ts";

export interface Chart {
  readonly title: string;
  readonly notes: readonly string[];
  readonly judged: readonly Panel[];
}

export interface Panel {
  readonly metric: Metric;
  readonly verdicts: readonly Verdict[];
}

const COLUMNS = 2;
const PANEL = { width: 600, height: 250, gap: 24 } as const;
/** The room around a panel's plot, for its title and its axes. */
const ROOM = { left: 58, right: 12, top: 58, bottom: 34 } as const;
const PLOT = {
  width: PANEL.width - ROOM.left - ROOM.right,
  height: PANEL.height - ROOM.top - ROOM.bottom,
} as const;
const HEAD = 96;
const TICKS = 4;
/** Okabe and Ito's colours, which people tell apart who see few. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"] as const;

/** A page of small charts, one per metric, as SVG with a background of its own. */
export function renderChart({ title, notes, judged }: Chart): string {
  const rows = Math.ceil(judged.length / COLUMNS);
  const width = COLUMNS * (PANEL.width + PANEL.gap) + PANEL.gap;
  const height = HEAD + rows * (PANEL.height + PANEL.gap);
  const panels = judged.map((panel, index) => {
    const x = PANEL.gap + (index % COLUMNS) * (PANEL.width + PANEL.gap);
    const y = HEAD + Math.floor(index / COLUMNS) * (PANEL.height + PANEL.gap);
    return `<g transform="translate(${x} ${y})">\n${renderPanel(panel)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(PANEL.gap, 34, title, 'font-size="20" font-weight="bold"'),
    ...notes.map((note, index) => text(PANEL.gap, 56 + index * 18, note)),
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function renderPanel({ metric, verdicts }: Panel): string {
  const points = metric.lines.flatMap((line) => line.points);
  const end = Math.max(1, ...points.map(({ revisions }) => revisions));
  const top = ceiling(Math.max(...points.map(({ value }) => value), metric.goal ?? 0));
  const x = (revisions: number): number => round(ROOM.left + (revisions / end) * PLOT.width);
  const y = (value: number): number => round(ROOM.top + PLOT.height - (value / top) * PLOT.height);
  const lines = metric.lines.map((line, index) => {
    const path = line.points.map(({ revisions, value }) => `${x(revisions)},${y(value)}`).join(" ");
    return `<polyline points="${path}" fill="none" stroke="${colour(index)}" stroke-width="1.5"/>`;
  });
  const goal = metric.goal === null ? [] : [dashed(y(metric.goal), metric.goal)];
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => index / TICKS);
  return [
    `<rect width="${PANEL.width}" height="${PANEL.height}" fill="#f6f6f6" rx="4"/>`,
    text(ROOM.left, 20, metric.unit === "" ? metric.title : `${metric.title}, ${metric.unit}`, 'font-weight="bold"'),
    text(PANEL.width - ROOM.right, 20, verdictOf({ metric, verdicts }), `text-anchor="end" ${toneOf(verdicts)}`),
    ...verdicts.map((verdict, index) => legend(verdict, index)),
    ...ticks.flatMap((share) => [
      `<path d="M${ROOM.left} ${y(top * share)}h${PLOT.width}" stroke="#ddd"/>`,
      text(ROOM.left - 6, y(top * share) + 4, say(top * share), 'text-anchor="end"'),
      text(x(end * share), PANEL.height - 14, say(Math.round(end * share)), `text-anchor="${anchor(share)}"`),
    ]),
    text(ROOM.left + PLOT.width / 2, PANEL.height - 2, "revisions", 'text-anchor="middle" font-size="10"'),
    ...goal,
    ...lines,
  ].join("\n");
}

function dashed(y: number, goal: number): string {
  const rule = `<path d="M${ROOM.left} ${y}h${PLOT.width}" stroke="#777" stroke-dasharray="6 4"/>`;
  return `${rule}\n${text(PANEL.width - ROOM.right - 4, y - 4, `goal ${say(goal)}`, 'text-anchor="end" font-size="10"')}`;
}

/** Each line with its colour, and what it was in the first and in the last third. */
function legend({ label, first, last }: Verdict, index: number): string {
  const width = PLOT.width / 4;
  const x = ROOM.left + index * width;
  const dash = `<path d="M${round(x)} 36h14" stroke="${colour(index)}" stroke-width="3"/>`;
  return `${dash}\n${text(round(x + 18), 40, `${label} ${say(first)} → ${say(last)}`, 'font-size="10"')}`;
}

function verdictOf({ metric: { growthMax, most }, verdicts }: Panel): string {
  if (growthMax === null && most === null) return "shown only";
  const limit = growthMax === null ? `at most ${most}` : `grows by at most ${growthMax}`;
  return `${verdicts.some(({ complaint }) => complaint !== null) ? "too much" : "good"}: ${limit}`;
}

function toneOf(verdicts: readonly Verdict[]): string {
  return verdicts.some(({ complaint }) => complaint !== null) ? 'fill="#b00020" font-weight="bold"' : 'fill="#555"';
}

function anchor(share: number): string {
  if (share === 0) return "start";
  return share === 1 ? "end" : "middle";
}

/** The next 1, 2, 4, 6 or 8 times a power of ten, so that the ticks are round numbers. */
function ceiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8].find((step) => step * power >= value) ?? 10) * power;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] ?? COLOURS[0];
}

function say(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(x: number, y: number, words: string, attributes = ""): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
