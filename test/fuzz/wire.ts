import assert from "node:assert/strict";
import type { ObjectId } from "../../src/core/model.ts";
import { parseAdvertisement, parseRefLine } from "../../src/git/advertisement.ts";
import { parseCommit } from "../../src/git/commit.ts";
import { parseFetchAnswer } from "../../src/git/fetch-pack.ts";
import { formatPack, inspectPack } from "../../src/git/pack.ts";
import { decodePackets, encodePacket, FLUSH } from "../../src/git/pkt-line.ts";
import { parsePushAnswer } from "../../src/git/send-pack.ts";
import { demultiplex, separateChannels } from "../../src/git/sideband.ts";
import { formatTree, parseTree } from "../../src/git/tree.ts";
import { encode } from "./mutated.ts";
import type { Parser } from "./parser.ts";

const ID = "0123456789".repeat(4);
const PACKET_WORDS: readonly string[] = [
  "0000",
  "0001",
  "0002",
  "ffff",
  "0004",
  "\u0001",
  "\u0002",
  "\u0003",
  ID,
  "refs/heads/",
];
const PACK = formatPack([{ type: "blob", bytes: encode("hello") }]);
const band = (channel: number, bytes: Uint8Array): Uint8Array => {
  const length = (bytes.length + 5).toString(16).padStart(4, "0");
  return Buffer.concat([Buffer.from(length), Buffer.from([channel]), bytes]);
};
const packets = (...lines: readonly string[]): Uint8Array => encode(lines.map(encodePacket).join("") + FLUSH);
const REPORT = packets("unpack ok\n", "ok refs/heads/main\n");
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

const malformed = ["AG2008"];

/** What a git server sends. */
export const WIRE_PARSERS: readonly Parser[] = [
  wire("packets", [packets("version 2\n", "fetch\n")], (input) => {
    const read = decodePackets(input);
    assert.ok(read.length <= input.length);
  }),
  wire(
    "a greeting",
    [
      joined(packets("# service=git-upload-pack\n"), packets("version 2\n", "agent=git\n", "fetch=shallow\n")),
      joined(packets("# service=git-upload-pack\n"), packets(`${ID} refs/heads/main\0multi_ack agent=git\n`)),
    ],
    (input) => void parseAdvertisement(input, "git-upload-pack"),
  ),
  wire("a line of a listing", [encode(`${ID} refs/heads/main`)], (input) => {
    const { id } = parseRefLine(new TextDecoder().decode(input));
    assert.match(id, /^[0-9a-f]{40}$/);
  }),
  wire(
    "a fetch",
    [joined(encode([`shallow ${ID}\n`, "packfile\n"].map(encodePacket).join("")), band(1, PACK), encode(FLUSH))],
    (input) => void parseFetchAnswer(input),
  ),
  wire("the report of a push", [joined(band(1, REPORT), encode(FLUSH))], (input) => {
    parsePushAnswer(input, "refs/heads/main", true);
  }),
  wire("the plain report of a push", [REPORT], (input) => {
    parsePushAnswer(input, "refs/heads/main", false);
  }),
  wire("channels", [joined(band(1, PACK), band(2, encode("progress")), encode(FLUSH))], (input) => {
    const read = decodePackets(input);
    separateChannels(read);
    demultiplex(read);
  }),
  wire("a pack", [PACK], (input) => void inspectPack(input)),
  wire(
    "a tree",
    [
      formatTree([
        { mode: "100644", name: "a.yaml", id: ID as ObjectId },
        { mode: "40000", name: "..", id: ID as ObjectId },
      ]),
    ],
    (input) => {
      // Written again, a tree is the same entries; what they are called is judged by whoever makes a path of it.
      const entries = parseTree(input);
      assert.equal(parseTree(formatTree(entries)).length, entries.length);
    },
  ),
  wire(
    "a commit",
    [
      encode(
        `tree ${ID}\nparent ${ID}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nwords\n`,
      ),
    ],
    (input) => {
      const { parents, committedAtSeconds } = parseCommit(input);
      assert.ok(Number.isSafeInteger(committedAtSeconds));
      for (const parent of parents) assert.match(parent, /^[0-9a-f]{40}$/);
    },
  ),
];

function wire(name: string, corpus: readonly Uint8Array[], read: Parser["read"]): Parser {
  return { name, corpus, words: PACKET_WORDS, codes: malformed, read };
}
