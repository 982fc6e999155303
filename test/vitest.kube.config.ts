import { defineConfig } from "vitest/config";

/** The tests that `npm run test:kube` runs, each on real kube-apiservers of its own. */
// biome-ignore lint/style/noDefaultExport: the shape that vitest reads
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: [
      "test/kube/*.kube.ts",
      "test/e2e/federation.test.ts",
      "test/e2e/parity/*.test.ts",
      "test/e2e/better/*.test.ts",
      "test/e2e/semantics/{apply,designation,export,failover,handover,propose,standing}.test.ts",
      "test/e2e/no-deletion.test.ts",
      "test/e2e/bad-cluster.test.ts",
      "test/e2e/bad-network.test.ts",
      "test/e2e/crashes.test.ts",
    ],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ["default", "./test/kube/counts-reporter.ts"],
  },
});
