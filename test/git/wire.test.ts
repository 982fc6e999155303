import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommitId } from "../../src/core/model.ts";
import { FederationError } from "../../src/errors.ts";
import { parseAdvertisement } from "../../src/git/advertisement.ts";
import { parseCommit } from "../../src/git/commit.ts";
import { formatFetch, formatFetchVersion0, parseFetchAnswer } from "../../src/git/fetch-pack.ts";
import { formatPack, inspectPack } from "../../src/git/pack.ts";
import { DELIMITER, decodePackets, encodePacket, FLUSH, lineOf } from "../../src/git/pkt-line.ts";
import { parsePushAnswer } from "../../src/git/send-pack.ts";
import { formatTree, parseTree } from "../../src/git/tree.ts";

const ID = "a".repeat(40);
const bytes = (...parts: readonly string[]): Uint8Array => Buffer.from(parts.join(""), "latin1");
const sideBand = (channel: number, text: string): string => encodePacket(`${String.fromCharCode(channel)}${text}`);

/** Arbitrary bytes, and bytes that look like packets, because random ones hardly ever do. */
const noise = (): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(
        fc.oneof(
          fc.constantFrom(FLUSH, DELIMITER, "0002", "0003", "0004", "ffff", "zzzz"),
          fc.string({ unit: "binary-ascii", maxLength: 30 }).map(encodePacket),
          fc
            .constantFrom(
              "# service=git-upload-pack\n",
              "version 2\n",
              `${ID} refs/heads/main\0 x`,
              "packfile\n",
              "NAK\n",
            )
            .map(encodePacket),
          fc.constantFrom("\u0001", "\u0002", "\u0003").map((channel) => encodePacket(`${channel}unpack ok`)),
        ),
        { maxLength: 8 },
      )
      .map((parts) => bytes(...parts)),
  );

describe("whatever bytes a server sends", () => {
  const parsers: Readonly<Record<string, (input: Uint8Array) => unknown>> = {
    packets: decodePackets,
    "a greeting": (input) => parseAdvertisement(input, "git-upload-pack"),
    "a fetch": parseFetchAnswer,
    "a push report": (input) => parsePushAnswer(input, "refs/heads/main", true),
    "a plain push report": (input) => parsePushAnswer(input, "refs/heads/main", false),
    "a tree": parseTree,
    "a commit": parseCommit,
    "a pack": inspectPack,
  };
  it.each(Object.keys(parsers))("are read as %s or refused as a git error", (name) => {
    fc.assert(
      fc.property(noise(), (input) => {
        try {
          parsers[name]?.(input);
        } catch (error) {
          expect(error).toBeInstanceOf(FederationError);
          expect(error).toMatchObject({ code: "AG2008" });
        }
      }),
    );
  });
});

describe("an answer that was cut anywhere is never taken for a shorter one", () => {
  const pack = Buffer.from(formatPack([{ type: "blob", bytes: bytes("hello") }])).toString("latin1");
  const report = ["000eunpack ok\n", encodePacket("ok refs/heads/main\n"), FLUSH].join("");
  const answers: Readonly<Record<string, readonly [Uint8Array, (input: Uint8Array) => unknown]>> = {
    "greeting of version 2": [
      bytes(
        encodePacket("# service=git-upload-pack\n"),
        FLUSH,
        encodePacket("version 2\n"),
        encodePacket("fetch\n"),
        FLUSH,
      ),
      (input) => parseAdvertisement(input, "git-upload-pack"),
    ],
    "greeting of version 0": [
      bytes(
        encodePacket("# service=git-receive-pack\n"),
        FLUSH,
        encodePacket(`${ID} refs/heads/main\0report-status\n`),
        FLUSH,
      ),
      (input) => parseAdvertisement(input, "git-receive-pack"),
    ],
    fetch: [bytes(encodePacket("packfile\n"), sideBand(2, "done\n"), binaryPacket(1, pack), FLUSH), parseFetchAnswer],
    "push report": [bytes(sideBand(1, report), FLUSH), (input) => parsePushAnswer(input, "refs/heads/main", true)],
  };
  it.each(Object.keys(answers))("%s", (name) => {
    const [whole, parse] = answers[name] ?? [bytes(), decodePackets];
    expect(() => parse(whole)).not.toThrow();
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => parse(whole.subarray(0, length)), `cut after ${length} bytes`).toThrow(FederationError);
    }
  });
});

