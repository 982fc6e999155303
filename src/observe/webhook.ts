import { problem } from "../core/catalogue.ts";
import { judgeDelivery } from "../core/delivery.ts";
import { fullBucket, type Rate, takeToken } from "../core/token-bucket.ts";
import { asFederationError, FederationError } from "../errors.ts";
import type { Clock, Log } from "../ports.ts";
import type { DeliveryOutcome } from "./metrics.ts";
import { readSecretFile } from "./secret-file.ts";
import { jsonReply, type Route, type RouteReply, type RouteRequest } from "./server.ts";
import { readPayload } from "./webhook-payload.ts";
import { isAuthentic } from "./webhook-signature.ts";

export interface WebhookSettings {
  /** Holds the secret that the git host was given; read again for each delivery. */
  readonly secretFile: string;
  /** The tracked branch. */
  readonly branch: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called for each delivery that is a reason to fetch. */
  fetchNow(): void;
  /** Told of each delivery, for metrics. */
  delivered(outcome: DeliveryOutcome): void;
}

/** Far above what hosts send for a push; what is longer is found at the next poll. */
const BODY_MAX_BYTES = 1024 * 1024;
/** Only what would wake the agent counts: neither acknowledgements nor strangers use it up. */
const FOLLOWED: Rate = { atOnceMax: 30, everyMs: 1_000 };
/** A stranger who knocks all the time must not fill the log. */
const COMPLAINTS: Rate = { atOnceMax: 5, everyMs: 60_000 };

interface Answer {
  readonly outcome: DeliveryOutcome;
  readonly reply: RouteReply;
}

/**
 * Takes deliveries of git hosts at `/hook`. A delivery means "fetch now" and nothing else: no address, no revision and
 * no path is taken from it, so that whoever knows the secret can make the agent look at its own repository, and no more.
 */
export function createWebhook(settings: WebhookSettings): Route {
  const { branch, clock, log } = settings;
  const complain = limitComplaints(clock, log);
  let bucket = fullBucket(FOLLOWED, clock.elapsedMs());

  async function answer({ headers, body }: RouteRequest): Promise<Answer> {
    const secret = await readSecretFile(settings.secretFile).catch(asFederationError);
    if (secret instanceof FederationError) {
      complain("webhook cannot be used", secret);
      return { outcome: "unavailable", reply: told(503, "unavailable", "the secret cannot be read") };
    }
    if (!isAuthentic(headers, body, secret)) {
      complain("webhook delivery was refused", problem("AG4011", "it is not signed with the secret"));
      return { outcome: "refused", reply: told(401, "refused", "it is not signed with the secret") };
    }
    const read = readPayload(headers, body);
    if (!read.ok) return { outcome: "unreadable", reply: told(read.status, "unreadable", read.why) };
    const verdict = judgeDelivery({ headers, payload: read.payload }, branch);
    if (verdict.kind === "ignored") return { outcome: "ignored", reply: told(202, "ignored", verdict.why) };
    return follow();
  }

  function follow(): Answer {
    const taken = takeToken(bucket, FOLLOWED, clock.elapsedMs());
    bucket = taken.bucket;
    if (taken.waitMs > 0) {
      const headers = { "Retry-After": String(Math.ceil(taken.waitMs / 1_000)) };
      return { outcome: "limited", reply: { ...told(429, "limited", "too many deliveries"), headers } };
    }
    settings.fetchNow();
    return { outcome: "accepted", reply: told(202, "accepted", `${branch} is read now`) };
  }

  return {
    method: "POST",
    path: "/hook",
    bodyMaxBytes: BODY_MAX_BYTES,
    async respond(request) {
      const { outcome, reply } = await answer(request);
      settings.delivered(outcome);
      log("debug", "webhook delivery", { outcome });
      return reply;
    },
  };
}

/** The shape is the same for every answer; hosts show it to whoever looks at the delivery. */
function told(status: number, result: DeliveryOutcome, why: string): RouteReply {
  return jsonReply(status, { result, why });
}

interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** Says how many were passed over in silence. */
function limitComplaints(clock: Clock, log: Log): (message: string, complaint: Complaint) => void {
  let bucket = fullBucket(COMPLAINTS, clock.elapsedMs());
  let silenced = 0;
  return (message, { code, message: cause, remedy }) => {
    const taken = takeToken(bucket, COMPLAINTS, clock.elapsedMs());
    bucket = taken.bucket;
    if (taken.waitMs > 0) {
      silenced += 1;
      return;
    }
    log("warn", message, { code, cause, remedy, silenced });
    silenced = 0;
  };
}
