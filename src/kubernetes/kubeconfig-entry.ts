import { isAbsolute, join } from "node:path";
import { FederationError } from "../errors.ts";

export type Entry = Readonly<Record<string, unknown>>;

/** With the folder that its relative paths start from. */
export interface PlacedEntry {
  readonly entry: Entry;
  readonly folder: string | null;
}

/** Where a value stands: in the kubeconfig itself, or in a file that is read again for each request. */
export type Material =
  | { readonly kind: "inline"; readonly bytes: Buffer }
  | { readonly kind: "file"; readonly path: string };

/** kubectl's precedence: `<field>-data` before the file that `<field>` names. */
export function materialOf({ entry, folder }: PlacedEntry, field: string): Material | null {
  const data = textOf(entry, `${field}-data`);
  if (data !== null) return { kind: "inline", bytes: Buffer.from(data, "base64") };
  const path = textOf(entry, field);
  return path === null ? null : { kind: "file", path: absolute(folder, path) };
}

export function absolute(folder: string | null, path: string): string {
  return folder === null || isAbsolute(path) ? path : join(folder, path);
}

export function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(entry: Entry, field: string): string | null {
  const value = entry[field];
  return typeof value === "string" && value !== "" ? value : null;
}

export function unusable(reason: string): FederationError {
  return new FederationError("AG4005", `The kubeconfig cannot be used: ${reason}.`);
}
