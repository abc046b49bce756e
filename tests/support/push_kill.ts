/**
 * Killing a gateway (and at times the platform) in the middle of what its plug-ins push, again and again, and counting
 * afterwards: what was acknowledged to the plug-in must be there, once, in order, in the list and in the live stream.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { seededRandom } from "../../src/base/mod.ts";
import { runPermissions } from "../../scripts/lib/permissions.ts";
import { type Program, startProgram } from "../../scripts/lib/program.ts";
import { ADMIN_TOKEN, ask } from "./ask.ts";
import { followEvents } from "./event_stream.ts";
import { identity } from "./scripted_gateway.ts";

/** Pushes what it is asked to; its answer is the promise that the message is on the disk. */
const PUSHER = `
export const manifest = { name: "pusher", version: "1.0", apiVersion: "2026-11-01", capabilities: ["push"],
  commands: { PUSH: { right: "both" } }, limits: { messagesPerMinute: 600 } };
export const commands = { async PUSH({ lane, n }, host) { await host.push.send({ lane, n }); } };`;

/** Calls that go on side by side; in each, one follows the other. */
const LANES = 3;
/** Pushes of one lane between two kills at most. */
const PUSHES = 8;

/** How much is killed. */
export interface KillOptions {
  readonly kills: number;
  /** Every so many kills the platform is killed too. Default 10. */
  readonly platformEvery?: number;
  /** Every so many kills the gateway is killed again while it starts. Default 4. */
  readonly startEvery?: number;
  readonly seed?: number;
  readonly isolation?: "process" | "inline";
  readonly onKill?: (result: KillResult) => void;
}

/** What came of it. */
export interface KillResult {
  /** Kills of the gateway, of those while it started, and of the platform. */
  kills: number;
  startKills: number;
  platformKills: number;
  /** Pushes that were acknowledged, and those whose answer the kill took. */
  acknowledged: number;
  inDoubt: number;
  /** Messages of the plug-in in the end, in the list and in the stream; the gateway's own. */
  listed: number;
  streamed: number;
  own: number;
  /** How often the stream was taken up again. */
  resumed: number;
  /** What is wrong, a line each. */
  readonly faults: string[];
}

/** Kills, and counts. */
export async function pushKillLoop(options: KillOptions): Promise<KillResult> {
  await using stage = await KillStage.open(options);
  return await stage.run();
}

type Row = { readonly id: string; readonly plugin: string; readonly text: string };

