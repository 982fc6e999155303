import { makeGitWorld } from "../support/git-world.ts";
import { repositoryContract } from "./repository.ts";

repositoryContract("the git adapter on git http-backend", () => makeGitWorld());
repositoryContract("the git adapter on a server of protocol version 0", () => makeGitWorld({ version0Only: true }));
