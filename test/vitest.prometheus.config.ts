import { defineConfig } from "vitest/config";

/** The tests that `npm run test:rules` runs, with Prometheus itself. */
// biome-ignore lint/style/noDefaultExport: the shape that vitest reads
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/prometheus/*.prom.ts"],
    testTimeout: 150_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/support/summary-reporter.ts"],
  },
});
