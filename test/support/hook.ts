import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT } from "./process.ts";

/** Installs the hook that the project ships into a bare repository, with users mapped to a cluster or to `people`. */
export async function installHook(repository: string, pushers: Readonly<Record<string, string>>): Promise<void> {
  const hooks = join(repository, "hooks");
  await mkdir(hooks, { recursive: true });
  const [mapping, program, shipped] = ["pushers.yaml", "amko-gitops", "amko-pre-receive"].map((name) =>
    join(hooks, name),
  ) as [string, string, string];
  await writeFile(mapping, JSON.stringify(pushers));
  await script(program, `exec "${process.execPath}" "${join(PROJECT, "src/launch.js")}" "$@"`);
  await copyFile(join(PROJECT, "deploy/git/pre-receive"), shipped);
  await chmod(shipped, 0o755);
  await script(
    join(hooks, "pre-receive"),
    `AMKO_GITOPS="${program}" AMKO_GITOPS_PUSHERS="${mapping}" exec "${shipped}"`,
  );
}

async function script(file: string, line: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${line}\n`);
  await chmod(file, 0o755);
}
