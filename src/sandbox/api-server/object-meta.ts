import type { JsonObject } from "../../core/model.ts";
import { readSchema, type Schema } from "../../core/schema.ts";

const TEXT = { type: "string" };
const TEXTS = { type: "object", additionalProperties: TEXT };

/** `metadata` of every object, as clients are told it. */
export const OBJECT_META_OPENAPI: JsonObject = {
  description: "What every object has: its name, its place, and what the server keeps about it.",
  type: "object",
  properties: {
    name: { description: "Unique among objects of the kind in the namespace.", ...TEXT },
    generateName: { description: "The server completes it to a name that is free.", ...TEXT },
    namespace: { description: "Where the object is.", ...TEXT },
    uid: { description: "Tells the object from an earlier one of the same name.", ...TEXT },
    resourceVersion: { description: "Changes with every write.", ...TEXT },
    generation: { description: "Counts changes of what is wanted.", type: "integer", format: "int64" },
    creationTimestamp: { description: "When it was created.", format: "date-time", ...TEXT, nullable: true },
    deletionTimestamp: {
      description: "When its deletion was asked for.",
      format: "date-time",
      ...TEXT,
      nullable: true,
    },
    deletionGracePeriodSeconds: { description: "Always 0 here.", type: "integer", format: "int64" },
    labels: { description: "To select by.", ...TEXTS },
    annotations: { description: "To keep beside the object.", ...TEXTS },
    finalizers: { description: "What must be done before it is gone.", type: "array", items: TEXT },
    ownerReferences: {
      description: "The objects it depends on.",
      type: "array",
      items: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
    managedFields: {
      description: "Who wrote which field.",
      type: "array",
      items: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
    selfLink: { description: "Not used any more.", ...TEXT },
  },
};

export const OBJECT_META: Schema = readSchema(OBJECT_META_OPENAPI);
