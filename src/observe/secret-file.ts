import { open } from "node:fs/promises";
import { FederationError } from "../errors.ts";

const SECRET_MAX_BYTES = 4096;

/**
 * Reads a secret from a file, afresh each time, since mounted Secrets rotate. White space around it does not count.
 * @throws FederationError AG4004 when the file cannot be read, holds nothing, or more than one line. No error repeats
 * the path: a person who misunderstood may have given the secret in its place.
 */
export async function readSecretFile(path: string): Promise<string> {
  const secret = (await readStart(path)).trim();
  if (secret === "") throw new FederationError("AG4004", "the secret's file is empty");
  if (/[\r\n\0]/.test(secret)) throw new FederationError("AG4004", "the secret's file holds more than one line");
  return secret;
}

async function readStart(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(SECRET_MAX_BYTES + 1) });
    if (bytesRead <= SECRET_MAX_BYTES) return buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    throw new FederationError("AG4004", `the secret's file cannot be read (${reason})`);
  }
  throw new FederationError("AG4004", `the secret's file holds more than ${SECRET_MAX_BYTES} bytes`);
}
