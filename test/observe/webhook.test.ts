import { createHmac } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DeliveryOutcome } from "../../src/observe/metrics.ts";
import { startHealthServer } from "../../src/observe/server.ts";
import { createWebhook } from "../../src/observe/webhook.ts";
import { createManualClock } from "../support/fakes/time.ts";
import { temporaryFolder } from "../support/git.ts";

const SECRET = "a secret that nobody knows";
const MAIN = JSON.stringify({ ref: "refs/heads/main", repository: { clone_url: "https://evil.example.com/x.git" } });
const OTHER = JSON.stringify({ ref: "refs/heads/amko/applied/cluster2" });
const JSON_BODY = { "content-type": "application/json" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };

const sign = (body: string | Buffer, secret = SECRET): string =>
  createHmac("sha256", secret).update(body).digest("hex");

type Headers = Readonly<Record<string, string>>;

/** As GitHub signs. */
const github = (body: string, secret?: string): Headers => ({
  ...JSON_BODY,
  "x-github-event": "push",
  "x-hub-signature-256": `sha256=${sign(body, secret)}`,
});

async function hook(secret = SECRET) {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const secretFile = join(folder.path, "secret");
  await writeFile(secretFile, `${secret}\n`);
  const clock = createManualClock();
  const outcomes: DeliveryOutcome[] = [];
  const lines: string[] = [];
  const log = (level: string, message: string, fields = {}) =>
    void lines.push(JSON.stringify([level, message, fields]));
  let fetches = 0;
  const route = createWebhook({
    secretFile,
    branch: "main",
    clock,
    log,
    fetchNow: () => {
      fetches += 1;
    },
    delivered: (outcome) => void outcomes.push(outcome),
  });
  const ask = async (headers: Headers, body: string | Buffer = "") => {
    const answer = await route.respond({ method: "POST", headers, body: Buffer.from(body) });
    return { status: answer.status, headers: answer.headers ?? {}, ...JSON.parse(answer.body) };
  };
  return { route, ask, clock, outcomes, lines, secretFile, log, fetches: () => fetches };
}

describe("a delivery that knows the secret makes the agent fetch", () => {
  it.each<[string, Headers, string]>([
    ["GitHub's", github(MAIN), MAIN],
    [
      "GitHub's, as a form",
      {
        ...FORM,
        "x-github-event": "push",
        "x-hub-signature-256": `sha256=${sign(`payload=${encodeURIComponent(MAIN)}`)}`,
      },
      `payload=${encodeURIComponent(MAIN)}`,
    ],
    ["Gitea's", { ...JSON_BODY, "x-gitea-event": "push", "x-gitea-signature": sign(MAIN) }, MAIN],
    [
      "Gitea's, as a form, of which it signs the payload",
      { ...FORM, "x-gitea-event": "push", "x-gitea-signature": sign(MAIN) },
      `payload=${encodeURIComponent(MAIN).replaceAll("%20", "+")}`,
    ],
    ["Forgejo's", { ...JSON_BODY, "x-forgejo-event": "push", "x-forgejo-signature": sign(MAIN) }, MAIN],
    ["GitLab's, with the token", { ...JSON_BODY, "x-gitlab-event": "Push Hook", "x-gitlab-token": SECRET }, MAIN],
    ["somebody's, signed", { ...JSON_BODY, "x-hub-signature": `sha256=${sign(MAIN).toUpperCase()}` }, MAIN],
  ])("%s", async (_whose, headers, body) => {
    const { ask, fetches } = await hook();
    expect(await ask(headers, body)).toMatchObject({ status: 202, result: "accepted" });
    expect(fetches()).toBe(1);
  });

  it("somebody's, with nothing but the token", async () => {
    const { ask, fetches } = await hook("token-1");
    expect(await ask({ authorization: "Bearer token-1" })).toMatchObject({ status: 202, result: "accepted" });
    expect(fetches()).toBe(1);
  });

  it.each([
    ["as the specification has it", `whsec_${Buffer.from("thirty-two bytes of a signing key").toString("base64")}`],
    ["with a secret of another form", SECRET],
  ])("GitLab's, signed %s", async (_how, secret) => {
    const { ask } = await hook(secret);
    const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
    const signature = createHmac("sha256", key).update(`msg_1.1800000000.${MAIN}`).digest("base64");
    const headers = { ...JSON_BODY, "webhook-id": "msg_1", "webhook-timestamp": "1800000000" };
    const signatures = `v1,${Buffer.alloc(32).toString("base64")} v1,${signature}`;
    expect(await ask({ ...headers, "webhook-signature": signatures }, MAIN)).toMatchObject({ status: 202 });
    const other = await ask({ ...headers, "webhook-id": "msg_2", "webhook-signature": signatures }, MAIN);
    expect(other).toMatchObject({ status: 401, result: "refused" });
  });

  it("after the secret was rotated, with the new one only", async () => {
    const { ask, secretFile } = await hook();
    await writeFile(secretFile, "another one");
    expect((await ask(github(MAIN), MAIN)).status).toBe(401);
    expect((await ask(github(MAIN, "another one"), MAIN)).status).toBe(202);
  });
});

