/**
 * Signing what is sent, as the "Standard Webhooks" specification 1.0.0 says ("Signature scheme", symmetric).
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { decodeBase64, encodeBase64 } from "@std/encoding";
import type { Random } from "../../base/mod.ts";

/** "Secret serialization": so that a secret is known for what it is. */
const PREFIX = "whsec_";
/** The specification asks for 24 to 64 octets. */
const SECRET_OCTETS = 32;

/** A new secret: `whsec_` and base64. */
export function newSecret(random: Pick<Random, "bytes">): string {
  return PREFIX + encodeBase64(random.bytes(SECRET_OCTETS));
}

/** What is signed: one message in one try. */
export interface Signed {
  /** Without a full stop: it ends the part that it stands in. */
  readonly id: string;
  /** Of the try, in seconds since 1970. */
  readonly timestamp: number;
  /** As it goes over the wire. */
  readonly body: string;
}

/** The value of `webhook-signature`: one signature for each secret, with spaces between them. */
export function signatures(secrets: readonly string[], { id, timestamp, body }: Signed): string {
  return secrets.map((secret) => {
    const mac = createHmac("sha256", decodeBase64(secret.slice(PREFIX.length)));
    return `v1,${mac.update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  }).join(" ");
}