describe("a push's answer", () => {
  const REF = "refs/heads/main";
  const report = (...lines: readonly string[]): Uint8Array =>
    bytes(sideBand(1, `${lines.map((line) => encodePacket(`${line}\n`)).join("")}${FLUSH}`), FLUSH);

  it.each([
    ["took the ref", report("unpack ok", `ok ${REF}`), { kind: "done" }],
    ["refused it", report("unpack ok", `ng ${REF} hook declined`), { kind: "refused", words: "hook declined" }],
    ["took no objects", report("unpack index-pack failed"), { kind: "refused", words: "unpack index-pack failed" }],
    ["spoke of others", report("unpack ok", "ok refs/heads/other"), { kind: "unsaid", words: "unpack ok" }],
    ["gave up", bytes(sideBand(3, "out of disk"), FLUSH), { kind: "unsaid", words: "out of disk" }],
  ])("tells when the server %s", (_, answer, expected) => {
    expect(parsePushAnswer(answer, REF, true)).toEqual(expected);
  });
});

it("asks for a depth as every server understands it, whatever it offers", () => {
  const commit = ID as CommitId;
  const request = { wants: [commit], haves: [], shallows: [commit], depth: 64 };
  const version0 = formatFetchVersion0(request, new Map([["deepen-relative", ""]]));
  for (const text of [formatFetch(request, false), version0]) expect(text.match(/deepen.*/g)).toEqual(["deepen 64"]);
});

it("asks a server of version 0 for what some refuse to do without, where it is offered", () => {
  const request = { wants: [ID as CommitId], haves: [], shallows: [], depth: null };
  const offered = new Map([
    ["multi_ack", ""],
    ["ofs-delta", ""],
  ]);
  expect(formatFetchVersion0(request, offered)).toContain(`want ${ID} multi_ack ofs-delta\n`);
  expect(formatFetchVersion0(request, new Map())).not.toContain("multi_ack");
});

describe("a fetch's answer", () => {
  it("tells a refusal, whether or not it ends properly", () => {
    const refusal = encodePacket(`ERR upload-pack: not our ref ${ID}`);
    for (const answer of [bytes(refusal), bytes(refusal, FLUSH)]) {
      expect(parseFetchAnswer(answer)).toEqual({ kind: "refused", words: `upload-pack: not our ref ${ID}` });
    }
  });

  it("gives the pack and where it is shallow, in both versions", () => {
    const version2 = [
      encodePacket("shallow-info\n"),
      encodePacket(`shallow ${ID}\n`),
      DELIMITER,
      encodePacket("packfile\n"),
    ];
    const version0 = [encodePacket(`shallow ${ID}\n`), FLUSH, encodePacket("NAK\n")];
    for (const head of [version2, version0]) {
      const answer = parseFetchAnswer(bytes(...head, sideBand(1, "PA"), sideBand(1, "CK"), FLUSH));
      expect(answer).toEqual({ kind: "pack", shallows: [ID], pack: Buffer.from("PACK") });
    }
  });

  it("is refused when the server gives up in the middle", () => {
    const answer = bytes(encodePacket("packfile\n"), sideBand(1, "PACK"), sideBand(3, "out of memory"), FLUSH);
    expect(() => parseFetchAnswer(answer)).toThrow("gave up");
  });
});

describe("trees", () => {
  it("come out byte for byte as they went in, sorted as git sorts", () => {
    const entry = fc.record({
      mode: fc.constantFrom("100644", "100755", "100664", "120000", "160000", "40000"),
      name: fc.string({ unit: "binary-ascii", minLength: 1 }).filter((name) => !/[\0/]/.test(name)),
      id: fc.constantFrom(ID, "0123456789abcdef0123456789abcdef01234567"),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ name }) => name }), (entries) => {
        const once = formatTree(entries as never);
        expect(formatTree(parseTree(once))).toEqual(once);
        expect(parseTree(once)).toHaveLength(entries.length);
      }),
    );
  });
});

describe("lines", () => {
  it("survive the way there and back", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), (lines) => {
        const packets = decodePackets(Buffer.from(lines.map((line) => encodePacket(`${line}\n`)).join("")));
        expect(packets.map((packet) => packet.kind === "data" && lineOf(packet.bytes))).toEqual(lines);
      }),
    );
  });
});

/** A packet whose content is bytes, one per character. */
function binaryPacket(channel: number, content: string): string {
  return (content.length + 5).toString(16).padStart(4, "0") + String.fromCharCode(channel) + content;
}
