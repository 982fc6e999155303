import { describe, expect, it } from "vitest";
import { type RequestSubject, refusal } from "../../src/kubernetes/refusal.ts";
import { status } from "./support.ts";

interface Case {
  readonly when: string;
  readonly code: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly subject?: RequestSubject;
  readonly expected: string;
}

const listing: RequestSubject = { verb: "list", kind: "GSLBConfig", name: null };
const patching: RequestSubject = { verb: "patch", kind: "GSLBConfig", name: "gc-1" };
const text = { "content-type": "text/plain; charset=utf-8" };
const html = { "content-type": "text/html" };
const rights = { details: { kind: "gslbconfigs", group: "amko.vmware.com" } };
const gone = { details: { kind: "gslbconfigs", name: "gc-1" } };

describe("an answer that is no success", () => {
  it.each<Case>([
    { when: "the token is refused", code: 401, body: status(401, "Unauthorized"), expected: "AG3002" },
    { when: "a right is missing", code: 403, body: status(403, "Forbidden", rights), expected: "AG3003" },
    { when: "403 comes without a Status", code: 403, body: "no", expected: "AG3003" },
    { when: "a webhook denies it", code: 403, body: status(403, "Forbidden"), subject: patching, expected: "AG3007" },
    {
      when: "a validating policy denies it",
      code: 403,
      body: status(403, "Forbidden", { details: { kind: "gslbconfigs", name: "gc-1", causes: [{ message: "no" }] } }),
      subject: patching,
      expected: "AG3007",
    },
    {
      when: "the namespace is terminating",
      code: 403,
      body: status(403, "Forbidden", {
        details: { kind: "gslbconfigs", causes: [{ reason: "NamespaceTerminating" }] },
      }),
      expected: "AG3015",
    },
    { when: "the kind is not known", code: 404, body: "404 page not found\n", headers: text, expected: "AG3005" },
    {
      when: "the kind is not known, as a Status",
      code: 404,
      body: status(404, "NotFound", { details: {} }),
      expected: "AG3005",
    },
    {
      when: "the object is gone",
      code: 404,
      body: status(404, "NotFound", gone),
      subject: patching,
      expected: "AG3010",
    },
    {
      when: "the kind is gone with the object",
      code: 404,
      body: "404 page not found\n",
      headers: text,
      subject: patching,
      expected: "AG3005",
    },
    {
      when: "the namespace is missing",
      code: 404,
      body: status(404, "NotFound", { details: { kind: "namespaces", name: "avi-system" } }),
      subject: { verb: "create", kind: "GSLBConfig", name: "gc-1" },
      expected: "AG3015",
    },
    {
      when: "404 comes from something in between",
      code: 404,
      body: "<html>",
      headers: html,
      subject: patching,
      expected: "AG3014",
    },
    { when: "the object was changed", code: 409, body: status(409, "Conflict"), expected: "AG3004" },
    { when: "the object exists", code: 409, body: status(409, "AlreadyExists"), expected: "AG3016" },
    { when: "the version is too old", code: 410, body: status(410, "Expired"), expected: "AG3004" },
    { when: "the schema refuses it", code: 422, body: status(422, "Invalid"), expected: "AG3007" },
    { when: "the body is refused", code: 400, body: status(400, "BadRequest"), expected: "AG3007" },
    { when: "400 comes from something in between", code: 400, body: "<html>", headers: html, expected: "AG3014" },
    { when: "the object is too large", code: 413, body: status(413, "RequestEntityTooLarge"), expected: "AG3007" },
    { when: "the server is busy", code: 429, expected: "AG3009" },
    { when: "the server starts", code: 503, headers: { "retry-after": "2" }, expected: "AG3009" },
    { when: "the server is not there", code: 503, expected: "AG3001" },
    { when: "the server failed", code: 500, body: status(500, "InternalError"), expected: "AG3001" },
    { when: "a load balancer finds no server", code: 502, body: "<html>", headers: html, expected: "AG3001" },
    { when: "the server ran out of time", code: 504, body: status(504, "Timeout"), expected: "AG3006" },
    { when: "a login page is elsewhere", code: 302, headers: { location: "https://login" }, expected: "AG3014" },
    { when: "the media type is refused", code: 415, body: status(415, "UnsupportedMediaType"), expected: "AG3014" },
  ])("is $expected when $when", ({ code, body = "", headers = {}, subject = listing, expected }) => {
    const answer = typeof body === "string" ? body : JSON.stringify(body);
    expect(refusal({ status: code, headers, text: answer, subject }).code).toBe(expected);
  });

  it("names the fields that the server refuses, before anything that could be cut off", () => {
    const causes = [
      { reason: "FieldValueInvalid", field: "spec.ttl", message: "Invalid value: 86401: should be at most 86400" },
      { reason: "FieldValueInvalid", field: "spec.trafficSplit[0].weight", message: "should be at least 1" },
    ];
    const body = JSON.stringify(status(422, "Invalid", { message: "x".repeat(2_000), details: { causes } }));
    const { message } = refusal({ status: 422, headers: {}, text: body, subject: patching });
    expect(message).toContain("spec.ttl: Invalid value: 86401");
    expect(message).toContain("spec.trafficSplit[0].weight");
  });

  it("keeps the server's words short and on one line", () => {
    const body = JSON.stringify(status(403, "Forbidden", { message: `a\n\u001b[31mb${"c".repeat(2_000)}` }));
    const { message } = refusal({ status: 403, headers: {}, text: body, subject: listing });
    expect(message).toMatch(/^The API server refused to list GSLBConfig \(HTTP 403: a \[31mbc{3}/);
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(600);
  });

  it.each([
    { when: "the header says so", headers: { "retry-after": "7" }, body: "", expected: 7_000 },
    {
      when: "the Status says so",
      headers: {},
      body: JSON.stringify(status(429, "TooManyRequests", { details: { retryAfterSeconds: 3 } })),
      expected: 3_000,
    },
    { when: "nobody says so", headers: {}, body: "", expected: 1_000 },
    { when: "it would be at once", headers: { "retry-after": "0" }, body: "", expected: 1_000 },
    { when: "it would be for hours", headers: { "retry-after": "86400" }, body: "", expected: 300_000 },
    { when: "it is a date", headers: { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }, body: "", expected: 1_000 },
  ])("waits $expected ms when $when", ({ headers, body, expected }) => {
    expect(refusal({ status: 429, headers, text: body, subject: listing }).retryAfterMs).toBe(expected);
  });
});
