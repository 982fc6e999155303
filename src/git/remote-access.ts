import type { CredentialSource } from "./credential-source.ts";
import type { Credentials } from "./credentials.ts";

/** What git gets beside its own settings where it talks to a remote, and nowhere else. */
export interface RemoteAccess {
  /** Settings as git-config(1) names them, in order. */
  readonly settings: readonly GitSetting[];
  readonly environment: Readonly<Record<string, string>>;
  /** What must not stand in any message. */
  readonly secrets: readonly string[];
  /** Told what the remote made of it. Returns what to try instead of an access that was refused; null for nothing. */
  readonly settle: (verdict: CredentialVerdict, signal: AbortSignal) => Promise<RemoteAccess | null>;
}

export type CredentialVerdict = "accepted" | "refused" | "denied";

export type GitSetting = readonly [name: string, value: string];

/** As git is set up, with the helpers that a person has configured. */
export const USUAL_ACCESS: RemoteAccess = {
  settings: [],
  environment: {},
  secrets: [],
  settle: async () => null,
};

export interface SourceAccessSettings {
  readonly url: string;
  /** Asks at most once, whoever talks to the remote how often. */
  readonly source: CredentialSource;
  /** What is trusted; null leaves that to git. */
  readonly certificatesFile: string | null;
}

/** Access with credentials of our own: the git that gets them asks nobody else, and takes them to no other address. */
export async function readSourceAccess(settings: SourceAccessSettings): Promise<RemoteAccess> {
  return accessWith(await settings.source.current(), settings);
}

/** They reach git through its environment, which only its owner can read: arguments and addresses are for everybody. */
function accessWith(credentials: Credentials, settings: SourceAccessSettings): RemoteAccess {
  const { url, source, certificatesFile } = settings;
  const { authorization, secrets } = credentials;
  const header: readonly GitSetting[] =
    authorization === null
      ? []
      : [
          [`http.${url}.extraHeader`, `Authorization: ${authorization}`],
          [`http.${url}.followRedirects`, "false"],
        ];
  const trust: readonly GitSetting[] = certificatesFile === null ? [] : [[`http.${url}.sslCAInfo`, certificatesFile]];
  return {
    settings: [["credential.helper", ""], ...header, ...trust],
    environment: { GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "" },
    secrets,
    async settle(verdict, signal) {
      // Who is known and may not do this gave the right password: no helper has to forget it.
      if (verdict !== "denied") await source.settle(credentials, verdict === "accepted");
      const next = verdict === "accepted" ? null : await source.afterRefusal(credentials, signal);
      return next === null ? null : accessWith(next, settings);
    },
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
