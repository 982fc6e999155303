import assert from "node:assert/strict";
import { judgeDelivery } from "../../src/core/delivery.ts";
import { parseMessage, TRAILERS, trailerValues } from "../../src/core/message.ts";
import type { CommitId } from "../../src/core/model.ts";
import { decodeClusterName, encodeClusterName, parseClusterName } from "../../src/core/names.ts";
import { formatRecords, parseRecords, parseRevision } from "../../src/core/records.ts";
import { clusterRef, proposalRefs, refsByCluster } from "../../src/core/refs.ts";
import { checkRefName } from "../../src/git/ref-name.ts";
import { parseExactJson } from "../../src/kubernetes/json.ts";
import { untrustedConnections } from "../../src/kubernetes/untrusted.ts";
import { readPayload } from "../../src/observe/webhook-payload.ts";
import { isAuthentic } from "../../src/observe/webhook-signature.ts";
import { encode } from "./mutated.ts";
import { isEscaping, type Parser } from "./parser.ts";

const ID = "0123456789".repeat(4);
const decode = (input: Uint8Array): string => new TextDecoder().decode(input);

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: cluster1
contexts: [{ name: cluster1, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "https://10.0.0.1:6443", certificate-authority-data: Y2E= } }]
users: [{ name: u, user: { token: secret } }]
`;
const MESSAGE = `federation: update GlobalDeploymentPolicy global-gdp

spec.ttl: 10 -> (removed)

Federated-From: cluster1
Amko-Version: 1.4.2
Export-Id: ${ID.slice(0, 32)}
`;

/** What comes as text: names, messages, records, a kubeconfig, deliveries. */
export const TEXT_PARSERS: readonly Parser[] = [
  {
    name: "the name of a folder",
    corpus: ["cluster1", "kubernetes-admin@prod", "arn%3Aaws%3Aeks", "a%2Fb", "%2E%2E"].map(encode),
    words: ["%", "%2e", "%2F", "%00", "..", ".lock", "@{"],
    codes: [],
    read(input) {
      const name = decodeClusterName(decode(input));
      if (name !== null) assert.equal(encodeClusterName(name), decode(input));
    },
  },
  {
    name: "the name of a cluster",
    corpus: ["cluster1", "arn:aws:eks:eu-west-1:1:cluster/a", "..", ".hidden", "a.lock", "^".repeat(66)].map(encode),
    words: ["/", "..", ".lock", "@{", "~", "^", ":", "\u007f"],
    codes: [],
    read(input) {
      const name = parseClusterName(decode(input));
      if (name === null) return;
      const ref = clusterRef("applied", name);
      assert.ok(!isEscaping(ref), ref);
      checkRefName(`amko/${ref}`, "AG9001");
      assert.equal(decodeClusterName(encodeClusterName(name)), name);
    },
  },
  {
    name: "the names of refs",
    corpus: ["applied/cluster1\nleading/a%2Fb\npropose/cluster1/config\nrescue/cluster1/0123456789abcdef"].map(encode),
    words: ["/", "applied/", "propose/", "//", "..", "%2F"],
    codes: [],
    read(input) {
      const refs = new Map(
        decode(input)
          .split("\n")
          .map((name) => [name, ID as CommitId]),
      );
      for (const purpose of ["applied", "leading", "failed", "identity"] as const) {
        for (const [cluster] of refsByCluster(refs, purpose)) assert.ok(refs.has(clusterRef(purpose, cluster)));
      }
      for (const name of proposalRefs(refs)) assert.ok(refs.has(name));
    },
  },
  {
    name: "the message of a commit",
    corpus: [encode(MESSAGE)],
    words: ["Federated-From: ", "\n\n", "\n ", ": ", "[skip ci]", "Supersedes: "],
    codes: [],
    read(input) {
      const parsed = parseMessage(decode(input));
      for (const key of Object.values(TRAILERS)) {
        for (const value of trailerValues(parsed, key)) assert.ok(!value.includes("\n"));
      }
    },
  },
  {
    name: "the records of a ConfigMap",
    corpus: [
      encode(`{"revision":"main@sha1:${ID}","amkoClusterUid":"u","exportId":null}`),
      encode(`{"commit":"${ID}","digest":"d","amkoClusterUid":"u","snapshots":{"GSLBConfig":"x"}}`),
      encode(`{"claim":"${ID}","revision":"r","loaded":{},"seen":{}}`),
      encode(`main@sha1:${ID}`),
    ],
    words: ['"', "null", "{}", "[]", "@sha1:", '"snapshots":'],
    codes: [],
    read(input) {
      const keys = ["base.GSLBConfig", "base.GlobalDeploymentPolicy", "office", "head", "proposal.config", "restart"];
      const data = Object.fromEntries(keys.map((key) => [key, decode(input)]));
      const records = parseRecords(data);
      // What was understood is understood again in the same way.
      assert.deepEqual(parseRecords(formatRecords(records, "main", {})), records);
      assert.ok(/^[0-9a-f]{40}$/.test(parseRevision(decode(input)) ?? ID));
    },
  },
  {
    name: "the members' kubeconfig",
    corpus: [encode(KUBECONFIG)],
    words: [
      "exec: { command: /bin/sh }",
      "tokenFile: /etc/passwd",
      "insecure-skip-tls-verify: true",
      "&a ",
      "*a",
      "- ",
    ],
    codes: ["AG4007"],
    read(input) {
      for (const [, connection] of untrustedConnections(decode(input))) {
        if (connection instanceof Error) continue;
        assert.equal(connection.user.plugin, null);
        assert.notEqual(connection.user.token?.kind, "file");
        assert.notEqual(connection.tls.ca?.kind, "file");
      }
    },
  },
  {
    name: "a delivery",
    corpus: ['{"ref":"refs/heads/main","deleted":false}', "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%7D"].map(
      encode,
    ),
    words: ["payload=", "%7B", "&", '"ref":', "[[[["],
    codes: [],
    read(input) {
      for (const type of ["application/json", "application/x-www-form-urlencoded", decode(input.subarray(0, 30))]) {
        const headers = { "content-type": type, "x-github-event": "push" };
        const read = readPayload(headers, Buffer.from(input));
        if (read.ok) judgeDelivery({ headers, payload: read.payload }, "main");
      }
    },
  },
  {
    name: "the signature of a delivery",
    corpus: [`sha256=${"a".repeat(64)}`, "v1,aGVsbG8=", "Bearer secret?"].map(encode),
    words: ["sha256=", "v1,", "Bearer ", " "],
    codes: [],
    read(input) {
      const text = decode(input);
      const names = ["x-hub-signature-256", "authorization", "x-gitlab-token", "webhook-signature"];
      const headers = {
        ...Object.fromEntries(names.map((name) => [name, text])),
        "webhook-id": "1",
        "webhook-timestamp": text,
      };
      assert.equal(isAuthentic(headers, Buffer.from(input), "a secret that nobody guesses"), false);
    },
  },
  {
    name: "an answer of an API server",
    corpus: ['{"kind":"List","items":[{"metadata":{"name":"a","labels":{}}},1e30,123456]}'].map(encode),
    words: ["{", "[", "1e999", '"__proto__":', "-0"],
    codes: ["AG1014"],
    read(input) {
      try {
        parseExactJson(decode(input));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    },
  },
];
