/**
 * What commands are asked with, and what they lean on.
 *
 * @module
 */
import type { CommandKind, CommandOwner, CommandStore } from "../registry/mod.ts";
import type { PlatformBus } from "../subjects.ts";
import type { PackageFinder } from "./perform.ts";

/** A command as it is asked for. */
export interface CommandRequest {
  /** A gateway that is preset. */
  readonly mac: string;
  readonly kind: CommandKind;
  readonly plugin: string;
  readonly version: string;
  /** The inner request of a post. */
  readonly parameter?: Readonly<Record<string, unknown>>;
  /** Who asks. */
  readonly actor: string;
  /** Time until the command has ended one way or another. */
  readonly timeoutMs: number;
  /**
   * A post that may run beside other such posts. Everything else has its gateway for itself: what was asked before ends
   * first, what comes after waits.
   */
  readonly concurrent?: boolean;
  /** Doing it twice is doing it once. Unsaid: of everything but posts. */
  readonly repeatable?: boolean;
  /**
   * How often it is sent at most, where its answer was lost (only what is repeatable) or the gateway was busy, and
   * how long it rests before it is sent to a busy gateway again. Unsaid: three times, and busy is failed.
   */
  readonly retry?: { readonly attempts: number; readonly delayMs: number } | undefined;
  /** An id of the caller's choosing (`newId()`): asking again with it asks for the same command, not for another. */
  readonly id?: string;
}

/** What commands lean on. */
export interface CommanderParts {
  readonly store: CommandStore;
  readonly bus: PlatformBus;
  readonly packageOf: PackageFinder;
  /** Where there are several nodes: which of them this is. */
  readonly cluster?: CommandCluster | undefined;
  /** What may be open at once; unsaid: {@linkcode MOST_OPEN}. */
  readonly most?: OpenLimits | undefined;
}

/** Commands that have not ended, and the characters of their parameters, which all are in memory. */
export interface OpenLimits {
  readonly commands: number;
  readonly chars: number;
}

/** What may be open at once on one node: some hundred MB. */
export const MOST_OPEN: OpenLimits = { commands: 100_000, chars: 256 << 20 };

/** What commands need to know of the nodes, where there are several. */
export interface CommandCluster {
  /** This node, in its life of the moment. */
  readonly self: CommandOwner;
  /** Whether its lease still holds. */
  readonly held: boolean;
  /** Calls `handler` when commands may have lost their node. */
  onGone(handler: (gone: CommandOwner) => void): void;
  /** Calls `handler` when this node has lost everything that it ran. */
  onRejoined(handler: () => void): void;
}
