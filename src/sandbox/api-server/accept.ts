/** In which form a client wants objects, by its Accept header: the first that this server speaks. */
export type Form =
  | { readonly as: "Object" }
  | { readonly as: "Table" }
  | { readonly as: "PartialObjectMetadata" }
  | { readonly as: "APIGroupDiscoveryList"; readonly apiVersion: string; readonly contentType: string };

const PLAIN: Form = { as: "Object" };

/** A client that accepts nothing that is spoken here gets plain JSON: better than nothing, and what kubectl can read. */
export function readForm(accept: string | undefined): Form {
  for (const range of (accept ?? "").split(",")) {
    const [mediaType = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (!/^(application\/json|application\/\*|\*\/\*)$/.test(mediaType)) continue;
    const form = formOf(new Map(parameters.map((parameter) => parameter.split("=", 2) as [string, string])));
    if (form !== null) return form;
  }
  return PLAIN;
}

function formOf(parameters: ReadonlyMap<string, string>): Form | null {
  const as = parameters.get("as");
  const group = parameters.get("g");
  const version = parameters.get("v") ?? "";
  if (as === undefined) return PLAIN;
  if (group === "meta.k8s.io" && version === "v1") {
    if (as === "Table") return { as };
    if (as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") return { as: "PartialObjectMetadata" };
  }
  if (group === "apidiscovery.k8s.io" && as === "APIGroupDiscoveryList" && /^v2(beta1)?$/.test(version)) {
    const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return { as, apiVersion: `${group}/${version}`, contentType };
  }
  return null;
}
