/**
 * What host functions work with.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import type { Driver } from "../../driver/mod.ts";
import type { House } from "../../house/mod.ts";
import type { Identity } from "../../identity.ts";
import type { Json, JsonObject } from "../../../sandbox/mod.ts";
import type { PasswordGuard, StateStore } from "../../state/mod.ts";
import type { HttpPorts } from "../http.ts";

/** What the functions work with. */
export interface HostDeps {
  readonly driver: Driver;
  readonly house: House;
  readonly identity: Identity;
  readonly state: StateStore;
  readonly passwords: PasswordGuard;
  /** Whether the gateway is registered at its platform. */
  readonly registered: () => boolean;
  readonly clock?: Clock;
  /** Other ways to the network than the real ones, for tests. */
  readonly http?: Partial<HttpPorts>;
}

/** {@linkcode HostDeps} with what is not given filled in. */
export type FullHostDeps = HostDeps & { readonly clock: Clock; readonly http: HttpPorts };

/** An argument that has to be text. Throws Error `name: not a text`. */
export function textOf(name: string, value: Json | undefined, most = 256): string {
  if (typeof value !== "string" || value.length > most) {
    throw new Error(`${name}: not a text of ${most} characters at most`);
  }
  return value;
}

/** An argument that may be an object of options; `{}` where it is none. */
export function optionsOf(value: Json | undefined): { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** What was found, without what is not known: undefined is no JSON. */
export function known(source: object): JsonObject {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined));
}
