import { FederationError } from "../errors.ts";
import type { Packet } from "./pkt-line.ts";

const DATA_CHANNEL = 1;
const WORDS_CHANNEL = 2;
const FATAL_CHANNEL = 3;

export interface Channels {
  readonly data: Uint8Array;
  /** What git shows as `remote: …`. */
  readonly words: string;
  /** The server gave up, and the data is not whole. */
  readonly fatal: boolean;
}

/** Takes the three channels of a side-band answer apart, see gitprotocol-pack(5). */
export function separateChannels(packets: readonly Packet[]): Channels {
  const data: Uint8Array[] = [];
  const words: Uint8Array[] = [];
  let fatal = false;
  for (const packet of packets) {
    if (packet.kind !== "data") continue;
    const channel = packet.bytes[0];
    const content = packet.bytes.subarray(1);
    if (channel === DATA_CHANNEL) data.push(content);
    else if (channel === WORDS_CHANNEL || channel === FATAL_CHANNEL) words.push(content);
    else
      throw new FederationError("AG2008", "the git server's answer is incomplete or no git: unknown side-band channel");
    fatal ||= channel === FATAL_CHANNEL;
  }
  return { data: Buffer.concat(data), words: Buffer.concat(words).toString("utf8"), fatal };
}

/** As {@link separateChannels}, where nothing but the whole data is of use. @throws FederationError AG2008 */
export function demultiplex(packets: readonly Packet[]): Channels {
  const channels = separateChannels(packets);
  if (channels.fatal) throw new FederationError("AG2008", "the git server gave up in the middle of its answer");
  return channels;
}