describe("a delivery is refused, and wakes nobody,", () => {
  const wrong = sign(MAIN, "another secret");
  it.each<[string, Headers]>([
    ["without a signature", { ...JSON_BODY, "x-github-event": "push" }],
    ["with one by another secret", github(MAIN, "another secret")],
    ["with one of another body", github(OTHER)],
    ["with an empty one, as of a hook without a secret", { ...JSON_BODY, "x-gitea-signature": "" }],
    ["with only the prefix of one", { ...JSON_BODY, "x-hub-signature-256": "sha256=" }],
    ["with the beginning of one", { ...JSON_BODY, "x-hub-signature-256": `sha256=${sign(MAIN).slice(0, 32)}` }],
    [
      "with a weak one",
      { ...JSON_BODY, "x-hub-signature": `sha1=${createHmac("sha1", SECRET).update(MAIN).digest("hex")}` },
    ],
    ["with a wrong token", { ...JSON_BODY, "x-gitlab-token": `${SECRET}x` }],
    ["with an empty token", { ...JSON_BODY, "x-gitlab-token": "" }],
    ["with a wrong bearer", { ...JSON_BODY, authorization: `Bearer ${wrong}` }],
    ["with half of a specification", { ...JSON_BODY, "webhook-signature": `v1,${wrong}` }],
  ])("%s", async (_how, headers) => {
    const { ask, fetches, outcomes, lines } = await hook();
    expect(await ask(headers, MAIN)).toMatchObject({ status: 401, result: "refused" });
    expect([fetches(), outcomes]).toEqual([0, ["refused"]]);
    expect(lines.join("\n")).toContain("AG4011");
    expect(lines.join("\n")).not.toContain(SECRET);
  });

  it("and the log does not fill with it", async () => {
    const { ask, lines, clock } = await hook();
    const complaints = (): readonly string[] => lines.filter((line) => line.includes("AG4011"));
    for (let count = 0; count < 1_000; count += 1) await ask({}, MAIN);
    expect(complaints()).toHaveLength(5);
    await clock.advance(60_000);
    await ask({}, MAIN);
    expect(complaints().at(-1)).toContain('"silenced":995');
  });

  it("and takes nothing from those who know the secret", async () => {
    const { ask } = await hook();
    for (let count = 0; count < 100; count += 1) await ask({}, MAIN);
    expect((await ask(github(MAIN), MAIN)).status).toBe(202);
  });
});

describe("a delivery that is no reason to fetch", () => {
  it("is ignored, and says so", async () => {
    const { ask, fetches, outcomes } = await hook();
    expect(await ask(github(OTHER), OTHER)).toMatchObject({ status: 202, result: "ignored", why: "another branch" });
    const ping = { ...github("{}"), "x-github-event": "ping" };
    expect(await ask(ping, "{}")).toMatchObject({ status: 202, result: "ignored", why: "a ping" });
    expect([fetches(), outcomes]).toEqual([0, ["ignored", "ignored"]]);
  });

  it("does not count against those that are", async () => {
    const { ask } = await hook();
    for (let count = 0; count < 100; count += 1) await ask(github(OTHER), OTHER);
    expect((await ask(github(MAIN), MAIN)).status).toBe(202);
  });
});

it("tells who sends too much when to come again", async () => {
  const { ask, fetches, clock, outcomes } = await hook();
  for (let count = 0; count < 31; count += 1) await ask(github(MAIN), MAIN);
  expect([fetches(), outcomes.at(-1)]).toEqual([30, "limited"]);
  const limited = await ask(github(MAIN), MAIN);
  expect(limited).toMatchObject({ status: 429, result: "limited", headers: { "Retry-After": "1" } });
  await clock.advance(1_000);
  expect((await ask(github(MAIN), MAIN)).status).toBe(202);
});

