import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FederationError } from "../../src/errors.ts";
import { createLog, type LogSettings } from "../../src/observe/log.ts";
import type { LogLevel } from "../../src/ports.ts";

function logging(settings: Partial<LogSettings> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    destination: { write: (line) => lines.push(line) },
    ...settings,
  });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const failure = () =>
  new FederationError("AG3001", "https://east:6443 cannot be reached.", {
    cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
  });

describe("a line of the log", () => {
  it("is one JSON object with time, level, message and fields", () => {
    const { log, lines, parsed } = logging({ fields: { cluster: "east" } });
    log("info", "applied", { revision: "1234", kinds: ["GSLBConfig"] });
    expect(parsed()).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        level: "info",
        cluster: "east",
        revision: "1234",
        kinds: ["GSLBConfig"],
        msg: "applied",
      },
    ]);
    expect(lines[0]).toMatch(/^[^\n]*\n$/);
  });

  it("is written from its level upwards", () => {
    const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];
    const { log, parsed } = logging({ level: "warn" });
    for (const level of levels) log(level, "something");
    expect(parsed().map(({ level }) => level)).toEqual(["warn", "error"]);
  });

  it("tells an error's code, remedy and causes, and no stack", () => {
    const { log, parsed } = logging();
    log("error", "failed", { error: failure() });
    expect(parsed()[0]?.["error"]).toEqual({
      code: "AG3001",
      message: "https://east:6443 cannot be reached.",
      remedy: "Check the API server; it is tried again.",
      cause: { code: "ECONNREFUSED", message: "connect ECONNREFUSED" },
    });
  });

  it("tells the stack to those who debug", () => {
    const { log, parsed } = logging({ level: "debug" });
    log("error", "failed", { error: failure() });
    expect(parsed()[0]).toMatchObject({ error: { stack: expect.stringContaining("log.test.ts") } });
  });

  it("survives errors that cause each other, deep and wide values, and fields with reserved names", () => {
    const { log, parsed } = logging();
    const error = new Error("one");
    error.cause = new Error("two", { cause: error });
    const circle: Record<string, unknown> = {};
    circle["circle"] = circle;
    log("info", "odd", {
      error,
      circle,
      wide: Array.from({ length: 1_000 }, () => 1),
      msg: "mine",
      level: "mine",
      big: 1n,
    });
    expect(parsed()[0]).toMatchObject({ msg: "odd", msg_: "mine", level: "info", level_: "mine", big: "1" });
    expect(parsed()[0]).toHaveProperty("wide.length", 100);
  });
});

describe("a line for people", () => {
  it("is time, level, message, fields, and the error with its remedy last", () => {
    const { log, lines } = logging({ format: "text", fields: { cluster: "east" } });
    log("warn", "cannot list", { kind: "GSLBConfig", waited: 7, text: 'a "b"\nc', error: failure() });
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d WARN {2}cannot list cluster=east kind=GSLBConfig waited=7 text="a \\"b\\"\\nc" AG3001: https:\/\/east:6443 cannot be reached\. \(because: ECONNREFUSED: connect ECONNREFUSED\) -> Check the API server; it is tried again\.\n$/,
    );
  });
});

describe("a secret", () => {
  const secret = "hunter2hunter2";

  it.each([
    ["under a telling key", { bearerToken: secret, PASSWORD: secret, nested: [{ "client-key-data": secret }] }],
    ["in a map", { headers: new Map([["authorization", secret]]) }],
    ["in a URL", { repository: `https://agent:${secret}@git.example/federation.git` }],
    ["in a URL without a user", { text: `see https://${secret}@git.example/ and http://h` }],
    ["in a header's text", { text: `Authorization: Bearer ${secret}` }],
    ["in an error", { error: new Error(`cannot fetch https://agent:${secret}@git.example`) }],
    ["in the cause of an error", { error: new Error("failed", { cause: { token: secret } }) }],
    ["in the bytes of a buffer", { body: Buffer.from(secret) }],
  ])("is never written: %s", (_where, fields) => {
    for (const format of ["json", "text"] as const) {
      const { log, lines } = logging({ level: "debug", format, fields });
      log("info", `message with https://u:${secret}@host/`, fields);
      expect(lines.join("")).not.toContain(secret);
      expect(lines).toHaveLength(1);
    }
  });

  it("is never written, however deep its key and whatever stands beside it", () =>
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { maxLength: 8 }), fc.jsonValue(), (path, beside) => {
        const { log, lines } = logging();
        let value: Record<string, unknown> = { password: secret, beside };
        for (const key of path) value = { [key]: value, beside };
        log("info", "message", value);
        expect(lines.join("")).not.toContain(secret);
      }),
    ));

  it.each([
    "http://east:6443/path?at=a@b",
    "person@example.com",
    "main@sha1:0123456789",
    "arn:aws:eks:eu-west-1:1:cluster/a",
  ])("is not seen in %s", (text) => {
    const { log, parsed } = logging();
    log("info", "message", { text });
    expect(parsed()[0]).toMatchObject({ text });
  });
});
