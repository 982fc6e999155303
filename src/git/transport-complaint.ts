import type { ErrorCode } from "../core/catalogue.ts";
import { FederationError } from "../errors.ts";
import type { GitRun } from "./git-program.ts";
import type { CredentialVerdict } from "./remote-access.ts";
import { serverWords } from "./words.ts";

export interface Conversation {
  /** The address people know. */
  readonly url: string;
  readonly direction: "fetch" | "push";
  readonly secrets: readonly string[];
}

/**
 * Whatever goes wrong between git and a remote, git exits with 128 and tells the cause in words only. This is the one
 * place that reads them: in English (LC_ALL=C), to choose a better remedy than "check the network", never to decide
 * what happened to a ref. Words that nobody here knows are AG2001.
 */
export function transportComplaint({ stderr }: GitRun, { url, direction, secrets }: Conversation): FederationError {
  const found = COMPLAINTS.find(({ words, only }) => (only ?? direction) === direction && words.test(stderr));
  const { code, remedy } = found ?? { code: "AG2001", remedy: "Check the network, the URL and the proxy." };
  const said = serverWords(stderr, secrets);
  return new FederationError(code, `git cannot use ${url}${said === "" ? "" : `: ${said}`}`, { remedy });
}

/**
 * What the remote made of the credentials that it got, or did not get. `denied`: it knows who asks, or does not care, and
 * others may do what these may not. Null where it was not about them.
 */
export function verdictOn({ code, stderr }: GitRun): CredentialVerdict | null {
  if (code === 0) return "accepted";
  if (DENIED.test(stderr)) return "denied";
  return REFUSED.test(stderr) ? "refused" : null;
}

const DENIED = /The requested URL returned error: 403/;

const REFUSED =
  /Authentication failed|could not read (Username|Password)|terminal prompts disabled|Permission denied \(|Host key verification failed|returned error: 40[13]/;

interface Complaint {
  readonly code: ErrorCode;
  /** What a person does about it, who has no agent's Secret to look at. */
  readonly remedy: string;
  readonly words: RegExp;
  readonly only?: Conversation["direction"];
}

/** The first that fits counts. */
const COMPLAINTS: readonly Complaint[] = [
  {
    code: "AG2013",
    remedy: "Ask for the right to push, or for somebody who has it.",
    only: "push",
    words: DENIED,
  },
  {
    code: "AG2002",
    remedy: "Give git credentials that may use it, by its credential helper or with --git-credentials.",
    words: REFUSED,
  },
  {
    code: "AG2006",
    remedy: "Check the address; some hosts answer so when credentials may not read.",
    words: /repository '.*' not found|Repository not found|does not appear to be a git repository|returned error: 404/,
  },
  {
    code: "AG2010",
    remedy: "Check the server's health, or raise --git-timeout.",
    words: /timed out|returned error: (408|504)/,
  },
];
