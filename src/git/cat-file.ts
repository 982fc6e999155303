import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { FederationError } from "../errors.ts";
import type { GitProgram } from "./git-program.ts";

export interface FoundObject {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** One `git cat-file --batch` that answers question after question. */
export interface CatFile {
  /** Null for an object that is not here. @throws FederationError AG2008, AG2009, AG2010, AG4006 */
  read(id: string): Promise<FoundObject | null>;
}

/** No object of a federation comes near; one that is larger would fill the memory. */
const OBJECT_MAX_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** Starts with the first question, and again when the process ended between two of them. */
export function createCatFile(git: GitProgram, timeoutMs: number): CatFile {
  let current: Session | null = null;
  return {
    read(id) {
      if (current === null || current.ended()) current = startSession(git.start(["cat-file", "--batch"]), timeoutMs);
      return current.read(id);
    },
  };
}

interface Session {
  read(id: string): Promise<FoundObject | null>;
  ended(): boolean;
}

function startSession(child: ChildProcessWithoutNullStreams, timeoutMs: number): Session {
  const waiting: PromiseWithResolvers<FoundObject | null>[] = [];
  let hasEnded = false;
  let unsent = "";
  let deadline: NodeJS.Timeout | null = null;

  function fail(error: FederationError): void {
    hasEnded = true;
    if (deadline !== null) clearTimeout(deadline);
    for (const { reject } of waiting.splice(0)) reject(error);
    child.kill();
  }

  /** The limit is for one answer: whoever waits behind others waits for them too. */
  function watch(): void {
    if (deadline !== null) clearTimeout(deadline);
    deadline =
      waiting.length === 0
        ? null
        : setTimeout(
            () => fail(new FederationError("AG2010", `git cat-file did not answer within ${timeoutMs} ms`)),
            timeoutMs,
          );
  }

  /** Many questions come at once, and a write for each would take longer than git takes to answer. */
  function ask(id: string): void {
    if (unsent === "") setImmediate(send);
    unsent += `${id}\n`;
  }

  function send(): void {
    if (!hasEnded) child.stdin.write(unsent);
    unsent = "";
  }

  const parse = createParser((answer) => {
    const asked = waiting.shift();
    watch();
    if (answer instanceof FederationError) asked?.reject(answer);
    else asked?.resolve(answer);
  });
  child.stdout.on("data", (chunk: Buffer) => {
    try {
      parse(chunk);
    } catch (error) {
      fail(new FederationError("AG2008", "git cat-file gave an answer that makes no sense", { cause: error }));
    }
  });
  child.once("error", (error) => fail(new FederationError("AG4006", "git cannot be started", { cause: error })));
  child.once("close", () => fail(new FederationError("AG2008", "git cat-file ended before it answered")));
  // Not read, its complaints would fill the pipe, and it would wait for ever.
  child.stderr.resume();

  return {
    ended: () => hasEnded,
    read(id) {
      const asked = Promise.withResolvers<FoundObject | null>();
      waiting.push(asked);
      if (waiting.length === 1) watch();
      ask(id);
      return asked.promise;
    },
  };
}

type Answer = FoundObject | null | FederationError;

/** Takes the stream apart: `<id> <type> <size>`, a line feed, the bytes, a line feed; or `<id> missing`. */
function createParser(answered: (answer: Answer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let body: { readonly type: string; readonly sizeBytes: number; left: number; readonly chunks: Buffer[] } | null =
    null;

  function takeHeader(): boolean {
    const end = rest.indexOf(LINE_FEED);
    if (end < 0) return false;
    const [, type = "", size] = rest.toString("utf8", 0, end).split(" ");
    rest = rest.subarray(end + 1);
    if (size === undefined) answered(null);
    else if (!/^\d{1,15}$/.test(size)) throw new TypeError("an object's size is no number");
    else body = { type, sizeBytes: Number(size), left: Number(size) + 1, chunks: [] };
    return true;
  }

  function takeBody(open: NonNullable<typeof body>): boolean {
    const part = rest.subarray(0, open.left);
    rest = rest.subarray(part.length);
    open.left -= part.length;
    if (open.sizeBytes <= OBJECT_MAX_BYTES) open.chunks.push(part);
    if (open.left > 0) return false;
    body = null;
    answered(
      open.sizeBytes > OBJECT_MAX_BYTES
        ? new FederationError("AG2009", `the repository holds an object of ${open.sizeBytes} bytes`)
        : { type: open.type, bytes: Buffer.concat(open.chunks).subarray(0, -1) },
    );
    return true;
  }

  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      if (!(body === null ? takeHeader() : takeBody(body))) return;
    }
  };
}
