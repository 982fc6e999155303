import { describe, expect, it } from "vitest";
import { type Identity, identityMismatch, identityOrphan, readIdentity } from "../../src/core/identity.ts";
import { cluster, file } from "../support/builders.ts";

const SELF = cluster("kubernetes-admin@prod");
const HERE: Identity = { namespaceUid: "6f2c1a8e", branch: "main", path: "" };

describe("an identity", () => {
  it.each([HERE, { namespaceUid: "8ca0b8b6", branch: 'a: "b" #c', path: "teams/gslb" }])(
    "is read as it was written",
    (one) => {
      const { ref, files } = identityOrphan(SELF, one);
      expect(ref).toBe("identity/kubernetes-admin%40prod");
      expect(readIdentity(files.map(({ path, bytes }) => file(path, bytes)))).toEqual(one);
    },
  );

  it.each([
    ["no file", []],
    ["no YAML", [file("identity.yaml", "a: [")]],
    ["another shape", [file("identity.yaml", "- 1")]],
  ])("is nobody's with %s", (_, files) => {
    expect(identityMismatch(readIdentity(files), HERE, SELF)?.code).toBe("AG5008");
  });

  it.each([
    ["fits", HERE, undefined],
    ["is another cluster's", { ...HERE, namespaceUid: "other" }, "AG5008"],
    ["is for another branch", { ...HERE, branch: "dev" }, "AG5009"],
    ["is for another path", { ...HERE, path: "teams" }, "AG5009"],
  ])("%s", (_, found, code) => {
    expect(identityMismatch(found, HERE, SELF)?.code).toBe(code);
  });
});
