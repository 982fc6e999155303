import type { Credentials } from "./credentials.ts";

/** What git gets beside its own settings where it talks to a remote, and nowhere else. */
export interface RemoteAccess {
  /** Settings as git-config(1) names them, in order. */
  readonly settings: readonly GitSetting[];
  readonly environment: Readonly<Record<string, string>>;
  /** What must not stand in any message. */
  readonly secrets: readonly string[];
}

export type GitSetting = readonly [name: string, value: string];

/** As git is set up, with the helpers that a person has configured. */
export const USUAL_ACCESS: RemoteAccess = { settings: [], environment: {}, secrets: [] };

/**
 * Access with the credentials of a folder: git asks nobody else, and takes them to no other address. They reach it
 * through its environment, which only its owner can read: an argument or an address could be read by anybody.
 * `certificatesFile` holds what is trusted; null leaves that to git.
 */
export function accessWith(
  { authorization, secrets }: Credentials,
  url: string,
  certificatesFile: string | null,
): RemoteAccess {
  return {
    settings: [
      ["credential.helper", ""],
      [`http.${url}.followRedirects`, "false"],
      ...(authorization === null ? [] : [[`http.${url}.extraHeader`, `Authorization: ${authorization}`] as const]),
      ...(certificatesFile === null ? [] : [[`http.${url}.sslCAInfo`, certificatesFile] as const]),
    ],
    environment: { GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "" },
    secrets,
  };
}

/** Settings for one run of git, through its environment; those that came that way already stay. */
export function settingsEnvironment(
  settings: readonly GitSetting[],
  given: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const before = Number.parseInt(given["GIT_CONFIG_COUNT"] ?? "0", 10) || 0;
  const entries = settings.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${before + index}`, name] as const,
    [`GIT_CONFIG_VALUE_${before + index}`, value] as const,
  ]);
  return { ...Object.fromEntries(entries), GIT_CONFIG_COUNT: String(before + settings.length) };
}
