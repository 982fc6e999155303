import { describe, expect, it } from "vitest";
import { CATALOGUE, type ErrorCode, problem } from "../../src/core/catalogue.ts";

const ENTRIES = Object.entries(CATALOGUE) as readonly (readonly [ErrorCode, (typeof CATALOGUE)[ErrorCode]])[];

describe("the catalogue of errors", () => {
  it.each(ENTRIES)("%s says what it is and what to do", (code, { title, remedy, retry }) => {
    expect(code).toMatch(/^AG[1-59]\d{3}$/);
    expect(title).toMatch(/^\S.*[^.\s]$/);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
    expect(["now", "backoff", "change"]).toContain(retry);
  });

  it("gives each error a title of its own", () => {
    const titles = ENTRIES.map(([, { title }]) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it("tries at once only what somebody else's write made stale", () => {
    const now = ENTRIES.filter(([, { retry }]) => retry === "now").map(([code]) => code);
    expect(now).toEqual(["AG2003", "AG2011", "AG3004", "AG3010", "AG3016"]);
  });

  it("waits for people where only they can mend what they committed", () => {
    const people = ENTRIES.filter(([code]) => code.startsWith("AG1")).map(([, { retry }]) => retry);
    expect(new Set(people)).toEqual(new Set(["change"]));
  });
});

describe("a problem", () => {
  it("carries the catalogue's remedy, and is an error about no file unless told", () => {
    expect(problem("AG5001", "nobody leads")).toEqual({
      code: "AG5001",
      severity: "error",
      message: "nobody leads",
      remedy: CATALOGUE.AG5001.remedy,
      path: null,
      line: null,
    });
  });
});
