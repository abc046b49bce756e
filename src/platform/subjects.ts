/**
 * What the platform's services tell and ask each other on the bus.
 *
 * @module
 */
import type { Bus } from "../cluster/mod.ts";
import type { CommandStatus } from "./registry/mod.ts";
import type { RolloutStatus } from "./rollouts/mod.ts";

/** What a trigger asks of a gateway over UDP. */
export type Trigger =
  /** Connect to the plug-in centre. */
  | { readonly kind: "plugin_center" }
  /** Go to another platform: mode 0 stores a distribution platform, any other an operations platform. */
  | { readonly kind: "redistribute"; readonly mode: number; readonly host: string; readonly port: number };

/**
 * How a gateway took a trigger: it acts; it is connected already; it is not known or not online here; it refused
 * (its keys are out of step: it is told to register again); or it never answered.
 */
export type TriggerOutcome = "accepted" | "already_connected" | "offline" | "refused" | "unanswered";

/** How an exchange on a plug-in channel ended: with the gateway's reply, or not. */
export type ChannelOutcome =
  | { readonly kind: "reply"; readonly reply: ChannelReply }
  /** There is no channel: nothing was sent. */
  | { readonly kind: "closed" }
  /** The channel closed after sending: whether the gateway acted is not known. */
  | { readonly kind: "lost"; readonly reason: string }
  /** No answer in time: whether the gateway acted is not known. */
  | { readonly kind: "timeout" };

/** A plug-in on a gateway. */
export interface InstalledPlugin {
  readonly name: string;
  readonly version: string;
  readonly run: boolean;
}

/** A gateway's reply on the plug-in channel, with what the different methods answer. */
export interface ChannelReply {
  readonly result: number;
  /** The decoded `return_Parameter`. */
  readonly parameter?: Readonly<Record<string, unknown>> | undefined;
  /** Why `return_Parameter` could not be decoded, where it could not. */
  readonly malformed?: string;
  readonly plugins?: readonly InstalledPlugin[] | undefined;
}

/** A request on the plug-in channel. The transaction id is the channel's own business. */
export type ChannelRequest =
  | {
    readonly method: "Post";
    readonly plugin: string;
    readonly version: string;
    readonly parameter: Readonly<Record<string, unknown>>;
  }
  | {
    readonly method: "Install";
    readonly plugin: string;
    readonly version: string;
    readonly url: string;
    readonly size: number;
    readonly sha256: string;
  }
  | {
    readonly method: "Install_query" | "Install_cancel" | "UnInstall" | "Run" | "Stop" | "FactoryPlugin";
    readonly plugin: string;
    readonly version: string;
  }
  | {
    readonly method: "SetPlug-inParameterValues";
    readonly plugin: string;
    readonly version: string;
    readonly parameter: Readonly<Record<string, unknown>>;
  }
  | { readonly method: "ListPlugin" };

/** Things that happened. */
export interface PlatformEvents {
  "presence.changed": { readonly mac: string; readonly online: boolean };
  /** A gateway has registered. */
  "gateway.registered": {
    readonly mac: string;
    /** From where it speaks, `host:port`, and what it says of itself. */
    readonly address: string;
    readonly wanIp: string;
    readonly firmware: string;
  };
  "channel.opened": { readonly mac: string };
  "channel.closed": { readonly mac: string; readonly reason: string };
  "command.changed": { readonly id: string; readonly mac: string; readonly status: CommandStatus };
  /** A rollout, or how far it is, has changed. */
  "rollout.changed": { readonly id: string };
  /** A rollout was made, or has come to another status. */
  "rollout.moved": {
    readonly id: string;
    readonly name: string;
    readonly status: RolloutStatus;
    readonly reason: string | null;
    /** Who made it. */
    readonly by: string;
  };
  /** A plug-in was added to the repository. */
  "plugin.uploaded": {
    readonly name: string;
    readonly version: string;
    readonly sha256: string;
    readonly by: string;
  };
  /** A webhook was added, changed or removed. */
  "webhook.changed": { readonly id: string };
  /** Something waits to be told to these webhooks. */
  "webhook.queued": { readonly ids: readonly string[] };
  /** A gateway pushed a message that was not there yet. */
  "message.pushed": {
    readonly mac: string;
    readonly id: string;
    readonly plugin: string;
    /** Its place among all messages. */
    readonly seq: number;
  };
  /** A gateway speaks to the node that says this: its heartbeats come there, or its channel ends there. */
  "gateway.claimed": { readonly mac: string; readonly held: "association" | "channel" };
  /** An app wants a gateway's channel for so long: whichever node it asks next knows of it. */
  "connection.wanted": { readonly mac: string };
  /** A gateway's preset row was changed or removed: whoever holds something of it looks again. */
  "gateway.changed": {
    readonly mac: string;
    readonly removed: boolean;
    /** It has another LOID: what was asked of it was of another customer's gateway. */
    readonly reassigned?: boolean;
  };
  /** A gateway was told to go back to its factory presets. */
  "gateway.reset": { readonly mac: string };
  /** An alarm was raised, cleared or acknowledged. */
  "alarm.changed": {
    readonly id: string;
    readonly rule: string;
    readonly kind: string;
    readonly subject: string;
    readonly severity: string;
    /** The group that its rule is about; null: all gateways. */
    readonly group: string | null;
    readonly detail: string;
    readonly state: "raised" | "cleared" | "acknowledged";
  };
  /** What a node's counters have grown by since it said so last. */
  "totals.grown": { readonly by: Readonly<Record<string, number>> };
  /** An app user has become the owner of a gateway, or is it no longer. */
  "binding.changed": { readonly mac: string; readonly userId: string; readonly bound: boolean };
}

/** Things that can be asked. */
export interface PlatformRequests {
  "access.trigger": { request: { readonly mac: string; readonly trigger: Trigger }; reply: TriggerOutcome };
  "channel.exchange": {
    request: { readonly mac: string; readonly message: ChannelRequest; readonly timeoutMs: number };
    reply: ChannelOutcome;
  };
  /** Whether there is a channel. */
  "channel.state": { request: { readonly mac: string }; reply: boolean };
  /** Takes a command back, on the node that runs it: see `Commander.cancel`. */
  "command.cancel": { request: { readonly id: string }; reply: boolean };
  "channel.close": { request: { readonly mac: string }; reply: boolean };
}

/** The platform's bus. */
export type PlatformBus = Bus<PlatformEvents, PlatformRequests>;
