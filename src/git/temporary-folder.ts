import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FederationError } from "../errors.ts";

/** A folder that nobody else on the machine can read, gone at the latest when this process ends. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** @throws FederationError AG4006 where no file can be written, as in the agent's own container. */
export async function makeTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "amko-gitops-")).catch((error: NodeJS.ErrnoException) => {
    throw new FederationError("AG4006", `no folder can be made in ${tmpdir()} (${error.code})`, { cause: error });
  });
  const atExit = (): void => rmSync(path, REMOVAL);
  process.once("exit", atExit);
  return {
    path,
    async remove() {
      await rm(path, REMOVAL);
      process.removeListener("exit", atExit);
    },
  };
}

/** A program that was just ended may still have a file open. */
const REMOVAL = { recursive: true, force: true, maxRetries: 3 } as const;
