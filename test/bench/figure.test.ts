import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { imageEnvironment } from "../support/compiled-program.ts";
import { PROJECT } from "../support/process.ts";
import { summarize } from "./figure.ts";

it("hides no worst sample where there are few, and leaves the worst of twenty to chance", () => {
  expect(summarize([100, 1, 3, 2])).toEqual({ median: 2.5, p95: 100, n: 4 });
  expect(summarize(Array.from({ length: 20 }, (_, index) => index + 1))).toEqual({ median: 10.5, p95: 19, n: 20 });
});

it("measures agents with all that the image sets for them", async () => {
  const dockerfile = await readFile(join(PROJECT, "deploy/docker/Dockerfile"), "utf8");
  expect(imageEnvironment(dockerfile)).toEqual({ MALLOC_ARENA_MAX: "2", UV_THREADPOOL_SIZE: "16" });
  expect(() => imageEnvironment("FROM scratch\n")).toThrow("sets no environment");
});
