import { FederationError } from "../errors.ts";

/**
 * The repository's address, checked and without a trailing slash. Only what the transport can speak, and nothing
 * secret: an address stands in logs, metrics and commits.
 * @throws FederationError AG4003, whose message never repeats the address when that may hold a secret.
 */
export function parseRepositoryUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) {
    throw new FederationError("AG4003", "the repository URL is no http or https URL; SSH addresses and paths are not");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new FederationError("AG4003", `repository URLs of the kind ${url.protocol} are not supported`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new FederationError("AG4003", `the repository URL at ${url.host} holds credentials`);
  }
  if (url.search !== "" || url.hash !== "") {
    throw new FederationError("AG4003", `the repository URL at ${url.host} holds a query or a fragment`);
  }
  return url.href.replace(/\/+$/, "");
}
