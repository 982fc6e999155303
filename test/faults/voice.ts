import { AMKO_CLUSTER, type WorldCluster } from "../support/world.ts";

/** What an agent says from some moment on. */
export interface Voice {
  /** The codes in its log, as often as it said them. */
  codes(): Promise<readonly string[]>;
  /** The codes in its status: what it found out about other clusters is told there. */
  statusCodes(): Promise<readonly string[]>;
  /** What no fault should make it say: errors of its own, and whatever comes from Node itself. */
  complaints(): Promise<readonly string[]>;
}

const LOUD: ReadonlySet<string> = new Set(["error", "fatal", "stderr"]);
/** Our own fault, whatever anybody else did. */
const OWN_FAULT = /^AG9/;

export function listenTo({ name, log, logSize, objects }: WorldCluster): Voice {
  const fromByte = logSize();
  return {
    codes: async () => (await log(fromByte)).flatMap(codesIn),
    async statusCodes() {
      const object = await objects.get("AMKOCluster", AMKO_CLUSTER);
      return JSON.stringify(object?.status ?? null).match(/AG\d{4}/g) ?? [];
    },
    async complaints() {
      const lines = await log(fromByte);
      const loud = lines.filter((line) => LOUD.has(line.level) || codesIn(line).some((code) => OWN_FAULT.test(code)));
      return loud.map((line) => `the agent of ${name} complains: ${JSON.stringify(line)}`);
    },
  };
}

function codesIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) =>
    field === "code" && /^AG\d{4}$/.test(String(inner)) ? [String(inner)] : codesIn(inner),
  );
}
