import { expect, it } from "vitest";
import { resolvePlain, type Scalar } from "../../src/core/scalars.ts";

/** What `kubectl annotate --local -o json` of kubectl 1.32 made of each, unquoted. */
const KUBECTL: readonly (readonly [string, Scalar])[] = [
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map((text) => [text, true] as const),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map((text) => [text, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((text) => [text, null] as const),
  ["0", 0],
  ["-0", 0],
  ["+12", 12],
  ["-12", -12],
  ["00", 0],
  ["014", 12],
  ["0_7", 7],
  ["08", 8],
  ["-014", -12],
  ["0o14", 12],
  ["-0o7", -7],
  ["0o_7", 7],
  ["0x1F", 31],
  ["0X1f", 31],
  ["0x_1f", 31],
  ["+0x1f", 31],
  ["-0x1f", -31],
  ["0b101", 5],
  ["-0b11", -3],
  ["1_000", 1000],
  ["1__0", 10],
  ["12_", 12],
  ["+_1", 1],
  ["1e3", 1000],
  ["1e+3", 1000],
  ["1E-3", 0.001],
  ["1.", 1],
  ["1.0", 1],
  [".5", 0.5],
  ["+.5", 0.5],
  ["-.5", -0.5],
  ["0.10", 0.1],
  ["1_0.5", 10.5],
  ["-0.0", 0],
  ["0.0e+0", 0],
  ["1.e+3", 1000],
  ["-.5e+3", -500],
  ...[
    ...["yEs", "tRue", "nUll", "0o18", "12:30", "1:2:3.5", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "0x", "_1"],
    ...["=", "-", "1.4.2", "10.0.0.1", "1e", "123e", ".e+1", "0b", "0b2", "<<", "cluster1", "a b", "INFO"],
  ].map((text) => [text, text] as const),
];

it.each(KUBECTL)("reads %j as kubectl does: %j", (text, value) => {
  expect(resolvePlain(text)).toBe(value);
});

it.each([
  ["9007199254740991", 2 ** 53 - 1],
  ["-9007199254740991", 1 - 2 ** 53],
  ["9007199254740992", undefined],
  ["-9007199254740993", undefined],
  ["18446744073709551615", undefined],
  ["0xFFFFFFFFFFFFFFFFF", undefined],
  ["0777777777777777777777777", undefined],
  ["1e400", undefined],
  [".inf", undefined],
  ["-.Inf", undefined],
  [".NaN", undefined],
  ["1e300", 1e300],
])("keeps %j exactly, or not at all", (text, value) => {
  expect(resolvePlain(text)).toBe(value);
});
