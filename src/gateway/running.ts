/**
 * The gateway as its owner sees it, once it runs.
 *
 * @module
 */
import { formatHostPort, type Health, type HostPort, type Service } from "../base/mod.ts";
import type { HttpService } from "../control/mod.ts";
import type { PluginManager } from "../sandbox/mod.ts";
import type { ChannelStatus } from "./channel/mod.ts";
import type { RegistrationStatus } from "./registration/mod.ts";

/** A running gateway. */
export interface Gateway extends Service {
  readonly registration: RegistrationStatus;
  readonly channel: ChannelStatus;
  readonly plugins: PluginManager;
  /** Where the local port and the control API listen. */
  readonly local: HostPort;
  readonly control: HostPort;
  /** The control API's bearer token. */
  readonly adminToken: string;
  /** Resolves when the gateway is registered for the first time. */
  readonly registered: Promise<void>;
}

interface Parts {
  readonly local: () => HostPort;
  readonly localHttp: () => HostPort | undefined;
  readonly plugins: PluginManager;
  readonly adminToken: string;
  readonly registered: Promise<void>;
  readonly registration: () => RegistrationStatus;
  readonly channel: () => ChannelStatus;
}

/** Its stack is disposed of with it; the control API is given to it once it serves, since that API shows it. */
export class RunningGateway implements Gateway {
  readonly name = "gateway";
  readonly plugins: PluginManager;
  readonly adminToken: string;
  readonly registered: Promise<void>;
  #stack: AsyncDisposableStack;
  #http: HttpService | undefined;

  constructor(stack: AsyncDisposableStack, private readonly parts: Parts) {
    this.#stack = stack;
    this.plugins = parts.plugins;
    this.adminToken = parts.adminToken;
    this.registered = parts.registered;
  }

  get registration(): RegistrationStatus {
    return this.parts.registration();
  }

  get channel(): ChannelStatus {
    return this.parts.channel();
  }

  get local(): HostPort {
    return this.parts.local();
  }

  get control(): HostPort {
    return this.#http!.address;
  }

  get addresses(): readonly string[] {
    const http = this.parts.localHttp();
    return [
      `local tcp ${formatHostPort(this.local)}`,
      ...(http ? [`local-http http ${formatHostPort(http)}`] : []),
      ...(this.#http?.addresses ?? []).map((address) => `control ${address}`),
    ];
  }

  health(): Health {
    const { state } = this.registration;
    return state === "registered"
      ? { status: "up" }
      : { status: "degraded", detail: `registration: ${state}` };
  }

  serve(http: HttpService): void {
    this.#http = http;
  }

  own(stack: AsyncDisposableStack): void {
    this.#stack = stack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