describe("a payload that cannot be read", () => {
  it.each([
    ["no JSON", { ...JSON_BODY }, "{", 400],
    ["no JSON in a form", { ...FORM }, "payload=%7B", 400],
    ["another type", { "content-type": "application/xml" }, "<ref/>", 415],
    ["no type", {}, MAIN, 415],
  ])("is told to whoever knows the secret: %s", async (_what, headers, body, status) => {
    const { ask, fetches, outcomes } = await hook();
    const signed = { ...headers, "x-hub-signature-256": `sha256=${sign(body)}` };
    expect(await ask(signed, body)).toMatchObject({ status, result: "unreadable" });
    expect([fetches(), outcomes]).toEqual([0, ["unreadable"]]);
  });
});

it("says that it cannot work where the secret is gone, and works again when it is back", async () => {
  const { ask, secretFile, lines } = await hook();
  await rm(secretFile);
  expect(await ask(github(MAIN), MAIN)).toMatchObject({ status: 503, result: "unavailable" });
  expect(lines.join("\n")).toContain("AG4004");
  await writeFile(secretFile, SECRET);
  expect((await ask(github(MAIN), MAIN)).status).toBe(202);
});

describe("on the agent's server", () => {
  async function serving(routes: boolean) {
    const { route, log, fetches } = await hook();
    const health = () => ({ live: true, ready: true, detail: {} });
    const server = await startHealthServer({ listen: "127.0.0.1:0", health, log, routes: routes ? [route] : [] });
    onTestFinished(() => server.close());
    const ask = (init: RequestInit) => fetch(`http://127.0.0.1:${server.address.port}/hook`, init);
    return { ask, fetches };
  }

  it("it takes POST alone, and the body as it came", async () => {
    const { ask, fetches } = await serving(true);
    const body = `{ "ref" : "refs/heads/main", "name": "Grüße" }`;
    const answer = await ask({ method: "POST", headers: github(body), body });
    expect([answer.status, await answer.json()]).toEqual([202, { result: "accepted", why: "main is read now" }]);
    expect((await ask({ method: "GET" })).status).toBe(405);
    expect(fetches()).toBe(1);
  });

  it("it takes no more than a megabyte", async () => {
    const { ask, fetches } = await serving(true);
    const body = JSON.stringify({ ref: "refs/heads/main", padding: "x".repeat(1024 * 1024) });
    expect((await ask({ method: "POST", headers: github(body), body })).status).toBe(413);
    expect(fetches()).toBe(0);
  });

  it("there is none where no secret is given", async () => {
    const { ask } = await serving(false);
    expect((await ask({ method: "POST", headers: github(MAIN), body: MAIN })).status).toBe(404);
  });
});

describe("whatever is sent", () => {
  const names = fc.constantFrom(
    ...["x-hub-signature-256", "x-hub-signature", "x-gitea-signature", "x-forgejo-signature", "x-gogs-signature"],
    ...["x-gitlab-token", "authorization", "webhook-id", "webhook-timestamp", "webhook-signature"],
    ...["x-github-event", "x-gitlab-event", "x-gitea-event", "content-type", "__proto__", "constructor"],
  );
  const values = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "push",
      "ping",
      "Push Hook",
      "System Hook",
      "application/json",
      FORM["content-type"],
      "Bearer ",
      "v1,",
    ),
  );
  const headers = fc.dictionary(names, values);
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.string().map((text) => Buffer.from(`payload=${text}`)),
    fc
      .constantFrom(
        ...['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', "[".repeat(100_000)],
        ...['{"ref":'.repeat(50_000), `payload=${"&payload=".repeat(50_000)}`, "null", '"main"', "\u0000"],
      )
      .map((text) => Buffer.from(text)),
  );

  it("without the secret is refused", async () => {
    const { route, fetches } = await hook();
    await fc.assert(
      fc.asyncProperty(headers, bodies, async (given, body) => {
        const { status } = await route.respond({ method: "POST", headers: given, body });
        expect(status).toBe(401);
      }),
    );
    expect(fetches()).toBe(0);
  });

  it("with the secret is answered as it should be, and leaves nothing behind", async () => {
    await fc.assert(
      fc.asyncProperty(headers, bodies, async (given, body) => {
        const { route, fetches } = await hook();
        const signed = { ...given, "x-hub-signature-256": `sha256=${sign(body)}` };
        const { status, body: text } = await route.respond({ method: "POST", headers: signed, body });
        const { result } = JSON.parse(text) as { readonly result: string };
        expect([status, result]).toSatisfy(
          ([code, word]) =>
            (code === 202 && (word === "accepted" || word === "ignored")) ||
            ((code === 400 || code === 415) && word === "unreadable"),
        );
        expect(fetches()).toBe(result === "accepted" ? 1 : 0);
        expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      }),
    );
  });
});
