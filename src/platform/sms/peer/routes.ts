/**
 * Other gateways over HTTP: who they are, their connections, and what waits for them.
 *
 * @module
 */
import * as v from "valibot";
import { formatHostPort } from "../../../base/mod.ts";
import { actorOf, isoTime, problem, Routes, timeSchema } from "../../../control/mod.ts";
import { MAY_READ, MAY_WRITE } from "../access.ts";
import {
  Address,
  addressOf,
  Code,
  ROUTING_TAGS,
  Secret,
  Version,
  versionOctet,
  versionText,
} from "../fields.ts";
import { ownTimes, TimesField, timesView } from "../link_times.ts";
import type { PeerHub } from "./hub.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer, PeerStore } from "./peers.ts";

const PeerBody = v.strictObject({
  code: Code,
  secret: Secret,
  /** Where it listens for gateways; left out: it connects here. */
  address: v.optional(Address),
  version: v.optional(Version),
  window: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000))),
  /** T (response), N (attempts) and C (active test) on its links; null: the service's. */
  times: v.optional(TimesField),
  /** Its answer to CONNECT must prove that it knows the secret; left out: it need not, as some send zeroes. */
  proveAnswer: v.optional(v.boolean()),
});

const PeerView = v.object({
  code: v.string(),
  address: v.nullable(v.string()),
  version: v.string(),
  window: v.number(),
  times: TimesField,
  proveAnswer: v.boolean(),
  connected: v.boolean(),
  lastError: v.nullable(v.string()),
  /** Messages to phones that wait for it, or for its answer. */
  waiting: v.number(),
  createdAt: timeSchema,
  updatedAt: timeSchema,
  updatedBy: v.string(),
});

const LinkView = v.object({
  peer: v.nullable(v.string()),
  address: v.string(),
  direction: v.picklist(["in", "out"]),
  version: v.nullable(v.string()),
  connectedAt: timeSchema,
  sent: v.number(),
  received: v.number(),
  working: v.number(),
  unanswered: v.number(),
});

/** What the routes lean on. */
export interface PeerApiParts {
  readonly peers: PeerStore;
  readonly hub: PeerHub;
  readonly ledger: Ledger;
  readonly gatewayCode: string;
  /** Told when a peer is there, changed or gone. */
  readonly changed: (code: string) => void;
}

/** The routes about other gateways. */
export function peerRoutes(parts: PeerApiParts): Routes {
  const api = new Routes();
  changeRoutes(api, parts);
  listRoutes(api, parts);
  return api;
}

function changeRoutes(api: Routes, { peers, hub, gatewayCode, changed: told }: PeerApiParts): void {
  const view = (peer: Peer) => peerView(peer, hub);
  api.route({
    method: "POST",
    path: "/api/v1/sms/peers",
    summary: "Create another gateway to exchange messages with, or change it",
    description: "The secret, which both gateways share, is taken and never shown.",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    body: { json: PeerBody },
    responses: {
      200: { description: "The gateway, changed", schema: PeerView },
      201: { description: "The new gateway", schema: PeerView },
      409: { description: "That is this gateway's own code" },
    },
  }).handle(async ({ body, principal, changed }) => {
    const { code, secret, window, version, times, proveAnswer } = body;
    if (code === gatewayCode) {
      throw problem(409, "own_code", "that is this gateway's own code: see --ismg-code");
    }
    const before = peers.find(code);
    const { peer, created } = await peers.put({
      code,
      secret,
      window,
      times: ownTimes(times ?? null),
      proveAnswer,
      address: addressOf(body.address),
      version: version && versionOctet(version),
    }, actorOf(principal));
    changed(before && view(before), view(peer));
    told(code);
    return { status: created ? 201 : 200, body: view(peer) };
  });
  api.route({
    method: "DELETE",
    path: "/api/v1/sms/peers/{code}",
    summary: "Remove a gateway and end its connections",
    description: "What waits for it stays for as long as it would have, and goes where routes lead then.",
    tags: ROUTING_TAGS,
    auth: MAY_WRITE,
    params: v.object({ code: Code }),
    responses: { 204: { description: "Removed" }, 404: { description: "No such gateway" } },
  }).handle(async ({ params: { code }, changed }) => {
    const before = peers.find(code);
    if (!before || !await peers.remove(code)) throw problem(404, "peer_not_found", `no gateway "${code}"`);
    changed(view(before), undefined);
    told(code);
    return { status: 204 };
  });
}

function listRoutes(api: Routes, { peers, hub, ledger }: PeerApiParts): void {
  api.route({
    method: "GET",
    path: "/api/v1/sms/peers",
    summary: "All gateways that messages are exchanged with",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    responses: { 200: { description: "By code", schema: v.object({ items: v.array(PeerView) }) } },
  }).handle(() => ({ status: 200, body: { items: peers.list().map((peer) => peerView(peer, hub)) } }));
  api.route({
    method: "GET",
    path: "/api/v1/sms/peers/connections",
    summary: "Connections with gateways that are there now",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    responses: { 200: { description: "All", schema: v.object({ items: v.array(LinkView) }) } },
  }).handle(() => {
    const out = peers.list().flatMap(({ code }) => [...hub.line(code).links]);
    const items = [...new Set([...hub.links, ...out])].map((link) => ({
      peer: link.peer?.code ?? null,
      address: link.connection.remote.host,
      direction: link.direction,
      version: link.peer ? versionText(link.version) : null,
      connectedAt: isoTime(link.connectedAt),
      sent: link.sent,
      received: link.received,
      working: link.working,
      unanswered: link.unanswered,
    }));
    return { status: 200, body: { items } };
  });
  api.route({
    method: "GET",
    path: "/api/v1/sms/peers/queues",
    summary: "What is kept on disk for gateways: reports and phones' messages",
    description: "queued: it has not got it yet; accepted: it has, and its report is waited for.",
    tags: ROUTING_TAGS,
    auth: MAY_READ,
    responses: {
      200: {
        description: "By gateway and state",
        schema: v.object({
          items: v.array(v.object({ peer: v.string(), state: v.string(), count: v.number() })),
        }),
      },
    },
  }).handle(async () => ({ status: 200, body: { items: await ledger.sizes() } }));
}

function peerView(peer: Peer, hub: PeerHub): v.InferInput<typeof PeerView> {
  const { code, address, version, window, proveAnswer, createdAt, updatedAt, updatedBy } = peer,
    line = hub.line(code);
  return {
    code,
    address: address ? formatHostPort(address) : null,
    version: versionText(version),
    window,
    times: timesView(peer.times),
    proveAnswer,
    connected: line.connected,
    lastError: line.lastError ?? null,
    waiting: line.waiting,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    updatedBy,
  };
}
