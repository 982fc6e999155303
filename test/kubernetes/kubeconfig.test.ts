import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { findConnection, type Surroundings } from "../../src/kubernetes/kubeconfig.ts";
import { untrustedConnections } from "../../src/kubernetes/untrusted.ts";

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

function surroundings(changes: Partial<Surroundings> = {}): Surroundings {
  return { env: {}, homeDirectory: "/nowhere", serviceAccountDirectory: "/nowhere", ...changes };
}

interface Parts {
  readonly current?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly context?: string;
}

const kubeconfig = ({
  current = "east",
  cluster = "server: https://east:6443",
  user = "token: t",
  context = "east",
}: Parts = {}) => `
apiVersion: v1
kind: Config
current-context: ${current}
contexts: [{ name: ${context}, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { ${cluster} } }]
users: [{ name: u, user: { ${user} } }]
`;

const nothing = { kubeconfig: null, context: null };

describe("which API server", () => {
  it("is the pod's own where there is a ServiceAccount, its token and CA read from files", () => {
    const directory = folder({ token: "t", "ca.crt": "ca" });
    const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443", KUBECONFIG: "/nowhere/config" };
    const connection = findConnection(nothing, surroundings({ env, serviceAccountDirectory: directory }));
    expect(connection).toMatchObject({
      context: null,
      server: "https://[fd00::1]:443",
      tls: { ca: { kind: "file", path: join(directory, "ca.crt") }, insecure: false },
      user: { token: { kind: "file", path: join(directory, "token") } },
    });
  });

  it("is the kubeconfig's where one is named, also in a pod", () => {
    const directory = folder({ token: "t", "ca.crt": "ca", config: kubeconfig() });
    const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
    const choice = { kubeconfig: join(directory, "config"), context: null };
    expect(findConnection(choice, surroundings({ env, serviceAccountDirectory: directory })).server).toBe(
      "https://east:6443",
    );
  });

  it("comes from ~/.kube/config in the end", () => {
    expect(() => findConnection(nothing, surroundings({ homeDirectory: "/nowhere" }))).toThrow("/nowhere/.kube/config");
  });

  it("is found in the files of KUBECONFIG, the first of two entries winning, missing files skipped", () => {
    const directory = folder({
      one: kubeconfig({ cluster: "server: https://first" }),
      two: `${kubeconfig({ current: "west", context: "west", cluster: "server: https://second" })}`,
    });
    const env = { KUBECONFIG: ["/nowhere/zero", join(directory, "one"), join(directory, "two")].join(":") };
    const find = (context: string | null) => findConnection({ kubeconfig: null, context }, surroundings({ env }));
    expect(find(null)).toMatchObject({ context: "east", server: "https://first" });
    expect(find("west")).toMatchObject({ context: "west", server: "https://first" });
  });

  it("reads files relative to the kubeconfig, data before files, a token file before a token", () => {
    const directory = folder({
      config: kubeconfig({
        cluster:
          "server: https://east/, certificate-authority: pki/ca.crt, tls-server-name: kubernetes, proxy-url: 'http://proxy:3128'",
        user: "token: t, tokenFile: token, client-certificate: c.crt, client-certificate-data: Y2VydA==, client-key-data: a2V5, as: admin, as-uid: u1, as-groups: [masters, ops], as-user-extra: { Acme.com/(scope): [one, two] }",
      }),
    });
    const impersonation = {
      "Impersonate-User": "admin",
      "Impersonate-Uid": "u1",
      "Impersonate-Group": ["masters", "ops"],
      "Impersonate-Extra-acme.com%2F%28scope%29": ["one", "two"],
    };
    expect(findConnection({ kubeconfig: join(directory, "config"), context: null }, surroundings())).toMatchObject({
      server: "https://east",
      proxyUrl: "http://proxy:3128",
      tls: {
        ca: { kind: "file", path: join(directory, "pki/ca.crt") },
        clientCertificate: { kind: "inline", bytes: Buffer.from("cert") },
        clientKey: { kind: "inline", bytes: Buffer.from("key") },
        serverName: "kubernetes",
      },
      user: { token: { kind: "file", path: join(directory, "token") }, impersonation },
    });
  });

  it("runs a plugin as kubectl does", () => {
    const exec =
      "{ command: ./bin/plugin, apiVersion: client.authentication.k8s.io/v1beta1, provideClusterInfo: true }";
    const extension = "{ name: client.authentication.k8s.io/exec, extension: { audience: amko } }";
    const directory = folder({
      "ca.crt": "authority",
      config: kubeconfig({
        cluster: `server: https://east, certificate-authority: ca.crt, extensions: [${extension}]`,
        user: `exec: ${exec}`,
      }),
    });
    const { user } = findConnection({ kubeconfig: join(directory, "config"), context: null }, surroundings());
    const { command, env } = user.plugin?.entry ?? {};
    const [{ name, value }] = env as [{ name: string; value: string }];
    expect([command, name]).toEqual([join(directory, "bin/plugin"), "KUBERNETES_EXEC_INFO"]);
    expect(JSON.parse(value)).toEqual({
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1beta1",
      spec: {
        cluster: {
          server: "https://east",
          "certificate-authority-data": Buffer.from("authority").toString("base64"),
          config: { audience: "amko" },
        },
        interactive: false,
      },
    });
  });

  it.each([
    ["no YAML", "a: [", "no valid YAML"],
    ["no mapping", "- 1", "holds no kubeconfig"],
    ["no current context", kubeconfig({ current: '""' }), "no current-context"],
    ["another context", kubeconfig({ current: "west" }), "no context west"],
    ["no server", kubeconfig({ cluster: "" }), "server is no http or https URL"],
    ["credentials in the server", kubeconfig({ cluster: "server: https://u:hunter2@east" }), "carries credentials"],
    ["a proxy without a host", kubeconfig({ cluster: "server: https://east, proxy-url: 'http://'" }), "proxy-url"],
    ["a SOCKS proxy", kubeconfig({ cluster: "server: https://east, proxy-url: 'socks5://u:hunter2@p'" }), "proxy-url"],
    ["a missing cluster", kubeconfig().replace("name: c,", "name: d,"), "names the cluster c"],
    ["a missing user", kubeconfig().replace("name: u,", "name: v,"), "names the user u"],
    ["groups of nobody", kubeconfig({ user: "as-groups: [masters]" }), "names no user"],
    ["a malformed entry", kubeconfig().replace("{ name: u,", "{ "), "users[0] is malformed"],
  ])("is refused with the reason: %s", (_when, text, reason) => {
    const directory = folder({ config: text });
    const find = () => findConnection({ kubeconfig: join(directory, "config"), context: null }, surroundings());
    expect(find).toThrow(expect.objectContaining({ code: "AG4005" }));
    expect(find).toThrow(reason);
    expect(find).not.toThrow("hunter2");
  });
});

