import { afterEach, beforeEach, describe } from "vitest";
import { readingContract } from "./repository-reading.ts";
import type { RepositoryWorld } from "./repository-world.ts";
import { writingContract } from "./repository-writing.ts";

/** What every implementation of the port Repository promises. */
export function repositoryContract(name: string, makeWorld: () => Promise<RepositoryWorld>): void {
  describe(`${name} keeps the contract of a repository`, () => {
    let world: RepositoryWorld;
    beforeEach(async () => {
      world = await makeWorld();
    });
    afterEach(async () => {
      await world.verify();
      await world.stop();
    });
    readingContract(() => world);
    writingContract(() => world);
  });
}
