/**
 * A whole gateway with a plug-in that pushes, and a whole platform, in the test's own process.
 *
 * @module
 */
import {
  type Gateway,
  type GatewayPorts,
  type GatewaySettings,
  startGateway,
} from "../../src/gateway/mod.ts";
import type { PlatformSettings } from "../../src/platform/mod.ts";
import { followEvents, type HeardEvent } from "./event_stream.ts";
import { type Answer, ask } from "./ask.ts";
import { ADMIN_TOKEN, realDeps, type TestPlatform, testPlatform } from "./platform.ts";
import { identity } from "./scripted_gateway.ts";
import { until as untilWithin } from "./scripted_platform.ts";

/** Waits as long as a busy machine may need. */
export const until = (what: string, look: () => boolean) => untilWithin(what, look, 60_000);
export const ME = identity(70);
export const PASSWORD = "word of the user";

const PUSHER = `
export const manifest = { name: "pusher", version: "1.0", apiVersion: "2026-11-01", capabilities: ["push"],
  commands: { TEXT: { right: "both" }, JSON: { right: "both" }, FLOOD: { right: "both" }, ODD: { right: "both" } },
  limits: { messagesPerMinute: 20 } };
const why = async (promise) => { try { await promise; return "taken"; } catch (error) { return error.message; } };
export const commands = {
  async TEXT({ text }, host) { await host.push.send(text); },
  async JSON({ value }, host) { await host.push.send({ value, list: [1, null] }); },
  async FLOOD({ times }, host) {
    const all = await Promise.all(Array.from({ length: 30 }, (_, i) => why(host.push.send("flood " + i))));
    for (let i = 30; i < times; i++) all.push(await why(host.push.send("flood " + i)));
    return { taken: String(all.filter((one) => one === "taken").length), last: all.at(-1) };
  },
  async ODD(_, host) {
    return { none: await why(host.push.send()), big: await why(host.push.send("x".repeat(70000))) };
  },
};`;
const SILENT = `
export const manifest = { name: "silent", version: "1.0", apiVersion: "2026-11-01",
  commands: { TRY: { right: "both" } } };
export const commands = { TRY: (_, host) => ({ push: typeof host.push }) };`;

/** A platform and a gateway in this process. */
export class House implements AsyncDisposable {
  gateway!: Gateway;
  readonly folder: string;
  #stream: { stop(): Promise<number> } | undefined;

  private constructor(folder: string, public platform: TestPlatform) {
    this.folder = folder;
  }

  static async open(): Promise<House> {
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-push-" });
    const house = new House(folder, await testPlatform({ dataDir: `${folder}/platform` }));
    await house.platform.call("POST", "/api/v1/gateways", ME);
    await Deno.mkdir(`${folder}/plugins`);
    await Deno.writeTextFile(`${folder}/plugins/pusher.js`, PUSHER);
    await Deno.writeTextFile(`${folder}/plugins/silent.js`, SILENT);
    await Deno.writeTextFile(`${folder}/passwords.json`, JSON.stringify({ user: PASSWORD }));
    await house.startGateway();
    return house;
  }

  async startGateway(ports: GatewayPorts = {}): Promise<void> {
    const local = { host: "127.0.0.1", port: 0 };
    const settings: GatewaySettings = {
      dataDir: `${this.folder}/gateway`,
      mgtUrl: "127.0.0.1",
      port: this.platform.ports.distribution!,
      mac: ME.mac,
      sn: ME.sn,
      loid: ME.loid,
      vendor: "Maker",
      model: "M1",
      local,
      control: local,
      pluginsDir: `${this.folder}/plugins`,
      passwordsFile: `${this.folder}/passwords.json`,
      isolation: "inline",
      driver: "simulated",
      adminToken: ADMIN_TOKEN,
      timing: { addressCheckMs: 20 },
      pushTiming: { firstPauseMs: 50, longestPauseMs: 200, busyPauseMs: 50, spreadMs: 0 },
    };
    this.gateway = await startGateway(realDeps(), settings, ports);
    await this.gateway.registered;
    await until("the plug-in", () => this.gateway.plugins.get("pusher")?.state === "running");
  }

  async stopGateway(): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
  }

  /** Stops the platform; the answer starts it again at the same addresses, over the same data. */
  async stopPlatform(): Promise<() => Promise<void>> {
    const { ports, platform } = this.platform, at = (port: number) => ({ host: "127.0.0.1", port });
    const settings: Partial<PlatformSettings> = {
      http: at(platform.http.port),
      distribution: at(ports.distribution!),
      access: at(ports.access!),
      pluginCenter: at(ports.plugin_center!),
      push: at(ports.push!),
    };
    await this.platform[Symbol.asyncDispose]();
    return async () => {
      this.platform = await testPlatform({ dataDir: `${this.folder}/platform`, settings });
    };
  }

  /** Calls a command of a plug-in over the control API: its reply. */
  async plugin(plugin: string, cmdType: string, fields: Record<string, unknown> = {}) {
    const { body } = await this.control("POST", `/api/v1/plugins/${plugin}/call`, {
      parameter: { CmdType: cmdType, ...fields },
    });
    return (body.reply ?? body) as Record<string, unknown>;
  }

  control(method: string, path: string, body?: unknown): Promise<Answer> {
    return ask(`http://127.0.0.1:${this.gateway.control.port}`, method, path, body);
  }

  /** Reads a stream of the platform until the test ends. */
  listen(path: string, token = ADMIN_TOKEN): HeardEvent[] {
    const heard: HeardEvent[] = [];
    this.#stream = followEvents(() => this.platform.url + path, token, (event) => heard.push(event));
    return heard;
  }

  /** What the platform has of a plug-in, oldest first. */
  async messages(plugin = "pusher"): Promise<string[]> {
    const { body } = await this.platform.call(
      "GET",
      `/api/v1/gateways/${ME.mac}/messages?plugin=${plugin}&limit=500`,
    );
    return (body.items as { text: string }[]).map(({ text }) => text).reverse();
  }

  async delivered(): Promise<void> {
    for (;;) {
      const { body } = await this.control("GET", "/api/v1/push");
      if (body.waiting === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream?.stop();
    await this.gateway[Symbol.asyncDispose]();
    await this.platform[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}
