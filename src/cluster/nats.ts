/**
 * The NATS library as a bus uses it: connecting, cutting off, and what its errors mean.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";
import { messageOf } from "../base/mod.ts";
import { BusError, type NodeAddress } from "./bus.ts";

/** Milliseconds to connect, and between attempts to come back. */
const CONNECT_MS = 5000;
const AGAIN_MS = 250;
/** How often the server is asked whether it is there, and how often without an answer until it is not. */
const PING_MS = 1000;
const PINGS = 4;

/** What NATS' error of that kind calls itself. */
const NOBODY = "NoResponders";

/**
 * Connects to the server, or one of the servers, at `url`: see `NatsBusOptions.url`. `name`: as the server shows it.
 *
 * @throws {BusError} `no_responder` where none can be reached
 */
export async function connectNats(url: string, name: string): Promise<NatsConnection> {
  const { connect } = await import("@nats-io/transport-node");
  const urls = url.split(",").map((text) => new URL(text.trim()));
  const { username, password } = urls[0]!;
  try {
    return await connect({
      servers: urls.map(({ host }) => host),
      name,
      noEcho: true,
      timeout: CONNECT_MS,
      maxReconnectAttempts: -1,
      // Whoever changes a password there changes it back, or here: a node does not give up because of that.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: AGAIN_MS,
      reconnectJitter: AGAIN_MS,
      pingInterval: PING_MS,
      maxPingOut: PINGS,
      ignoreClusterUpdates: true,
      ...(username && password
        ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
        : username
        ? { token: decodeURIComponent(username) }
        : {}),
      ...(urls[0]!.protocol === "tls:" ? { tls: {} } : {}),
    });
  } catch (error) {
    const shown = urls.map(({ host }) => host).join(", ");
    throw new BusError("no_responder", `cannot connect to NATS at ${shown}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What became of a request to `to` that NATS failed with `error`; an error that is not NATS' own as it is. */
export function busErrorOf(error: unknown, to: NodeAddress, subject: string, timeoutMs: number): unknown {
  if (!(error instanceof Error)) return error;
  if (isNobody(error)) return new BusError("no_responder", `node "${to.node}" is not there`);
  if (error.name === "TimeoutError") {
    return new BusError("timeout", `no answer to "${subject}" within ${timeoutMs} ms`);
  }
  // Of NATS' own kinds: the connection went while it was asked.
  return /^(RequestError|ClosedConnectionError|DrainingConnectionError)$/.test(error.name)
    ? new BusError("lost", `the connection to node "${to.node}" was lost`, { cause: error })
    : error;
}

/** Whether NATS says that nobody listens on a subject. */
export function isNobody(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: { name?: string } };
  return name === NOBODY || cause?.name === NOBODY;
}

/**
 * Cuts a connection that no longer answers. The library first waits until everything is sent, which on a network that
 * drops without a word is as long as the kernel goes on trying: a quarter of an hour. Its transport can close at once,
 * and is not shown by its types.
 */
export function hangUp(nats: NatsConnection): void {
  const { protocol } = nats as {
    protocol?: { transport?: { close?(error: Error): Promise<void> } };
  };
  void protocol?.transport?.close?.(new Error("NATS no longer answers"));
}
