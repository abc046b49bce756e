/**
 * A home for tests: network namespaces for a gateway with a bridge, two devices behind it, and a server outside. Real
 * interfaces, real packets; nothing of it outside those namespaces.
 *
 * @module
 */
import { systemClock } from "../../../base/mod.ts";
import { type Runner, SystemRunner } from "../linux/mod.ts";

/** Where everybody is. */
export const GATEWAY_ADDRESS = "192.168.77.1", SERVER_ADDRESS = "203.0.113.2";
/** The devices' hardware addresses, by their names. */
export const DEVICE_MACS = { phone: "02:00:00:00:77:11", laptop: "02:00:00:00:77:12" } as const;
/** One of the devices. */
export type DeviceName = keyof typeof DEVICE_MACS;

/** The home. */
export interface TestHome extends AsyncDisposable {
  /** Runs programs on the gateway. */
  readonly runner: Runner;
  /** The gateway's namespace. */
  readonly namespace: string;
  /** Runs a program in the place of somebody. Rejects where it fails. */
  in(place: DeviceName | "gateway" | "server", ...command: string[]): Promise<string>;
  /**
   * Has a device exchange so many bytes with the server outside, or with a port of somebody else: milliseconds that it
   * took. Rejects where there is no way.
   */
  transfer(from: DeviceName, direction: "up" | "down", bytes: number, to?: string): Promise<number>;
  /** Listens on a port in the place of somebody, until the home is gone. */
  serve(place: "gateway" | "server", port: number): Promise<void>;
}

/** Why there can be no such home here; undefined where there can be one. */
export async function homeless(): Promise<string | undefined> {
  const name = `gh-try-${crypto.randomUUID().slice(0, 8)}`;
  for (const program of ["ip", "tc", "nft", "bridge"]) {
    const there = await command(program, ["-V"]).then(() => true, () => false);
    if (!there) return `there is no ${program}`;
  }
  const error = await command("ip", ["netns", "add", name]).then(() => undefined, String);
  if (error !== undefined) return `no network namespace can be made: ${error}`;
  await command("ip", ["netns", "del", name]);
  return undefined;
}

const PEER = new URL("./testing_peer.ts", import.meta.url).pathname;
const PORT = 5001;

/** Makes one. */
export async function testHome(): Promise<TestHome> {
  const id = crypto.randomUUID().slice(0, 6);
  const places = {
    gateway: `gh-${id}-gw`,
    server: `gh-${id}-srv`,
    phone: `gh-${id}-ph`,
    laptop: `gh-${id}-lt`,
  };
  await using stack = new AsyncDisposableStack();
  for (const name of Object.values(places)) {
    await command("ip", ["netns", "add", name]);
    stack.defer(() => command("ip", ["netns", "del", name]).then(() => {}));
    await command("ip", ["-n", name, "link", "set", "lo", "up"]);
  }
  const ip = (place: keyof typeof places, line: string) =>
    command("ip", ["-n", places[place], ...line.split(" ")]);
  await ip("gateway", "link add br-lan type bridge");
  const wire = async (port: string, place: keyof typeof places, mac: string) => {
    await ip("gateway", `link add ${port} type veth peer name eth0 netns ${places[place]}`);
    await ip(place, `link set eth0 address ${mac}`);
    await ip(place, "link set eth0 up");
    await ip("gateway", `link set ${port} up`);
  };
  await wire("wan0", "server", "02:00:00:00:77:01");
  await wire("lan1", "phone", DEVICE_MACS.phone);
  await wire("lan2", "laptop", DEVICE_MACS.laptop);
  for (const port of ["lan1", "lan2"]) await ip("gateway", `link set ${port} master br-lan`);
  await ip("gateway", "link set br-lan up");
  await ip("gateway", `addr add ${GATEWAY_ADDRESS}/24 dev br-lan`);
  await ip("gateway", "addr add 203.0.113.1/24 dev wan0");
  await ip("gateway", `route add default via ${SERVER_ADDRESS}`);
  await ip("server", `addr add ${SERVER_ADDRESS}/24 dev eth0`);
  await ip("server", "route add 192.168.77.0/24 via 203.0.113.1");
  for (const [place, address] of [["phone", "192.168.77.11"], ["laptop", "192.168.77.12"]] as const) {
    await ip(place, `addr add ${address}/24 dev eth0`);
    await ip(place, `route add default via ${GATEWAY_ADDRESS}`);
  }
  const inside = (place: keyof typeof places, ...line: string[]) =>
    command("ip", ["netns", "exec", places[place], ...line]);
  await inside("gateway", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");

  const peer = ["run", "--quiet", "--no-prompt", "--no-config", "--allow-net", PEER];
  const serve = async (place: "gateway" | "server", port: number, stack: AsyncDisposableStack) => {
    const child = new Deno.Command("ip", {
      args: ["netns", "exec", places[place], Deno.execPath(), ...peer, "serve", String(port)],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    stack.defer(async () => {
      child.kill("SIGKILL");
      await child.stdout.cancel();
      await child.status;
    });
    const reader = child.stdout.getReader();
    await reader.read();
    reader.releaseLock();
  };
  await serve("server", PORT, stack);
  const owned = stack.move();
  return {
    namespace: places.gateway,
    runner: new SystemRunner({ clock: systemClock, within: ["ip", "netns", "exec", places.gateway] }),
    in: inside,
    serve: (place, port) => serve(place, port, owned),
    async transfer(from, direction, bytes, to = `${SERVER_ADDRESS}:${PORT}`) {
      return Number(await inside(from, Deno.execPath(), ...peer, direction, to, String(bytes)));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function command(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${text(stderr) || code}`);
  return text(stdout);
}
