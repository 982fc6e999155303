import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GitServerUser } from "../../src/sandbox/git-server.ts";
import { CLUSTERS } from "../support/builders.ts";
import { runProcess } from "../support/process.ts";
import { waitForAnswer } from "../support/readiness.ts";
import {
  credentialsFolder,
  federationFiles,
  type WorldCluster,
  waitUntil,
  writeCredentials,
} from "../support/world.ts";
import { tellLogs, useWorld } from "./use-world.ts";

const GDP = "global-gdp";
const users: Record<string, GitServerUser> = Object.fromEntries(
  CLUSTERS.map((name) => [name, { password: `secret-of-${name}`, mayPush: true }]),
);
/** Its repository is empty and asks for credentials. */
const world = useWorld({ files: null, users });

async function says({ name, condition }: WorldCluster, code: string): Promise<void> {
  await waitUntil(`${name} says ${code}`, async () => {
    const { status, reason } = await condition("Synced");
    return (status !== "True" && reason.includes(code)) || `${status} ${reason}`;
  });
}

describe("a repository", () => {
  test("without a commit is waited for, and taken up when somebody pushes the first one", async () => {
    tellLogs(world());
    const { clusters, followers, person, settled } = world();
    for (const cluster of clusters) await says(cluster, "AG2005");
    for (const { objects } of followers) expect(await objects.list("GSLBConfig")).toEqual([]);
    await person.push(federationFiles(), "Start the federation");
    await settled();
    for (const { objects } of followers) expect(await objects.list("GSLBConfig")).toHaveLength(1);
  });

  test("that is not there is waited for, and taken up when it appears", async () => {
    tellLogs(world());
    const { clusters, settled, repositoryFolder } = world();
    const before = await settled();
    await rename(repositoryFolder, `${repositoryFolder}.away`);
    for (const cluster of clusters) await says(cluster, "AG2006");
    await rename(`${repositoryFolder}.away`, repositoryFolder);
    expect(await settled()).toBe(before);
  });
});

describe("credentials", () => {
  test("that are refused are said plainly, and their successors are taken up without a restart", async () => {
    tellLogs(world());
    const { leader, followers, settled } = world();
    const [follower] = followers as readonly [WorldCluster];
    await settled();
    const pid = follower.agent()?.pid;
    users[follower.name] = { password: "another secret", mayPush: true };
    await says(follower, "AG2002");
    await waitForAnswer(follower, { status: 200 });
    await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 101 } });
    await writeFile(join(credentialsFolder(world(), follower), "password"), "another secret");
    await waitUntil("the follower holds what changed meanwhile", async () => {
      const object = await follower.objects.get("GlobalDeploymentPolicy", GDP);
      return JSON.stringify(object?.spec).includes('"ttl":101');
    });
    await settled();
    expect(follower.agent()?.pid).toBe(pid);
  });

  test("that may only read let a follower apply, and it says that it cannot report", async () => {
    tellLogs(world());
    const { leader, followers, settled, refs } = world();
    const [follower] = followers as readonly [WorldCluster];
    const acknowledged = await settled();
    const since = (await follower.log()).length;
    users[follower.name] = { password: "another secret", mayPush: false };
    await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 102 } });
    await waitUntil("the follower holds the change", async () => {
      const object = await follower.objects.get("GlobalDeploymentPolicy", GDP);
      return JSON.stringify(object?.spec).includes('"ttl":102');
    });
    await waitUntil("the follower says that it may not push", async () => {
      return (await follower.log()).slice(since).some((line) => line["code"] === "AG2013");
    });
    expect((await refs()).get(`amko/applied/${follower.name}`)).toBe(acknowledged);
    users[follower.name] = { password: "another secret", mayPush: true };
    await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 103 } });
    // What the server refused is offered again at a resync, or by a new start.
    await follower.agent()?.stop();
    follower.startAgent();
    await settled();
  });

  test("that are missing where everybody may read let a new follower apply", async () => {
    tellLogs(world());
    const { leader, followers, settled, git, refs } = world();
    const [, follower] = followers as readonly [WorldCluster, WorldCluster];
    const folder = credentialsFolder(world(), follower);
    await settled();
    await follower.agent()?.stop();
    const since = (await follower.log()).length;
    users[""] = { password: "", mayPush: false };
    for (const file of ["username", "password"]) await rm(join(folder, file));
    for (const kind of ["identity", "applied"]) {
      await git("update-ref", "-d", `refs/heads/amko/${kind}/${follower.name}`);
    }
    await leader.objects.merge("GlobalDeploymentPolicy", GDP, { spec: { ttl: 104 } });
    follower.startAgent();
    await waitUntil("the follower holds the change", async () => {
      const object = await follower.objects.get("GlobalDeploymentPolicy", GDP);
      return JSON.stringify(object?.spec).includes('"ttl":104');
    });
    await waitUntil("the follower says that it may only read", async () => {
      return (await follower.log()).slice(since).some((line) => line["code"] === "AG2013");
    });
    expect([...(await refs()).keys()]).not.toContain(`amko/applied/${follower.name}`);
    delete users[""];
    await follower.agent()?.stop();
    await writeCredentials(folder, follower.name, users[follower.name]?.password ?? "");
    follower.startAgent();
    await settled();
  });

  test("never show up in a log or a commit", async () => {
    const { clusters, git } = world();
    const logs = (await Promise.all(clusters.map(({ log }) => log()))).flat().map((line) => JSON.stringify(line));
    expect(logs.length).toBeGreaterThan(0);
    const history = await git("log", "--all", "--format=%an%ae%B", "-p");
    const encoded = Object.entries(users).map(([name, { password }]) => btoa(`${name}:${password}`));
    for (const secret of [...CLUSTERS.map((name) => `secret-of-${name}`), "another secret", ...encoded]) {
      expect(logs.join("\n")).not.toContain(secret);
      expect(history).not.toContain(secret);
    }
  });
});

describe("an agent's repository URL", () => {
  test.each([
    { what: "holds credentials", url: "http://somebody:hunter2@127.0.0.1/federation.git" },
    { what: "holds a user", url: "https://somebody@127.0.0.1/federation.git" },
    { what: "is for SSH", url: "ssh://git@127.0.0.1/federation.git" },
    { what: "is for SSH, as scp writes it", url: "git@127.0.0.1:federation.git" },
    { what: "is a file", url: "file:///srv/federation.git" },
    { what: "is a path", url: "/srv/federation.git" },
    { what: "is for FTP", url: "ftp://127.0.0.1/federation.git" },
    { what: "is none", url: "not a URL" },
    { what: "is missing", url: "" },
  ])("that $what ends it at once with exit code 2 and one sentence, without telling the URL", async ({ url }) => {
    const { code, stdout, stderr } = await runProcess(["src/launch.js", "agent", "--repo", url], {
      environment: { KUBECONFIG: world().kubeconfig },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: AG4\d\d\d [^\n]+\n$/);
    expect(stderr).not.toContain("hunter2");
    expect(stderr).not.toContain("somebody");
  });
});
