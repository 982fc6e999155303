import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT } from "./process.ts";

/** Each user as the file of `--pushers` maps it. */
export type TestPushers = Readonly<Record<string, string | { readonly cluster: string; readonly designates: true }>>;

/** Installs the hook that the project ships into a bare repository. */
export async function installHook(repository: string, pushers: TestPushers): Promise<void> {
  const hooks = join(repository, "hooks");
  await mkdir(hooks, { recursive: true });
  const [mapping, program, shipped] = ["pushers.yaml", "amko-gitops", "amko-pre-receive"].map((name) =>
    join(hooks, name),
  ) as [string, string, string];
  await writeFile(mapping, JSON.stringify(pushers));
  await script(program, `exec "${process.execPath}" "${join(PROJECT, "src/launch.js")}" "$@"`);
  await copyFile(join(PROJECT, "deploy/git/pre-receive"), shipped);
  await chmod(shipped, 0o755);
  // What runs from its sources is compiled anew each time otherwise, which takes longer than all else that it does.
  const environment = {
    AMKO_GITOPS: program,
    AMKO_GITOPS_PUSHERS: mapping,
    NODE_COMPILE_CACHE: join(hooks, "compiled"),
  };
  const settings = Object.entries(environment).map(([name, value]) => `${name}="${value}"`);
  await script(join(hooks, "pre-receive"), `${settings.join(" ")} exec "${shipped}"`);
}

async function script(file: string, line: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${line}\n`);
  await chmod(file, 0o755);
}
