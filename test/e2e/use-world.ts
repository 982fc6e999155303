import { afterAll, afterEach, beforeAll, onTestFailed } from "vitest";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

/** Starting three clusters, a git server and three agents on a busy machine. */
const START_MAX_MS = 120_000;

/**
 * One world for all tests of a file: started before the first, and after each the server's repository must be sound.
 * The server judges each push with the hook that the project ships, and has to let pass what agents and people do.
 */
export function useWorld(options: WorldOptions = {}): () => World {
  let world: World | null = null;
  const here = (): World => {
    if (world === null) throw new TypeError("the world has not started");
    return world;
  };
  beforeAll(async () => {
    world = await startWorld({ hook: true, ...options });
  }, START_MAX_MS);
  afterEach(() => here().verify());
  afterAll(() => world?.stop());
  return here;
}

/** Tells the agents' logs if the running test fails. To be called first thing in a test. */
export function tellLogs(world: World): void {
  onTestFailed(async () => void process.stderr.write(`${await world.logs()}\n`));
}
