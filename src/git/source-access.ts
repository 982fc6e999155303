import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { type AskCredentials, createCredentialSource } from "./credential-source.ts";
import { readCredentials } from "./credentials.ts";
import { type RemoteAccess, readSourceAccess } from "./remote-access.ts";

export interface SourceAccessOptions {
  /** http or https, without credentials. */
  readonly url: string;
  /** A mounted git Secret; null asks. */
  readonly credentialsDirectory: string | null;
  readonly ask: AskCredentials | null;
  /** Where the certificates go, if there are any; made when they are known. */
  readonly folder: () => Promise<string>;
}

/**
 * Credentials of a folder are read again for each conversation, its certificates once: git wants them in a file. Where
 * there is no folder, whoever git would ask is asked, once for all conversations.
 * @throws FederationError AG4004
 */
export async function openSourceAccess({
  url,
  credentialsDirectory: directory,
  ask,
  folder,
}: SourceAccessOptions): Promise<() => Promise<RemoteAccess>> {
  const source = createCredentialSource({ url, directory, ask });
  const { certificates } = await readCredentials(directory);
  const certificatesFile = certificates === null ? null : join(await folder(), "ca.crt");
  if (certificatesFile !== null) {
    await writeFile(certificatesFile, [...getCACertificates("default"), certificates].join("\n"));
  }
  return () => readSourceAccess({ url, source, certificatesFile });
}
