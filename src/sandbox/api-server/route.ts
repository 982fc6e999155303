/** What a URL addresses. */
export type Route =
  | { readonly kind: "document"; readonly path: string }
  | {
      readonly kind: "resource";
      readonly group: string;
      readonly version: string;
      /** Null addresses all namespaces, or a cluster-scoped type. */
      readonly namespace: string | null;
      readonly plural: string;
      /** Null addresses the collection. */
      readonly name: string | null;
      readonly subresource: string;
    };

/** Subresources of a namespace; anything else after its name is a type of object in it. */
const NAMESPACE_SUBRESOURCES: readonly string[] = ["status", "finalize"];

/**
 * Reads a path: `/api/v1/…` is the core group, `/apis/<group>/<version>/…` any other; what names no type is a document.
 * @throws URIError when it is not well encoded.
 */
export function readRoute(path: string): Route {
  const [root = "", ...steps] = path
    .split("/")
    .filter((step) => step !== "")
    .map(decodeURIComponent);
  const [group = "", version = "", ...rest] = root === "api" ? ["", ...steps] : steps;
  if ((root !== "api" && root !== "apis") || rest.length === 0) return { kind: "document", path };
  const [first, namespace = "", third] = rest;
  const inside = first === "namespaces" && third !== undefined && !NAMESPACE_SUBRESOURCES.includes(third);
  const [plural = "", name = null, subresource = "", ...beyond] = inside ? rest.slice(2) : rest;
  if (beyond.length > 0) return { kind: "document", path };
  return { kind: "resource", group, version, namespace: inside ? namespace : null, plural, name, subresource };
}
