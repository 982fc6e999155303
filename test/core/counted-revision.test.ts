import { describe, expect, it } from "vitest";
import { parseCountedRevision } from "../../src/core/counted-revision.ts";

describe("parseCountedRevision", () => {
  it.each([
    ["main", "main", 0],
    ["main~3", "main", 3],
    ["origin/main~", "origin/main", 1],
    ["main~~", "main", 2],
    ["main~1~1", "main", 2],
    ["main^^~2", "main", 4],
    ["HEAD~0", "HEAD", 0],
  ])("reads %s as %s, %i steps back", (name, base, steps) => {
    expect(parseCountedRevision(name)).toEqual({ base, steps });
  });

  it.each(["~1", "main^2", "main~x", "main^{tree}", "main~1:file", ""])("reads nothing of %j", (name) => {
    expect(parseCountedRevision(name)).toBeNull();
  });
});
