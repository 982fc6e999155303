import { expect, test } from "vitest";
import { readProtobuf } from "../../../src/sandbox/api-server/protobuf.ts";

/** A length-delimited field; every length here is below 128. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

function envelope(kind: string, raw: Buffer): Buffer {
  const type = Buffer.concat([field(1, "v1"), field(2, kind)]);
  return Buffer.concat([Buffer.from("k8s\0"), field(1, type), field(2, raw)]);
}

const entry = (key: string, value: string) => Buffer.concat([field(1, key), field(2, value)]);

test("reads the ConfigMap that kubectl sends", () => {
  // `kubectl create configmap zz --from-literal=a=b`, as version 1.34 sent it.
  const bytes = Buffer.from(
    "6b3873000a0f0a02763112" +
      "09436f6e6669674d6170121c0a120a027a7a12001a0022002a003200380042001206" +
      "0a016112016" +
      "21a002200",
    "hex",
  );
  expect(readProtobuf(bytes)).toEqual({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "zz" },
    data: { a: "b" },
  });
});

test("reads metadata, bytes, booleans and lists", () => {
  const metadata = Buffer.concat([
    field(1, "s"),
    field(11, entry("a", "b")),
    field(11, entry("__proto__", "c")),
    field(14, "x"),
    field(14, "y"),
  ]);
  const secret = Buffer.concat([
    field(1, metadata),
    field(2, entry("k", "v")),
    field(3, "Opaque"),
    Buffer.from([5 << 3, 1]),
  ]);
  const read = readProtobuf(envelope("Secret", secret));
  expect(JSON.stringify(read)).toBe(
    JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", labels: JSON.parse('{"a":"b","__proto__":"c"}'), finalizers: ["x", "y"] },
      data: { k: Buffer.from("v").toString("base64") },
      type: "Opaque",
      immutable: true,
    }),
  );
});

test.each([
  { what: "without the magic word", bytes: Buffer.from("{}") },
  { what: "that ends early", bytes: envelope("Namespace", field(1, "x")).subarray(0, -1) },
  { what: "of a kind that nobody sends so", bytes: envelope("Pod", Buffer.alloc(0)) },
  { what: "with a number that never ends", bytes: Buffer.concat([Buffer.from("k8s\0"), Buffer.alloc(12, 0xff)]) },
  { what: "with an unknown wire type", bytes: Buffer.concat([Buffer.from("k8s\0"), Buffer.from([0x0f])]) },
])("refuses a body $what", ({ bytes }) => {
  expect(() => readProtobuf(bytes)).toThrow(expect.objectContaining({ code: 400 }));
});
