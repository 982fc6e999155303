import { type Credentials, NO_CREDENTIALS, readCredentials } from "./credentials.ts";

/** What a server is, in the words of git-credential(1). */
export interface CredentialRequest {
  readonly protocol: string;
  readonly host: string;
  readonly path: string;
}

export interface AskedCredentials {
  readonly username: string;
  readonly password: string;
  /** Told once whether the server took them, so that whoever keeps them keeps or forgets them. */
  settle?(accepted: boolean): Promise<void>;
}

/** Asks somebody, or a program of theirs; null when there is nobody who knows. */
export type AskCredentials = (request: CredentialRequest, signal: AbortSignal) => Promise<AskedCredentials | null>;

export interface CredentialSourceSettings {
  readonly url: string;
  /** A mounted git Secret. Where there is one, nobody is asked. */
  readonly directory: string | null;
  readonly ask: AskCredentials | null;
}

/** Where a request's credentials come from. */
export interface CredentialSource {
  current(): Promise<Credentials>;
  /** After a server asked for credentials: what to try instead, asked for once; null when there is nothing else. */
  afterRefusal(refused: Credentials, signal: AbortSignal): Promise<Credentials | null>;
  /** What the server made of them. */
  settle(credentials: Credentials, accepted: boolean): Promise<void>;
}

export function createCredentialSource({ url, directory, ask }: CredentialSourceSettings): CredentialSource {
  if (directory !== null || ask === null) {
    return {
      current: () => readCredentials(directory),
      afterRefusal: () => Promise.resolve(null),
      settle: () => Promise.resolve(),
    };
  }
  // Kept in memory as long as the repository is open, refused ones too: nobody is asked the same thing twice.
  let asked: Promise<Answer> | null = null;
  let unsettled: AskedCredentials | null = null;

  async function askOnce(signal: AbortSignal): Promise<Answer> {
    asked ??= askFor(url, ask as AskCredentials, signal);
    try {
      const answer = await asked;
      return answer;
    } catch (error) {
      // An interrupted question was none.
      asked = null;
      throw error;
    }
  }

  return {
    async current() {
      return (asked === null ? null : await asked.catch(() => null))?.credentials ?? NO_CREDENTIALS;
    },
    async afterRefusal(refused, signal) {
      if (refused.authorization !== null) return null;
      const isFirst = asked === null;
      const answer = await askOnce(signal);
      if (isFirst) unsettled = answer.given;
      return answer.credentials;
    },
    async settle(credentials, accepted) {
      if (credentials.authorization === null || unsettled === null) return;
      const given = unsettled;
      unsettled = null;
      await given.settle?.(accepted);
    },
  };
}

interface Answer {
  readonly given: AskedCredentials | null;
  readonly credentials: Credentials | null;
}

async function askFor(url: string, ask: AskCredentials, signal: AbortSignal): Promise<Answer> {
  const { protocol, host, pathname } = new URL(url);
  const given = await ask({ protocol: protocol.slice(0, -1), host, path: pathname.slice(1) }, signal);
  if (given === null) return { given, credentials: null };
  const basic = Buffer.from(`${given.username}:${given.password}`, "utf8").toString("base64");
  const credentials = { authorization: `Basic ${basic}`, certificates: null, secrets: [given.password, basic] };
  return { given, credentials };
}
