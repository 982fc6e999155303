import { describe, expect, it } from "vitest";
import { cronProblem, startSchedule } from "../../src/agent/schedule.ts";

describe("a schedule's expression", () => {
  it.each(["0 0 0 29 2 *", "*/15 * * * * *", "0 */10 * * * *", "* * * * * *", " 0 0 3 * * 1 ", "0 0 0 1 jan *"])(
    "can be used: %j",
    (expression) => {
      expect(cronProblem(expression)).toBeNull();
    },
  );

  it.each([
    ["", "six fields"],
    ["*/15 * * * *", "six fields"],
    ["* * * * * * *", "six fields"],
    ["every second or so, please do", ""],
    ["61 * * * * *", ""],
    ["*/0 * * * * *", ""],
    ["* * * * 13 *", ""],
    ["a b c d e f", ""],
    ["0 0 0 31 2 *", "impossible"],
  ])("is refused with the cause: %j", (expression, cause) => {
    const problem = cronProblem(expression);
    expect(problem).not.toBeNull();
    expect(problem).toContain(cause);
    expect(problem).not.toBe("");
  });
});

describe("a schedule", () => {
  it("ends when it is stopped, also twice", () => {
    const schedule = startSchedule(
      "poll",
      "0 0 0 1 1 *",
      () => undefined,
      () => undefined,
    );
    schedule.stop();
    expect(() => schedule.stop()).not.toThrow();
  });
});
