/** The way to a field or an entry, from the document's root. */
export type DocumentPath = readonly (string | number)[];

/** `spec.trafficSplit[1].weight`; keys that are no plain word are quoted. */
export function describePath(path: DocumentPath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}
