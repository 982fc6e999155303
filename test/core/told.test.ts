import { describe, expect, it } from "vitest";
import { readTold } from "../../src/core/told.ts";

const EXPORT = `federation: update GlobalDeploymentPolicy global-gdp

spec.trafficSplit[cluster1].weight: 8 -> 5
spec.ttl: 10 -> (removed)

CHG-4211 move 15 % to the second site

Federated-From: cluster1
Changed-With: kubectl-edit
Supersedes: 0123456789012345678901234567890123456789
`;

describe("what a commit's message tells", () => {
  it("is subject, reason and trailers of an export, without the fields", () => {
    expect(readTold(EXPORT)).toEqual({
      subject: "federation: update GlobalDeploymentPolicy global-gdp",
      reason: "CHG-4211 move 15 % to the second site",
      from: "cluster1",
      tools: ["kubectl-edit"],
      supersedes: ["0123456789012345678901234567890123456789"],
    });
  });

  it.each([
    [
      "a person's paragraphs",
      "Fix the split\n\nIt was wrong.\nReally.\n\nSee CHG-1.\n",
      "It was wrong.\nReally.\n\nSee CHG-1.",
    ],
    ["a reason that looks like a trailer", "Switch over\n\n> CHG-1: maintenance\n", "CHG-1: maintenance"],
    ["fields of two kinds", "Roll back\n\nGSLBConfig\nspec.a: 1 -> 2\n\nGlobalDeploymentPolicy\nspec.b: 1 -> 2\n", ""],
    ["a reason with an arrow", "Switch over\n\nCHG-7 traffic site 1 -> site 2\n", "CHG-7 traffic site 1 -> site 2"],
    ["an annotation's name with a blank", 'x\n\nannotations["amko.vmware.com/a b"]: 1 -> 2\n\nWhy\n', "Why"],
    ["an annotation of an export", 'x\n\nmetadata.annotations["amko.vmware.com/a"]: (none) -> 2\n\nWhy\n', "Why"],
    ["nothing", "", ""],
    ["carriage returns", "One\r\n\r\nTwo\r\n", "Two"],
  ])("keeps of %s what is no field and no trailer", (_, message, reason) => {
    expect(readTold(message).reason).toBe(reason);
  });

  it("believes no cluster that stands there twice", () => {
    expect(readTold("x\n\nFederated-From: cluster1\nFederated-From: cluster2\n").from).toBeNull();
  });
});
