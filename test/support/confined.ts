import { runProcess, startProcess, type TestProcess } from "./process.ts";

/**
 * What the Deployment asks of the container's runtime: nothing can be written anywhere, and the process is an
 * unprivileged user's, with no group, no capability and no way to any. Every mount is made read-only, for this process
 * alone; those that cannot be, such as `/proc`, are the kernel's own.
 */
const CONFINE = `
for mount in $(findmnt --raw --noheadings --output TARGET); do
  mount -o remount,bind,ro "$mount" 2> /dev/null || :
done
exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
`;

const UNSHARE = ["--mount", "--", "/bin/sh", "-c", CONFINE, "sh"];

/** Starts `command`, its program first, as the container's runtime would. */
export function startConfined(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): TestProcess {
  return startProcess([...UNSHARE, ...command], { program: "unshare", folder: "/", environment });
}

/** Why nothing can be confined on this machine, in the words of the one that refuses; null where it can. */
export async function findConfinementProblem(): Promise<string | null> {
  try {
    const { code, stderr } = await runProcess([...UNSHARE, "true"], { program: "unshare", folder: "/" });
    return code === 0 ? null : stderr.trim();
  } catch (error) {
    return String(error);
  }
}
