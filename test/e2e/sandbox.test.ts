import { existsSync } from "node:fs";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { git, temporaryFolder } from "../support/git.ts";
import { createKubectl, type Kubectl } from "../support/kubectl.ts";
import { runProcess, startProcess, type TestProcess } from "../support/process.ts";
import { waitUntil } from "../support/world.ts";

const LAUNCHER = "src/launch.js";
const SANDBOX_MAX_MS = 120_000;

interface Printed {
  readonly kubeconfig: string;
  readonly repository: string;
  readonly contexts: readonly string[];
}

/** The processes that a process started, and theirs. */
async function descendants(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    const stat = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/stat`, "utf8").catch(() => "") : "";
    const parent = /^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const found: number[] = [];
  const walk = (of: number): void => {
    for (const [child, parent] of parents) {
      if (parent !== of) continue;
      found.push(child);
      walk(child);
    }
  };
  walk(pid);
  return found;
}

describe("amko-gitops sandbox --keep -o json", () => {
  let sandbox: TestProcess;
  let printed: Printed;
  let kubectl: Kubectl;

  beforeAll(async () => {
    sandbox = startProcess([LAUNCHER, "sandbox", "--keep", "-o", "json"]);
    const line = await sandbox.line();
    if (line === null) throw new Error(`the sandbox ended: ${(await sandbox.ended).stderr}`);
    printed = JSON.parse(line) as Printed;
    kubectl = await createKubectl(printed.kubeconfig);
  }, SANDBOX_MAX_MS);

  afterAll(async () => {
    await sandbox.stop();
  });

  async function run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, stdout, stderr } = await kubectl(command, { environment });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  }

  /** The newest commit, as a person sees it who has nothing but the URL. */
  async function newest(): Promise<{ readonly commit: string; readonly message: string }> {
    await using folder = await temporaryFolder();
    await git(folder.path, ["clone", "--quiet", "--bare", "--depth", "1", printed.repository, "."]);
    const [commit = "", ...message] = (await git(folder.path, ["log", "-1", "--format=%H%n%B"])).split("\n");
    return { commit, message: message.join("\n") };
  }

  async function committedAfter(before: string): Promise<string> {
    let message = "";
    await waitUntil("the leader's agent has committed", async () => {
      const { commit, message: text } = await newest();
      message = text;
      return commit !== before;
    });
    return message;
  }

  async function shownBy(context: string, text: string): Promise<void> {
    await waitUntil(`${context} shows ${text}`, async () => {
      const yaml = await run(["--context", context, "get", "gdp", "-o", "yaml"]);
      return yaml.includes(text) || yaml;
    });
  }

  test("prints where everything is, once all three clusters are in sync", async () => {
    expect(printed).toEqual({
      kubeconfig: expect.stringMatching(/^\//),
      repository: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\//),
      contexts: ["cluster1", "cluster2", "cluster3"],
    });
    for (const context of printed.contexts) {
      const synced = 'jsonpath={.items[0].status.conditions[?(@.type=="Synced")].status}';
      expect(await run(["--context", context, "get", "amkocluster", "-o", synced])).toBe("True");
    }
  });

  test("kubectl patch gdp on the leader becomes a commit that names object and fields, and the followers show it", async () => {
    const { commit } = await newest();
    await run(["--context", "cluster1", "patch", "gdp", "global-gdp", "--type=merge", "-p", '{"spec":{"ttl":123}}']);
    const message = await committedAfter(commit);
    expect(message).toMatch(/^federation: update GlobalDeploymentPolicy global-gdp\n/);
    expect(message).toContain("spec.ttl: 10 -> 123\n");
    expect(message).toContain("Object: GlobalDeploymentPolicy avi-system/global-gdp\n");
    expect(message).toContain("Changed-With: kubectl-patch\n");
    await shownBy("cluster2", "ttl: 123");
    await shownBy("cluster3", "ttl: 123");
  });

  test("kubectl edit gdp on the leader does the same", async () => {
    const editor = join(dirname(printed.kubeconfig), "editor.sh");
    await writeFile(editor, '#!/bin/sh\nsed -i "s/ttl: 123/ttl: 321/" "$1"\n');
    await chmod(editor, 0o755);
    const { commit } = await newest();
    await run(["--context", "cluster1", "edit", "gdp", "global-gdp"], { KUBE_EDITOR: editor });
    const message = await committedAfter(commit);
    expect(message).toContain("spec.ttl: 123 -> 321\n");
    expect(message).toContain("Changed-With: kubectl-edit\n");
    await shownBy("cluster2", "ttl: 321");
  });

  test("kubectl apply of a GSLBConfig on the leader does the same, and an apply without change does nothing", async () => {
    const { commit } = await newest();
    const config = JSON.parse(await run(["--context", "cluster1", "get", "gc", "gc-1", "-o", "json"]));
    const { annotations, name, namespace } = config.metadata;
    const file = join(dirname(printed.kubeconfig), "gc.json");
    const manifest = {
      ...config,
      metadata: { name, namespace, annotations },
      spec: { ...config.spec, logLevel: "WARN" },
    };
    await writeFile(file, JSON.stringify(manifest));
    await run(["--context", "cluster1", "apply", "--server-side", "--force-conflicts", "-f", file]);
    expect(await committedAfter(commit)).toContain("spec.logLevel: INFO -> WARN\n");
    await waitUntil("cluster3 shows it", async () => {
      return (await run(["--context", "cluster3", "get", "gc", "-o", "yaml"])).includes("logLevel: WARN");
    });
    const after = await newest();
    await run(["--context", "cluster1", "apply", "--server-side", "--force-conflicts", "-f", file]);
    await run(["--context", "cluster1", "patch", "gdp", "global-gdp", "--type=merge", "-p", '{"spec":{"ttl":55}}']);
    const { message, commit: next } = await waitForNewest(after.commit);
    expect(message).not.toContain("GSLBConfig");
    expect(next).not.toBe(after.commit);
  });

  async function waitForNewest(before: string): Promise<{ readonly commit: string; readonly message: string }> {
    await committedAfter(before);
    return newest();
  }

  test("kubectl wait sees a follower in sync, and describe tells why it does not federate", async () => {
    await run(["--context", "cluster2", "wait", "--for=condition=Synced", "amkocluster", "--all", "--timeout=30s"]);
    const text = await run(["--context", "cluster2", "describe", "amkocluster"]);
    expect(text).toContain("AMKO not a leader");
  });

  test("the repository is sound", async () => {
    await using folder = await temporaryFolder();
    await git(folder.path, ["clone", "--quiet", "--mirror", printed.repository, "."]);
    await git(folder.path, ["fsck", "--strict"]);
  });

  test("SIGTERM stops it with exit code 0, and leaves no process and no folder behind", async () => {
    const started = await descendants(sandbox.pid);
    // An agent for each cluster at least.
    expect(started.length).toBeGreaterThanOrEqual(printed.contexts.length);
    const { code, stdout } = await sandbox.stop();
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    for (const pid of started) expect(existsSync(`/proc/${pid}`), `process ${pid} is gone`).toBe(false);
    expect(existsSync(dirname(printed.kubeconfig))).toBe(false);
  });
});

describe("amko-gitops sandbox", () => {
  test(
    "plays its story and exits 0; its log shows commits of every sort and where each cluster is",
    async () => {
      const { code, stdout, stderr } = await runProcess([LAUNCHER, "sandbox"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const kind of ["GlobalDeploymentPolicy global-gdp", "GSLBConfig gc-1"]) {
        for (const action of ["create", "update", "delete"]) expect(stdout).toContain(`federation: ${action} ${kind}`);
      }
      const log = stdout.slice(stdout.lastIndexOf("git log --graph --decorate --all"));
      for (const cluster of ["cluster1", "cluster2", "cluster3"]) expect(log).toContain(`amko/applied/${cluster}`);
    },
    SANDBOX_MAX_MS,
  );

  test("refuses an output that it does not know, with exit code 2", async () => {
    expect(await runProcess([LAUNCHER, "sandbox", "-o", "xml"])).toMatchObject({ code: 2, stdout: "" });
  });
});
