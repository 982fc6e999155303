import { expect, test } from "vitest";
import { STORIES } from "../../src/sandbox/stories/play.ts";
import { runProcess } from "../support/process.ts";

/** Every story of the document, as somebody plays it who has just cloned the project. */

const STORY_MAX_MS = 300_000;

test.each(STORIES.map(({ name, title }) => [name, title] as const))(
  "the sandbox plays %s to its end: %s",
  async (name, title) => {
    const { code, stdout, stderr } = await runProcess(["src/launch.js", "sandbox", "--story", name], {
      environment: { NO_COLOR: "1" },
    });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(title);
    expect(stdout).toContain("git log --graph --decorate --all");
  },
  STORY_MAX_MS,
);
