import { BlockList, isIP } from "node:net";
import { FederationError } from "./errors.ts";

/** Where a proxy is looked up, in the usual variables. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/**
 * The proxy through which a server is reached; null reaches it directly. As kubectl, Flux and everything in Go reads
 * HTTPS_PROXY, HTTP_PROXY and NO_PROXY (golang.org/x/net/http/httpproxy): Node knows neither networks, as clusters
 * have them in NO_PROXY, nor subdomains of a plain name, nor a proxy without `http://`.
 * @throws FederationError AG4002 for a proxy that speaks something else
 */
export function proxyFor(server: URL, environment: ProxyEnvironment): string | null {
  const name = server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = variable(name, environment);
  if (value === "" || isDirect(server, variable("NO_PROXY", environment))) return null;
  const proxy = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (!URL.canParse(proxy) || !/^https?:$/.test(new URL(proxy).protocol)) {
    const remedy = "Write http://host:port.";
    throw new FederationError("AG4002", `${name} is no http or https proxy`, { remedy });
  }
  return proxy;
}

function variable(name: string, environment: ProxyEnvironment): string {
  return (environment[name] || environment[name.toLowerCase()] || "").trim();
}

/** Whether a server is reached without the proxy; whatever runs on this machine is. */
function isDirect({ protocol, hostname, port }: URL, exceptions: string): boolean {
  const host = withoutBrackets(hostname);
  if (host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))) return true;
  const entries = exceptions.toLowerCase().split(",");
  return entries.some((entry) => isExcepted(host, port || DEFAULT_PORTS[protocol], entry.trim()));
}

function isExcepted(host: string, port: string | undefined, entry: string): boolean {
  if (entry === "*") return true;
  const [, network, bits] = /^([0-9a-f.:]+)\/(\d+)$/.exec(entry) ?? [];
  if (network !== undefined) return holds(network, Number(bits), host);
  const [, name = "", onlyPort] = isIP(entry) === 6 ? [entry, entry] : (/^(.+?)(?::(\d+))?$/.exec(entry) ?? []);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  return isIP(host) === 0 ? isWithin(host, name) : host === withoutBrackets(name);
}

/** `example.com` is that name and all below it, `.example.com` and `*.example.com` what is below it only. */
function isWithin(host: string, name: string): boolean {
  const domain = name.replace(/^\*(?=\.)/, "");
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function holds(network: string, bits: number, address: string): boolean {
  const family = isIP(network);
  if (family === 0 || family !== isIP(address) || bits > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, bits, kind);
  return list.check(address, kind);
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
