import type { Figure } from "./figure.ts";

const WIDTH = 960;
const LABEL_WIDTH = 430;
const BAR_WIDTH_MAX = 400;
const ROW_HEIGHT = 44;
const BAR_HEIGHT = 14;
const TOP = 64;

/** One SVG with a bar for each duration and one for its floor, on one scale. */
export function plot(figures: readonly Figure[], title: string): string {
  const shown = figures.filter(({ unit }) => unit === "ms");
  const longest = Math.max(...shown.flatMap(({ measured, floor }) => [measured.p95, floor?.median ?? 0]), 1);
  const scale = BAR_WIDTH_MAX / longest;
  const height = TOP + shown.length * ROW_HEIGHT + 24;
  const rows = shown.map((figure, index) => drawRow(figure, TOP + index * ROW_HEIGHT, scale));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="16" y="24" font-size="16">${asMarkup(title)}</text>`,
    `<text x="16" y="44" fill="#555">median (dark), up to the 95th percentile (light), and the floor below it (grey); milliseconds</text>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function drawRow({ what, measured, floor }: Figure, y: number, scale: number): string {
  const bar = (value: number, top: number, color: string): string =>
    `<rect x="${LABEL_WIDTH}" y="${top}" width="${(value * scale).toFixed(1)}" height="${BAR_HEIGHT}" fill="${color}"/>`;
  const number = (value: number, at: number, top: number): string =>
    `<text x="${(LABEL_WIDTH + at * scale + 6).toFixed(1)}" y="${top + BAR_HEIGHT - 3}">${Math.round(value)}</text>`;
  return [
    `<text x="${LABEL_WIDTH - 10}" y="${y + BAR_HEIGHT + 2}" text-anchor="end">${asMarkup(shorten(what))}</text>`,
    bar(measured.p95, y, "#9ecae1"),
    bar(measured.median, y, "#08519c"),
    number(measured.median, measured.p95, y),
    ...(floor === null
      ? []
      : [bar(floor.median, y + BAR_HEIGHT + 2, "#bbb"), number(floor.median, floor.median, y + BAR_HEIGHT + 2)]),
  ].join("\n");
}

const LABEL_MAX_CHARACTERS = 66;

function shorten(text: string): string {
  return text.length <= LABEL_MAX_CHARACTERS ? text : `${text.slice(0, LABEL_MAX_CHARACTERS - 1)}…`;
}

function asMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
