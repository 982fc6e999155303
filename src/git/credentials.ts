import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FederationError } from "../errors.ts";

/** What one request is sent with. Never kept: the files are read again for the next one, because Secrets rotate. */
export interface Credentials {
  /** The value of the Authorization header; null where nothing is mounted. */
  readonly authorization: string | null;
  /** PEM certificates to trust beside the usual ones; null where none are mounted. */
  readonly certificates: string | null;
  /** What must not stand in any message, should a server repeat it. */
  readonly secrets: readonly string[];
}

export const NO_CREDENTIALS: Credentials = { authorization: null, certificates: null, secrets: [] };

/**
 * Reads the keys of a mounted git Secret: `username` and `password`, or `bearerToken`, and optionally `ca.crt`.
 * @throws FederationError AG4004 when a file cannot be read, or only half of a pair is there.
 */
export async function readCredentials(directory: string | null): Promise<Credentials> {
  if (directory === null) return NO_CREDENTIALS;
  const [username, password, bearerToken, certificates] = await Promise.all([
    readKey(directory, "username"),
    readKey(directory, "password"),
    readKey(directory, "bearerToken"),
    readKey(directory, "ca.crt"),
  ]);
  if (bearerToken !== null) {
    return { authorization: `Bearer ${bearerToken}`, certificates, secrets: [bearerToken] };
  }
  if (username === null && password === null) {
    if (certificates === null) await expectFolder(directory);
    return { authorization: null, certificates, secrets: [] };
  }
  if (username === null || password === null) {
    const missing = username === null ? "username" : "password";
    throw new FederationError("AG4004", `the credentials in ${directory} lack the file ${missing}`);
  }
  const basic = Buffer.from(`${username}:${password}`, "utf8").toString("base64");
  return { authorization: `Basic ${basic}`, certificates, secrets: [password, basic] };
}

async function expectFolder(directory: string): Promise<void> {
  const isThere = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere) return;
  const remedy = "Mount the git Secret there, or name its folder with --git-credentials.";
  throw new FederationError("AG4004", `there is no folder ${directory} with credentials`, { remedy });
}

async function readKey(directory: string, key: string): Promise<string | null> {
  const path = join(directory, key);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    // A Secret holds only the keys that it needs, so a missing file is no failure; an unreadable one is.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new FederationError("AG4004", `the credentials file ${path} cannot be read`, { cause: error });
  }
  const value = text.trim();
  if (value === "") throw new FederationError("AG4004", `the credentials file ${path} is empty`);
  if (key !== "ca.crt" && /[\r\n\0]/.test(value)) {
    throw new FederationError("AG4004", `the credentials file ${path} holds more than one line`);
  }
  return value;
}
