import type { CommitId } from "../core/model.ts";
import { FederationError } from "../errors.ts";
import { type Advertisement, parseAdvertisement, parseRefLine } from "./advertisement.ts";
import {
  type FetchAnswer,
  type FetchRequest,
  formatFetch,
  formatFetchVersion0,
  parseFetchAnswer,
} from "./fetch-pack.ts";
import { DELIMITER, decodePackets, encodePacket, endsComplete, FLUSH, lineOf } from "./pkt-line.ts";
import { formatPush, type PushReport, parsePushAnswer, type RefCommand } from "./send-pack.ts";
import type { GitAnswer, GitOperation, GitRequest, GitService, Transport } from "./transport.ts";
import { serverWords } from "./words.ts";

/** Refs, greetings and reports; 16 MiB are some 200,000 refs. */
const LISTING_MAX_BYTES = 16 * 1024 * 1024;

/**
 * The git server, as a client of git's own smart HTTP protocol. isomorphic-git's client downloads every ref of the
 * repository with each fetch and push, takes a cut answer for a short one, and can want a branch but not a commit;
 * this one asks for exactly what is needed.
 */
export interface Remote {
  /** The refs whose names start with one of `prefixes`. One request, two when the server's greeting is not known yet. */
  listRefs(prefixes: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, CommitId>>;
  fetch(request: FetchRequest, signal: AbortSignal): Promise<FetchAnswer>;
  push(command: RefCommand, pack: Uint8Array, signal: AbortSignal): Promise<PushReport>;
}

export function openRemote(transport: Transport, fetchMaxBytes: number): Remote {
  const session = createSession(transport);
  return {
    listRefs: (prefixes, signal) => session.forgetOnError(() => listRefs(session, prefixes, signal)),
    fetch: (request, signal) => session.forgetOnError(() => fetchPack(session, request, fetchMaxBytes, signal)),
    push: (command, pack, signal) => session.forgetOnError(() => push(session, command, pack, signal)),
  };
}

/** Greetings say what a server can, and that changes rarely: they are kept until something goes wrong. */
interface Session {
  greet(service: GitService, signal: AbortSignal): Promise<Advertisement>;
  post(
    operation: Exclude<GitOperation, "greet">,
    body: Uint8Array,
    answerMaxBytes: number,
    signal: AbortSignal,
  ): Promise<GitAnswer>;
  forgetOnError<T>(work: () => Promise<T>): Promise<T>;
}

function createSession(transport: Transport): Session {
  const greetings = new Map<GitService, Advertisement>();
  const protocolOf = (service: GitService): GitRequest["protocol"] =>
    service === "git-upload-pack" ? "version=2" : null;
  return {
    async greet(service, signal) {
      const known = greetings.get(service);
      if (known !== undefined) return known;
      const request = {
        operation: "greet",
        method: "GET",
        service,
        protocol: protocolOf(service),
        body: null,
      } as const;
      const answer = await transport.send({ ...request, answerMaxBytes: LISTING_MAX_BYTES }, signal);
      const greeting = parseAdvertisement(answer.bytes, service);
      // The refs in an upload-pack greeting of version 0 are news of one moment, and never kept.
      if (service === "git-receive-pack" || greeting.version === 2) greetings.set(service, withoutRefs(greeting));
      return greeting;
    },
    post(operation, body, answerMaxBytes, signal) {
      const service = operation === "push" ? "git-receive-pack" : "git-upload-pack";
      const request = { operation, method: "POST", service, protocol: protocolOf(service), body } as const;
      return transport.send({ ...request, answerMaxBytes }, signal);
    },
    async forgetOnError(work) {
      try {
        return await work();
      } catch (error) {
        greetings.clear();
        throw error;
      }
    },
  };
}

function withoutRefs(greeting: Advertisement): Advertisement {
  return greeting.version === 2 ? greeting : { ...greeting, refs: new Map() };
}

async function listRefs(
  session: Session,
  prefixes: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CommitId>> {
  const greeting = await session.greet("git-upload-pack", signal);
  const refs = greeting.version === 0 ? greeting.refs : await listRefsVersion2(session, prefixes, signal);
  return new Map([...refs].filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))));
}

async function listRefsVersion2(
  session: Session,
  prefixes: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CommitId>> {
  const wishes = prefixes.map((prefix) => encodePacket(`ref-prefix ${prefix}\n`));
  const body = [encodePacket("command=ls-refs\n"), DELIMITER, ...wishes, FLUSH].join("");
  const answer = await session.post("list", Buffer.from(body), LISTING_MAX_BYTES, signal);
  const packets = decodePackets(answer.bytes);
  if (!endsComplete(packets)) throw new FederationError("AG2008", "the git server's list of refs was cut off");
  const lines = packets.flatMap((packet) => (packet.kind === "data" ? [lineOf(packet.bytes)] : []));
  return new Map(lines.map(parseRefLine).map(({ name, id }) => [name, id]));
}

async function fetchPack(
  session: Session,
  request: FetchRequest,
  answerMaxBytes: number,
  signal: AbortSignal,
): Promise<FetchAnswer> {
  const greeting = await session.greet("git-upload-pack", signal);
  const body =
    greeting.version === 2
      ? formatFetch(request, greeting.capabilities.has("agent"))
      : formatFetchVersion0(request, greeting.capabilities);
  const answer = await session.post("fetch", Buffer.from(body), answerMaxBytes, signal);
  const fetched = parseFetchAnswer(answer.bytes);
  return fetched.kind === "refused" ? { kind: "refused", words: serverWords(fetched.words, answer.secrets) } : fetched;
}

async function push(session: Session, command: RefCommand, pack: Uint8Array, signal: AbortSignal): Promise<PushReport> {
  const { capabilities } = await session.greet("git-receive-pack", signal);
  const body = formatPush(command, pack, capabilities);
  const answer = await session.post("push", body, LISTING_MAX_BYTES, signal);
  const report = parsePushAnswer(answer.bytes, command.ref, capabilities.has("side-band-64k"));
  return report.kind === "done" ? report : { ...report, words: serverWords(report.words, answer.secrets) };
}
