/**
 * What webhooks can hear of: types, what each says, and who may hear of it.
 *
 * The types are hierarchical and full-stop delimited, and payloads are thin (Standard Webhooks 1.0.0, "Event types",
 * "Thin vs full payloads"): they name what happened to what, and the API says the rest to those who may know it.
 *
 * @module
 */
import * as v from "valibot";
import { isoTime, timeSchema, type WebhookSpec } from "../../control/mod.ts";
import type { Telling } from "../outbox/mod.ts";
import type { Permission } from "../people/mod.ts";
import { isFinal } from "../registry/mod.ts";
import type { PlatformEvents } from "../subjects.ts";

const Mac = v.object({ mac: v.string() });
const Alarm = v.object({
  id: v.string(),
  rule: v.string(),
  kind: v.string(),
  subject: v.string(),
  severity: v.string(),
  group: v.nullable(v.string()),
  detail: v.string(),
});

/** Every type: what it tells of, what its `data` is, and the permission to read the same over the API. */
export const EVENTS = {
  "gateway.registered": {
    summary: "A gateway has registered",
    permission: "gateways:read",
    data: v.object({ ...Mac.entries, address: v.string(), wanIp: v.string(), firmware: v.string() }),
  },
  "gateway.online": { summary: "A gateway is online", permission: "gateways:read", data: Mac },
  "gateway.offline": { summary: "A gateway is offline", permission: "gateways:read", data: Mac },
  "command.ended": {
    summary: "A command has ended",
    permission: "commands:read",
    data: v.object({
      ...Mac.entries,
      id: v.string(),
      status: v.picklist(["succeeded", "failed", "timed_out", "cancelled"]),
    }),
  },
  "rollout.changed": {
    summary: "A rollout was made, or has come to another status",
    permission: "rollouts:read",
    data: v.object({
      id: v.string(),
      name: v.string(),
      status: v.picklist(["draft", "approval", "scheduled", "running", "paused", "finished", "aborted"]),
      reason: v.nullable(v.string()),
    }),
  },
  "alarm.raised": { summary: "An alarm was raised", permission: "alarms:read", data: Alarm },
  "alarm.cleared": { summary: "An alarm is over", permission: "alarms:read", data: Alarm },
  "alarm.acknowledged": {
    summary: "Somebody sees to an alarm",
    permission: "alarms:read",
    data: Alarm,
  },
  "message.pushed": {
    summary: "A gateway has pushed a message",
    permission: "messages:read",
    data: v.object({ ...Mac.entries, id: v.string(), plugin: v.string(), seq: v.number() }),
  },
  "plugin.uploaded": {
    summary: "A plug-in was added to the repository",
    permission: "plugins:read",
    data: v.object({ name: v.string(), version: v.string(), sha256: v.string(), by: v.string() }),
  },
} as const satisfies Record<
  string,
  { readonly summary: string; readonly permission: Permission; readonly data: v.GenericSchema }
>;

/** One of {@linkcode EVENTS}. */
export type EventType = keyof typeof EVENTS;
/** All of them. */
export const EVENT_TYPES = Object.keys(EVENTS) as readonly EventType[];

/** The type of what `POST …/test` sends; no webhook has to ask for it. */
export const TEST_EVENT = "webhook.test";
const TestData = v.object({ webhook: v.string() });

/** The `data` of each type. */
export type EventData<T extends EventType> = v.InferOutput<typeof EVENTS[T]["data"]>;

/** What is told of what is said on the bus; undefined: nothing. */
const TELLINGS: {
  readonly [S in keyof PlatformEvents]?: (message: PlatformEvents[S]) => Told | undefined;
} = {
  "presence.changed": ({ mac, online }) =>
    told(online ? "gateway.online" : "gateway.offline", { mac }, { mac }),
  "gateway.registered": ({ mac, address, wanIp, firmware }) =>
    told("gateway.registered", { mac, address, wanIp, firmware }, { mac }),
  "command.changed": ({ id, mac, status }) =>
    isFinal(status) ? told("command.ended", { mac, id, status: status as EndStatus }, { mac }) : undefined,
  "rollout.moved": ({ by, ...data }) => told("rollout.changed", data, { by }),
  "alarm.changed": ({ state, ...data }) => told(`alarm.${state}`, data, { group: data.group }),
  "message.pushed": ({ mac, id, plugin, seq }) => told("message.pushed", { mac, id, plugin, seq }, { mac }),
  "plugin.uploaded": (data) => told("plugin.uploaded", data, {}),
};

/** The subjects of the bus that webhooks hear of. */
export const TOLD_SUBJECTS = Object.keys(TELLINGS) as readonly (keyof typeof TELLINGS)[];

type Told = Telling & { readonly type: EventType };
type EndStatus = EventData<"command.ended">["status"];

function told<T extends EventType>(type: T, data: EventData<T>, about: Telling["about"]): Told {
  return { type, data, about };
}

/** What webhooks hear of a message on the bus; undefined: nothing. */
export function tellingOf<S extends keyof PlatformEvents>(
  subject: S,
  message: PlatformEvents[S],
): Told | undefined {
  return TELLINGS[subject]?.(message);
}

/** The whole body with that `data`. */
function payloadSchema<const T extends string, const D extends v.GenericSchema>(type: T, data: D) {
  return v.object({ type: v.literal(type), timestamp: timeSchema, data });
}

/** The body as it is sent: when it happened, and not when it is sent. */
export function payloadOf(type: string, at: number, data: unknown): string {
  return JSON.stringify({ type, timestamp: isoTime(at), data });
}

/** The permissions that reading of these types over the API would need. */
export function permissionsFor(types: readonly string[]): Permission[] {
  const known = types.filter((type): type is EventType => Object.hasOwn(EVENTS, type));
  return [...new Set(known.map((type) => EVENTS[type].permission))];
}

const HEADERS = {
  "webhook-id": "The event's id: the same in every try, and for every webhook",
  "webhook-timestamp": "When this try was made, in seconds since 1970",
  "webhook-signature":
    "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several with spaces between them",
};

/** What is sent, for the OpenAPI document. */
export const webhookSpecs: readonly WebhookSpec[] = [
  ...EVENT_TYPES.map((type) => ({
    name: type,
    summary: EVENTS[type].summary,
    body: payloadSchema(type, EVENTS[type].data),
  })),
  {
    name: TEST_EVENT,
    summary: "Somebody wants to see whether it arrives",
    body: payloadSchema(TEST_EVENT, TestData),
  },
].map((spec) => ({ ...spec, tags: ["webhooks"], headers: HEADERS }));