class KillStage implements AsyncDisposable {
  readonly #random;
  readonly #me = identity(1);
  readonly #env = { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN };
  readonly #acknowledged: string[] = [];
  readonly #next = Array.from({ length: LANES }, () => 0);
  #platform!: Program;
  #gateway!: Program;
  #platformArgs: string[] = [];
  readonly #result: KillResult = {
    kills: 0,
    startKills: 0,
    platformKills: 0,
    acknowledged: 0,
    inDoubt: 0,
    listed: 0,
    streamed: 0,
    own: 0,
    resumed: 0,
    faults: [],
  };

  private constructor(private readonly folder: string, private readonly options: KillOptions) {
    this.#random = seededRandom(options.seed ?? 1);
  }

  static async open(options: KillOptions): Promise<KillStage> {
    const stage = new KillStage(await Deno.makeTempDir({ prefix: "gatehouse-kill-" }), options);
    await Deno.mkdir(`${stage.folder}/plugins`);
    await Deno.writeTextFile(`${stage.folder}/plugins/pusher.js`, PUSHER);
    const listen = ["http", "distribution", "access", "plugin-center", "push"];
    const args = (port: (name: string) => number) => [
      ...listen.flatMap((name) => [`--${name}`, `127.0.0.1:${port(name)}`]),
      ...["--advertise", "127.0.0.1", "--push-rate", "100000"],
    ];
    stage.#platformArgs = args(() => 0);
    await stage.#startPlatform();
    stage.#platformArgs = args((name) => stage.#platform.ports[name.replace("-", "_")]!);
    await stage.#ask("POST", "/api/v1/gateways", stage.#me);
    await stage.#startGateway();
    return stage;
  }

  async run(): Promise<KillResult> {
    const { kills, platformEvery = 10, startEvery = 4, onKill = () => {} } = this.options;
    const result = this.#result, streamed: Row[] = [];
    const stream = followEvents(
      () => `${this.#url}/api/v1/messages/stream?after=0`,
      ADMIN_TOKEN,
      (event) => {
        if (event.kind === "message") streamed.push(event.data as Row);
      },
    );
    while (result.kills < kills) {
      const platformToo = (result.kills + 1) % platformEvery === 0;
      const lanes = this.#next.map((_, lane) => this.#push(lane));
      await pause(this.#random.float() * 120);
      if (platformToo && this.#random.float() < 0.5) await this.#killPlatform();
      await this.#killGateway();
      await Promise.all(lanes);
      if (result.kills < kills && result.kills % startEvery === 0) await this.#killWhileStarting();
      if (platformToo && this.#platformDown) await this.#startPlatform();
      else if (platformToo) {
        await this.#killPlatform();
        await this.#startPlatform();
      }
      await this.#startGateway();
      onKill(result);
    }
    await this.#settled();
    const listed = await this.#list();
    const last = listed.at(-1)?.id;
    await until("the stream has told everything", () => streamed.at(-1)?.id === last, 60_000);
    result.resumed = await stream.stop();
    this.#check(listed, streamed);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway?.[Symbol.asyncDispose]();
    await this.#platform?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  #platformDown = false;

  get #url(): string {
    return `http://127.0.0.1:${this.#platform.ports.http}`;
  }

  /** A few pushes one after the other, until the gateway is gone. */
  async #push(lane: number): Promise<void> {
    for (let i = 0; i < PUSHES; i++) {
      const n = this.#next[lane]!++;
      try {
        const { status, body } = await this.#control("POST", "/api/v1/plugins/pusher/call", {
          parameter: { CmdType: "PUSH", lane: String(lane), n: String(n) },
        });
        const reply = body.reply as Record<string, unknown> | undefined;
        if (status === 200 && reply?.Status === "0") {
          this.#acknowledged.push(`${lane} ${n}`);
          this.#result.acknowledged++;
        } else {this.#result.faults.push(
            `push ${lane} ${n} was turned away: ${status} ${JSON.stringify(body)}`,
          );}
      } catch {
        this.#result.inDoubt++; // the gateway went with the answer
        return;
      }
    }
  }

  async #killGateway(): Promise<void> {
    this.#gateway.kill("SIGKILL");
    await this.#gateway.status;
    this.#result.kills++;
  }

  async #killPlatform(): Promise<void> {
    this.#platformDown = true;
    this.#platform.kill("SIGKILL");
    await this.#platform.status;
    this.#result.platformKills++;
  }

  async #startPlatform(): Promise<void> {
    this.#platform = await startProgram("platform", this.#platformArgs, {
      dataDir: `${this.folder}/platform`,
      env: this.#env,
      timeoutMs: 60_000,
    });
    this.#platformDown = false;
  }

  #gatewayArgs(): string[] {
    const { mac, sn, loid } = this.#me;
    return [
      ...["--mgt-url", "127.0.0.1", "--port", String(this.#platform.ports.distribution)],
      ...["--mac", mac, "--sn", sn, "--loid", loid, "--plugins", `${this.folder}/plugins`],
      ...["--local", "127.0.0.1:0", "--control", "127.0.0.1:0"],
      ...["--isolation", this.options.isolation ?? "inline"],
    ];
  }

  async #startGateway(): Promise<void> {
    this.#gateway = await startProgram("gateway", this.#gatewayArgs(), {
      dataDir: `${this.folder}/gateway`,
      env: this.#env,
      timeoutMs: 60_000,
    });
    await until("the plug-in runs", async () => {
      const { body } = await this.#control("GET", "/api/v1/plugins/pusher");
      return body.state === "running";
    }, 60_000);
  }

  /** Starts it and kills it at some moment of its start. */
  async #killWhileStarting(): Promise<void> {
    const main = fromFileUrl(new URL("../../main.ts", import.meta.url));
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", ...runPermissions(), main],
        ...["--role", "gateway", "--data", `${this.folder}/gateway`, ...this.#gatewayArgs()],
      ],
      env: this.#env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await pause(100 + this.#random.float() * 900);
    child.kill("SIGKILL");
    await child.status;
    this.#result.kills++;
    this.#result.startKills++;
  }

  /** Waits until the gateway has nothing left to send. */
  async #settled(): Promise<void> {
    await until("the spool is empty", async () => {
      const { body } = await this.#control("GET", "/api/v1/push");
      return body.waiting === 0;
    }, 600_000);
  }

  /** Everything that the platform has, oldest first. */
  async #list(): Promise<Row[]> {
    const rows: Row[] = [];
    for (let cursor: string | undefined = "";;) {
      const more = cursor ? `&cursor=${cursor}` : "";
      const { body } = await this.#ask("GET", `/api/v1/gateways/${this.#me.mac}/messages?limit=500${more}`);
      rows.push(...body.items as Row[]);
      cursor = body.next as string | undefined;
      if (cursor === undefined) return rows.reverse();
    }
  }

  #check(listed: readonly Row[], streamed: readonly Row[]): void {
    const result = this.#result, { faults } = result;
    const mine = (rows: readonly Row[]) =>
      rows.filter(({ plugin }) => plugin === "pusher").map(({ text }) => {
        const { lane, n } = JSON.parse(text);
        return `${lane} ${n}`;
      });
    for (const [where, rows] of [["list", listed], ["stream", streamed]] as const) {
      const names = mine(rows), there = new Set(names);
      if (there.size < names.length) {
        faults.push(`${where}: ${names.length - there.size} messages are there twice`);
      }
      if (new Set(rows.map(({ id }) => id)).size < rows.length) faults.push(`${where}: rows are there twice`);
      for (const name of this.#acknowledged) if (!there.has(name)) faults.push(`${where}: ${name} is lost`);
      for (let lane = 0; lane < LANES; lane++) {
        const order = names.filter((name) => name.startsWith(`${lane} `)).map((name) =>
          Number(name.split(" ")[1])
        );
        order.forEach((n, i) => {
          if (i > 0 && n <= order[i - 1]!) faults.push(`${where}: ${lane} ${n} came behind ${order[i - 1]}`);
        });
      }
    }
    if (JSON.stringify(mine(listed)) !== JSON.stringify(mine(streamed))) {
      faults.push("list and stream differ");
    }
    result.listed = mine(listed).length;
    result.streamed = mine(streamed).length;
    result.own = listed.filter(({ plugin }) => plugin === "@gateway").length;
  }

  #control(method: string, path: string, body?: unknown) {
    return ask(`http://127.0.0.1:${this.#gateway.ports.control}`, method, path, body);
  }

  #ask(method: string, path: string, body?: unknown) {
    return ask(this.#url, method, path, body);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(what: string, look: () => boolean | Promise<boolean>, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!await look()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await pause(20);
  }
}
