/** Where a server listens; null is every address. */
export interface ListenAddress {
  readonly host: string | null;
  readonly port: number;
}

const PORT_MAX = 65_535;

/** `:8080`, `127.0.0.1:0`, `[::1]:8080`; null for anything else. */
export function parseListen(text: string): ListenAddress | null {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits ?? Number.NaN);
  if (!(port <= PORT_MAX)) return null;
  const host = bracketed ?? plain ?? "";
  return { host: host === "" ? null : host, port };
}
