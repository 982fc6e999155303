import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { KUBE_RUN_FOLDER, told } from "./environment.ts";

/** What became of the tests. A file that cannot be loaded counts as one failure. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** In the run's folder. */
export const COUNTS_FILE = "counts.json";

/** Leaves the counts for whoever started the run. */
class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      if (module.errors().length > 0) count.failed += 1;
    }
    const counts: Counts = { passed: count.passed, failed: count.failed, skipped: count.skipped + count.pending };
    writeFileSync(join(told(KUBE_RUN_FOLDER), COUNTS_FILE), JSON.stringify(counts));
  }
}

// biome-ignore lint/style/noDefaultExport: the shape that vitest reads
export default CountsReporter;
