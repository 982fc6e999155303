import { describe, expect, it } from "vitest";
import { AGENT_SETTINGS, type AgentConfig, environmentName, parseDuration, readAgentConfig } from "../src/config.ts";

const REPO = "https://git.example.com/federation.git";

function config(flags: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}): AgentConfig {
  const read = readAgentConfig({ repo: REPO, ...flags }, env);
  if (read.config === null) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

function problems(flags: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  return readAgentConfig({ repo: REPO, ...flags }, env).problems;
}

/** Each setting: what another value than the default makes of which field. */
const SETTINGS: readonly (readonly [
  flag: string,
  field: keyof AgentConfig,
  fallback: unknown,
  given: string,
  value: unknown,
])[] = [
  ["repo", "repo", REPO, "http://localhost/x.git", "http://localhost/x.git"],
  ["branch", "branch", "main", "production", "production"],
  ["path", "path", "", "/teams/glb/", "teams/glb"],
  ["ref-prefix", "refPrefix", "amko", "federation/amko", "federation/amko"],
  ["cluster", "cluster", null, "kubernetes-admin@prod", "kubernetes-admin@prod"],
  ["kubeconfig", "kubeconfig", null, "/etc/kubeconfig", "/etc/kubeconfig"],
  ["context", "context", null, "prod", "prod"],
  ["git-credentials", "gitCredentials", null, "/etc/git", "/etc/git"],
  ["poll", "poll", "*/15 * * * * *", "* * * * * *", "* * * * * *"],
  ["resync", "resync", "0 */10 * * * *", "0 0 * * * *", "0 0 * * * *"],
  ["publish", "publish", "direct", "propose", "propose"],
  ["drift", "drift", "correct", "report", "report"],
  ["local-designation", "localDesignation", "propose", "commit", "commit"],
  ["member-credentials", "memberCredentials", "auto", "ignore", "ignore"],
  ["members-kubeconfig", "membersKubeconfig", null, "/etc/members", "/etc/members"],
  ["history-rewrite", "historyRewrite", "halt", "follow", "follow"],
  ["batch-window", "batchWindowMs", 0, "2s", 2_000],
  ["ack-interval", "ackIntervalMs", 5_000, "0", 0],
  ["delete-grace", "deleteGraceMs", 30_000, "1m", 60_000],
  ["handover-timeout", "handoverTimeoutMs", 60_000, "never", null],
  ["stale-after", "staleAfterMs", 300_000, "1h", 3_600_000],
  ["git-timeout", "gitTimeoutMs", 30_000, "500ms", 500],
  ["kube-timeout", "kubeTimeoutMs", 15_000, "20s", 20_000],
  ["author", "author", null, "Federation Bot <bot@example.com>", { name: "Federation Bot", email: "bot@example.com" }],
  ["listen", "listen", ":8080", "127.0.0.1:9090", "127.0.0.1:9090"],
  ["webhook-secret", "webhookSecret", null, "/etc/hook/secret", "/etc/hook/secret"],
  ["log-level", "logLevel", "info", "debug", "debug"],
  ["log-format", "logFormat", "json", "text", "text"],
];

describe("the agent's settings", () => {
  it.each(SETTINGS)("--%s", (flag, field, fallback, given, value) => {
    expect(config()[field]).toEqual(fallback);
    expect(config({ [flag]: given })[field]).toEqual(value);
    const env = { [environmentName(flag)]: given };
    expect(readAgentConfig(flag === "repo" ? {} : { repo: REPO }, env).config?.[field]).toEqual(value);
  });

  it.each(SETTINGS)("--%s wins over the environment, that over the default", (flag, field, _, given, value) => {
    const env = { [environmentName(flag)]: "something that cannot be used \0" };
    expect(config({ [flag]: given }, env)[field]).toEqual(value);
  });

  it.each(SETTINGS)(
    "--%s counts as not given where it is empty, as an unset Helm value is",
    (flag, field, fallback) => {
      const read = readAgentConfig({ repo: REPO }, { [environmentName(flag)]: "" });
      expect(read.config?.[field]).toEqual(fallback);
    },
  );

  it("are described, each once, in the help", () => {
    const described = AGENT_SETTINGS.map(({ flag }) => flag);
    expect(new Set(described).size).toBe(described.length);
    for (const [flag] of SETTINGS) expect(described).toContain(flag);
    for (const { description, placeholder } of AGENT_SETTINGS) {
      expect(description).toMatch(/^\S.*\S$/);
      expect(placeholder).not.toBe("");
    }
  });

  it("have the names in the environment that people expect", () => {
    expect(environmentName("git-timeout")).toBe("AMKO_GITOPS_GIT_TIMEOUT");
    expect(environmentName("repo")).toBe("AMKO_GITOPS_REPO");
  });
});

describe("a setting that cannot be used", () => {
  it.each([
    ["cluster", "a\nb"],
    ["poll", "*/15 * * * *"],
    ["poll", "x x x x x x"],
    ["poll", "0 0 0 31 2 *"],
    ["resync", "0 0"],
    ["publish", "maybe"],
    ["drift", "Correct"],
    ["local-designation", "yes"],
    ["history-rewrite", "ignore"],
    ["batch-window", "5"],
    ["batch-window", "169h"],
    ["ack-interval", "-1s"],
    ["delete-grace", "1.5s"],
    ["handover-timeout", "forever"],
    ["stale-after", "5 m"],
    ["stale-after", "99999999h"],
    ["handover-timeout", "999h"],
    ["git-timeout", "30sec"],
    ["git-timeout", "0"],
    ["kube-timeout", "s"],
    ["kube-timeout", "3m"],
    ["ack-interval", "5m"],
    ["listen", "8080"],
    ["listen", "localhost:http"],
    ["listen", ":99999"],
    ["author", "bot@example.com"],
    ["author", "Bot <bot example>"],
    ["path", "teams/../../etc"],
    ["branch", "amko"],
    ["branch", "amko/main"],
    ["log-level", "trace"],
    ["log-format", "xml"],
  ])("--%s=%j is told with its value, the cause and what to do", (flag, value) => {
    const [problem, ...others] = problems({ [flag]: value });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ flag: `--${flag}`, value });
    expect(problem?.cause).not.toBe("");
    expect(problem?.remedy).toMatch(/\.$/);
  });

  it.each([
    ["amko/main", "amko"],
    ["main", "main/agents"],
    ["amko", "amko"],
  ])("is a branch %s that git cannot hold beside the prefix %s", (branch, prefix) => {
    const found = problems({ branch, "ref-prefix": prefix });
    expect(found).toMatchObject([{ flag: "--branch", value: branch, cause: expect.stringContaining(`(${prefix})`) }]);
    expect(problems({ branch: "amko-federation" })).toEqual([]);
  });

  it("is told together with all others", () => {
    const found = problems({ publish: "maybe", poll: "?", "git-timeout": "soon" }, { AMKO_GITOPS_AUTHOR: "nobody" });
    expect(found.map(({ flag }) => flag).toSorted()).toEqual(["--author", "--git-timeout", "--poll", "--publish"]);
  });

  it.each([
    [{ "ack-interval": "6m" }, "6m"],
    [{ "stale-after": "5s" }, "5s"],
  ])("may be one that another contradicts: %j", (flags, value) => {
    const [problem, ...others] = problems(flags);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ flag: "--ack-interval", value, cause: expect.stringContaining("--stale-after") });
  });

  it("contradicts no other one", () => {
    expect(problems({ "stale-after": "soon" }).map(({ flag }) => flag)).toEqual(["--stale-after"]);
  });

  it("is also a missing repository; its address, which may hold a secret, is not repeated", () => {
    expect(readAgentConfig({}, {}).problems).toMatchObject([{ flag: "--repo", value: null }]);
  });
});

describe("a duration", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["", null],
    ["5", null],
    ["5d", null],
    ["1e3s", null],
    [" 5s", null],
    ["5s ", null],
    ["5S", null],
    ["99999999999s", null],
  ])("%j is %s ms", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });
});
