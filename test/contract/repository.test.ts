import { type GitWorldOptions, makeGitWorld } from "../support/git-world.ts";
import { repositoryContract } from "./repository.ts";
import type { RepositoryWorld } from "./repository-world.ts";

/** As the command line opens a repository. */
async function makeReadAheadWorld(options: GitWorldOptions = {}): Promise<RepositoryWorld> {
  const world = await makeGitWorld(options);
  return { ...world, open: (overrides = {}) => world.open({ ...overrides, readAhead: true }) };
}

repositoryContract("the git adapter on git http-backend", () => makeGitWorld());
repositoryContract("the git adapter on a server of protocol version 0", () => makeGitWorld({ version0Only: true }));
repositoryContract("the git adapter that reads ahead", () => makeReadAheadWorld());
repositoryContract("the git adapter that reads ahead on a server of protocol version 0", () =>
  makeReadAheadWorld({ version0Only: true }),
);
