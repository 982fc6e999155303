import { describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { type ClusterRef, clusterRef, refsByCluster, rescueRef } from "../../src/core/refs.ts";
import { cluster } from "../support/builders.ts";

const A = "a".repeat(40) as CommitId;
const B = "b".repeat(40) as CommitId;

describe("refs below the prefix", () => {
  it.each<[ClusterRef, string, string]>([
    ["applied", "cluster1", "applied/cluster1"],
    ["leading", "kubernetes-admin@prod", "leading/kubernetes-admin%40prod"],
    ["failed", "arn:aws:eks:eu-west-1:1:cluster/a", "failed/arn%3Aaws%3Aeks%3Aeu-west-1%3A1%3Acluster%2Fa"],
    ["identity", "a..b.lock", "identity/a%2E%2Eb%2Elock"],
  ])("%s of %s is %s", (purpose, name, ref) => {
    expect(clusterRef(purpose, cluster(name))).toBe(ref);
  });

  it("of rescued content carry its digest", () => {
    expect(rescueRef(cluster("a/b"), "3f2a")).toBe("rescue/a%2Fb/3f2a");
  });

  it("are found by cluster, and those of others are left alone", () => {
    const refs = new Map<string, CommitId>([
      ["applied/cluster1", A],
      ["applied/kubernetes-admin%40prod", B],
      ["leading/cluster1", B],
      ["applied", A],
      ["applied/", A],
      ["applied/not%2", A],
      ["applied/kubernetes-admin@prod", A],
      ["applied/cluster1/more", A],
      ["applied2/cluster2", A],
    ]);
    expect(refsByCluster(refs, "applied")).toEqual(
      new Map([
        [cluster("cluster1"), A],
        [cluster("kubernetes-admin@prod"), B],
      ]),
    );
    expect(refsByCluster(refs, "leading")).toEqual(new Map([[cluster("cluster1"), B]]));
    expect(refsByCluster(refs, "failed").size).toBe(0);
  });
});
