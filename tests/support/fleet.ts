/**
 * One platform and one gateway as processes of their own, and an operator who looks at both.
 *
 * @module
 */
import { type Program, startProgram } from "../../scripts/lib/program.ts";
import { ADMIN_TOKEN, ask } from "./ask.ts";
import { identity } from "./scripted_gateway.ts";

type Json = Record<string, unknown>;

/** How a fleet is started. */
export interface FleetOptions {
  readonly platformArgs?: readonly string[];
  readonly gatewayArgs?: readonly string[];
  readonly gatewayEnv?: Readonly<Record<string, string>>;
  /** A compiled executable; default: from source. */
  readonly binary?: string;
}

/** The processes, and what an operator does with them. */
export interface Fleet extends AsyncDisposable {
  readonly platform: Program;
  readonly gateway: Program;
  readonly mac: string;
  /** From the start of the gateway's process until it has registered, as its control API says. */
  readonly registeredMs: number;
  readonly pluginsDir: string;
  readonly platformArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  restartPlatform(): Promise<void>;
  restartGateway(): Promise<void>;
  /** Drops a file into the gateway's plug-ins folder. */
  plugin(file: string, source: string): Promise<void>;
  /** Asks the platform's, or the gateway's control API. */
  call(method: string, path: string, body?: Json): Promise<{ status: number; body: Json }>;
  control(method: string, path: string, body?: Json): Promise<{ status: number; body: Json }>;
  /** A post to whichever plug-in has the CmdType, waited for `wait` seconds. */
  command(parameter: Json, wait?: number): Promise<{ status: number; body: Json }>;
  /** A command as it is now, or at its end if that comes within `wait` seconds. */
  look(id: unknown, wait?: number): Promise<Json>;
  /** Whether a plug-in runs on the gateway. */
  runs(plugin: string): Promise<boolean>;
  /** The gateway as the platform shows it. */
  shown(): Promise<Json>;
  /** Looks again until it holds. */
  until(what: string, look: () => Promise<boolean>, ms?: number): Promise<void>;
}

/** Starts both, waits until the gateway has registered. */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-fleet-" });
  const env = { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN }, me = identity(1);
  const { binary } = options;
  const pluginsDir = `${folder}/plugins`;
  await Deno.mkdir(pluginsDir);
  const listen = ["http", "distribution", "access", "plugin-center", "push"];
  const start = (at: (name: string) => number) => [
    ...listen.flatMap((name) => [`--${name}`, `127.0.0.1:${at(name)}`]),
    ...["--advertise", "127.0.0.1", ...options.platformArgs ?? []],
  ];
  let platform = await startProgram("platform", start(() => 0), {
    dataDir: `${folder}/platform`,
    env,
    binary,
  });
  const platformArgs = start((name) => platform.ports[name.replace("-", "_")]!);
  const url = `http://127.0.0.1:${platform.ports.http}`;
  await ask(url, "POST", "/api/v1/gateways", me as unknown as Json);
  const startGateway = () =>
    startProgram("gateway", [
      ...["--mgt-url", "127.0.0.1", "--port", String(platform.ports.distribution)],
      ...["--mac", me.mac, "--sn", me.sn, "--loid", me.loid, "--plugins", pluginsDir],
      ...["--local", "127.0.0.1:0", "--control", "127.0.0.1:0", ...options.gatewayArgs ?? []],
    ], { dataDir: `${folder}/gateway`, env: { ...env, ...options.gatewayEnv }, binary });
  const begun = performance.now();
  let gateway = await startGateway(), registeredMs = NaN;
  const fleet: Fleet = {
    get platform() {
      return platform;
    },
    get gateway() {
      return gateway;
    },
    get registeredMs() {
      return registeredMs;
    },
    mac: me.mac,
    pluginsDir,
    platformArgs,
    env,
    async restartPlatform() {
      platform = await startProgram("platform", platformArgs, { dataDir: platform.dataDir, env, binary });
    },
    async restartGateway() {
      gateway = await startGateway();
      await fleet.until("registered", online);
    },
    async plugin(file, source) {
      // Written beside and moved in, as a careful author's editor does.
      await Deno.writeTextFile(`${folder}/draft`, source);
      await Deno.rename(`${folder}/draft`, `${pluginsDir}/${file}`);
    },
    call: (method, path, body) => ask(url, method, path, body),
    control: (method, path, body) => ask(`http://127.0.0.1:${gateway.ports.control}`, method, path, body),
    command: (parameter, wait = 0) =>
      ask(url, "POST", `/api/v1/gateways/${me.mac}/commands?wait=${wait}`, { parameter }),
    look: async (id, wait = 0) => (await ask(url, "GET", `/api/v1/commands/${id}?wait=${wait}`)).body,
    async runs(plugin) {
      const { body } = await fleet.control("GET", "/api/v1/plugins");
      return (body.items as { name: string; state: string }[]).some((p) =>
        p.name === plugin && p.state === "running"
      );
    },
    shown: async () => (await ask(url, "GET", `/api/v1/gateways/${me.mac}`)).body,
    async until(what, look, ms = 20_000) {
      const end = performance.now() + ms;
      while (!await look()) {
        if (performance.now() > end) {
          throw new Error(`${what}: not within ${ms} ms\n${gateway.log()}\n${platform.log()}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway[Symbol.asyncDispose](), platform[Symbol.asyncDispose]()]);
      await Deno.remove(folder, { recursive: true });
    },
  };
  const online = async () => {
    const { status, body } = await fleet.control("GET", "/api/v1/status");
    if (status !== 200) {
      throw new Error(`the gateway's status: ${status} ${JSON.stringify(body)}\n${gateway.log()}`);
    }
    return (body.registration as { state: string }).state === "registered";
  };
  await fleet.until("registered", online);
  registeredMs = performance.now() - begun;
  return fleet;
}
