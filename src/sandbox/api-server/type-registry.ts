import { BUILT_IN_TYPES } from "./built-in.ts";
import { customResourceType, DEFINITION_STORAGE, type ResourceType } from "./resource-type.ts";
import type { Store } from "./store.ts";

/** The types that are served right now: the built-in ones and one for each stored CustomResourceDefinition. */
export interface TypeRegistry {
  all(): readonly ResourceType[];
  find(group: string, version: string, plural: string): ResourceType | undefined;
}

export function createTypeRegistry(store: Store): TypeRegistry {
  let types: readonly ResourceType[] | null = null;
  // Types are worked out again only after a definition came, changed or went.
  store.subscribe(({ key }) => {
    if (key.startsWith(`${DEFINITION_STORAGE}/`)) types = null;
  });
  const all = (): readonly ResourceType[] => {
    types ??= [
      ...BUILT_IN_TYPES,
      ...store.list(`${DEFINITION_STORAGE}/`).map(([, definition]) => customResourceType(definition)),
    ];
    return types;
  };
  return {
    all,
    find: (group, version, plural) =>
      all().find((type) => type.group === group && type.version === version && type.plural === plural),
  };
}
