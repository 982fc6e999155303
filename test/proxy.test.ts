import { describe, expect, it } from "vitest";
import { proxyFor } from "../src/proxy.ts";

const PROXY = "http://proxy.example.com:3128";

function isDirect(server: string, exceptions: string): boolean {
  return proxyFor(new URL(server), { HTTP_PROXY: PROXY, HTTPS_PROXY: PROXY, NO_PROXY: exceptions }) === null;
}

describe("the proxy of a server", () => {
  it.each([
    ["https://git.example.com", { HTTPS_PROXY: PROXY, HTTP_PROXY: "http://other" }, PROXY],
    ["http://git.example.com", { HTTPS_PROXY: "http://other", HTTP_PROXY: PROXY }, PROXY],
    ["https://git.example.com", { https_proxy: PROXY }, PROXY],
    ["https://git.example.com", { HTTPS_PROXY: "", https_proxy: PROXY }, PROXY],
    ["https://git.example.com", { HTTPS_PROXY: "proxy.example.com:3128" }, PROXY],
    ["https://git.example.com", { HTTPS_PROXY: "https://jo:s3cret@proxy:1" }, "https://jo:s3cret@proxy:1"],
    ["https://git.example.com", { HTTP_PROXY: PROXY }, null],
    ["https://git.example.com", {}, null],
    ["https://localhost:6443", { HTTPS_PROXY: PROXY }, null],
    ["https://127.0.0.1:6443", { HTTPS_PROXY: PROXY }, null],
    ["https://[::1]:6443", { HTTPS_PROXY: PROXY }, null],
  ])("%s with %j", (server, environment: Record<string, string>, proxy) => {
    expect(proxyFor(new URL(server), environment)).toBe(proxy);
  });

  it.each([
    ["https://10.96.0.1", "10.0.0.0/8,.svc,.cluster.local"],
    ["https://10.96.0.1", "example.com, 10.96.0.1"],
    ["https://10.96.0.1:6443", "10.96.0.1:6443"],
    ["https://[fd00::1]:6443", "fd00::/8"],
    ["https://[fd00::1]:6443", "fd00::1"],
    ["https://[fd00::1]:6443", "[fd00::1]:6443"],
    ["https://kubernetes.default.svc", ".svc"],
    ["https://api.example.com", "example.com"],
    ["https://example.com", "EXAMPLE.com"],
    ["https://api.example.com", "*.example.com"],
    ["https://api.example.com", "example.com:443"],
    ["http://api.example.com", "example.com:80"],
    ["https://api.example.com", "*"],
  ])("is none for %s where NO_PROXY is %s", (server, exceptions) => {
    expect(isDirect(server, exceptions)).toBe(true);
  });

  it.each([
    ["https://11.0.0.1", "10.0.0.0/8"],
    ["https://10.0.0.1", "10.0.0.0/33"],
    ["https://10.0.0.1", "10.0.0/8"],
    ["https://10.0.0.1", "fd00::/8"],
    ["https://10.example.com", "10.0.0.0/8"],
    ["https://10.96.0.1:6443", "10.96.0.1:443"],
    ["https://example.com", ".example.com"],
    ["https://example.com", "*.example.com"],
    ["https://myexample.com", "example.com"],
    ["https://api.example.com", "example.com:6443"],
    ["https://api.example.com", " ,, ,"],
  ])("is used for %s where NO_PROXY is %s", (server, exceptions) => {
    expect(isDirect(server, exceptions)).toBe(false);
  });

  it.each(["socks5://proxy:1080", "http://", "http://a b"])(
    "must be one of HTTP, not %s, and is not quoted",
    (proxy) => {
      expect(() => proxyFor(new URL("https://git.example.com"), { HTTPS_PROXY: proxy })).toThrow(
        expect.objectContaining({ code: "AG4002", message: "HTTPS_PROXY is no http or https proxy" }),
      );
    },
  );
});
