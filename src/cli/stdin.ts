import { FederationError } from "../errors.ts";

const STDIN_MAX_BYTES = 1024 * 1024;

/** @throws FederationError AG4002 for more than a megabyte */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > STDIN_MAX_BYTES) throw new FederationError("AG4002", "standard input holds more than a megabyte");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