describe("a kubeconfig that somebody else wrote", () => {
  it("may carry a server and credentials", () => {
    expect(untrustedConnections(kubeconfig()).get("east")).toMatchObject({ server: "https://east:6443" });
  });

  it.each([
    ["run a program", kubeconfig({ user: "exec: { command: sh }" })],
    ["use an auth-provider", kubeconfig({ user: "auth-provider: { name: oidc }" })],
    ["skip TLS verification", kubeconfig({ cluster: "server: https://east, insecure-skip-tls-verify: true" })],
    ["read a token here", kubeconfig({ user: "tokenFile: /etc/passwd" })],
    ["read a certificate here", kubeconfig({ cluster: "server: https://east, certificate-authority: /etc/passwd" })],
    ["skip it by another spelling", kubeconfig({ cluster: "server: HTTPS://east, insecure-skip-tls-verify: true" })],
  ])("may not %s", (_what, text) => {
    expect(untrustedConnections(text).get("east")).toMatchObject({ code: "AG4007" });
  });

  it("has nothing read here for a plugin that is refused", () => {
    const directory = folder({ "ca.crt": "authority" });
    const refusalWith = (authority: string) =>
      untrustedConnections(
        kubeconfig({
          cluster: `server: https://east, certificate-authority: ${join(directory, authority)}`,
          user: "exec: { command: sh, provideClusterInfo: true }",
        }),
      ).get("east");
    expect(refusalWith("ca.crt")).toMatchObject({ message: expect.stringContaining("exec users are refused") });
    expect(refusalWith("missing.crt")).toEqual(refusalWith("ca.crt"));
  });
});
