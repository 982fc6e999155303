import { makeLocalWorld } from "../support/local-world.ts";
import { repositoryContract } from "./repository.ts";

repositoryContract("a clone on disk, and git's http-backend as its remote", () => makeLocalWorld("clone"));
repositoryContract("a clone that passes", () => makeLocalWorld("passing clone"));
repositoryContract("a bare repository on disk", () => makeLocalWorld("bare"));
