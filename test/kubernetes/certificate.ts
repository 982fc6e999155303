import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface Certificate {
  /** In PEM. */
  readonly cert: string;
  readonly key: string;
}

const ECDSA_WITH_SHA256 = "06082a8648ce3d040302";
const COMMON_NAME = "0603550403";
const BASIC_CONSTRAINTS_CA = "300f0603551d130101ff040530030101ff";
/** 127.0.0.1 */
const SUBJECT_ALTERNATIVE_NAME = "300f0603551d110408300687047f000001";

/**
 * Makes a certificate for 127.0.0.1 that is its own authority, so that no key needs to lie in the repository and no
 * tool needs to be installed. X.509 in as many lines as a test needs of it (RFC 5280, 4.1).
 */
export function selfSigned(commonName: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(0x30, hex(ECDSA_WITH_SHA256));
  const name = der(0x30, der(0x31, der(0x30, hex(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));
  const unsigned = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(0x30, der(0x17, Buffer.from("260101000000Z")), der(0x17, Buffer.from("490101000000Z"))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, hex(BASIC_CONSTRAINTS_CA), hex(SUBJECT_ALTERNATIVE_NAME))),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", unsigned, privateKey)]));
  const body = der(0x30, unsigned, algorithm, signature)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function hex(bytes: string): Buffer {
  return Buffer.from(bytes, "hex");
}
