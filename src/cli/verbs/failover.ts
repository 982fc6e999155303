import { parseClusterName } from "../../core/names.ts";
import { COMMIT_OPTIONS } from "../commit-options.ts";
import { type Given, wrongFlag } from "../given.ts";
import { REPOSITORY_OPTIONS } from "../source.ts";
import { runTakeover } from "../takeover.ts";
import { requiredCluster } from "../target.ts";
import { option, type Verb } from "../verb.ts";

/** Moves the leadership after a disaster, with nothing but git. */
export const failover: Verb = {
  explanation:
    "Writes one commit that flips isLeader, and names the former leader in amko-gitops.io/handover-without, so that the new one does not wait for it. Needs no cluster, and the former leader least of all; also mends a branch on which nobody leads, or two. It tells what may be lost. For planned work use switchover.",
  arguments: [],
  options: [
    option("to", "cluster", null, "the cluster that is to lead"),
    option(
      "controller-ip",
      "address",
      null,
      "spec.gslbLeader.controllerIP from now on, when the Avi controller is lost",
    ),
    option("handover-without", "cluster", null, "do not wait for these (default: whoever claims to lead today)", {
      repeats: true,
    }),
    ...COMMIT_OPTIONS,
    ...REPOSITORY_OPTIONS,
  ],
  examples: [
    "failover --to cluster2 --dry-run",
    'failover --to cluster2 --controller-ip 10.20.20.20 --reason "site 1 is down" --yes',
  ],
  run: async (given, shell, house) =>
    await runTakeover(given, shell, house, {
      kind: "failover",
      target: requiredCluster(given, "to"),
      controllerIp: readAddress(given),
      handoverWithout: readWithout(given),
      force: false,
    }),
};

function readAddress(given: Given): string | null {
  const address = given.text("controller-ip");
  if (address === null || /^[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/.test(address)) return address;
  throw wrongFlag("controller-ip", address, "no address", "Give the address of the Avi controller: 10.20.20.20.");
}

function readWithout(given: Given) {
  const names = given.texts("handover-without");
  if (names.length === 0) return null;
  return names.map((name) => {
    const cluster = parseClusterName(name);
    if (cluster === null)
      throw wrongFlag("handover-without", name, "no usable context name", "Give the name as clusterContext has it.");
    return cluster;
  });
}
