/**
 * A hostapd for tests: the real program with its real control sockets, on an interface that has no radio (its own
 * `driver=none`), so that what it takes and answers is tried for real, and only the air is missing.
 *
 * @module
 */
import { systemClock } from "../../../base/mod.ts";
import { type Runner, SystemRunner } from "../linux/mod.ts";

/** A running hostapd. */
export interface TestHostapd extends AsyncDisposable {
  readonly conf: string;
  /** The folder of its control sockets. */
  readonly controlDir: string;
  /** Runs programs where it runs; stand-ins for programs by name may be given. */
  runner(paths?: Readonly<Record<string, string>>): Runner;
}

/** Why there can be none here; undefined where there can be one. */
export async function withoutHostapd(): Promise<string | undefined> {
  for (const [program, arg] of [["hostapd", "-v"], ["ip", "-V"]] as const) {
    // One that is not there is told at once, not by the promise: so it is asked within a function that is asynchronous.
    const look = async () =>
      await new Deno.Command(program, { args: [arg], stdout: "null", stderr: "null" }).output();
    if (!await look().then(() => true, () => false)) return `there is no ${program}`;
  }
  const name = `gh-try-${crypto.randomUUID().slice(0, 8)}`;
  const { success } = await new Deno.Command("ip", { args: ["netns", "add", name], stderr: "null" }).output();
  if (!success) return "no network namespace can be made";
  await new Deno.Command("ip", { args: ["netns", "del", name] }).output();
  return undefined;
}

/** Starts one with a network in the 2.4 GHz band. */
export async function testHostapd(more = ""): Promise<TestHostapd> {
  const namespace = `gh-${crypto.randomUUID().slice(0, 6)}-ap`;
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-ap-" });
  const conf = `${folder}/hostapd.conf`, controlDir = `${folder}/control`;
  await Deno.writeTextFile(
    conf,
    `# A home.
interface=wlan0
driver=none
ctrl_interface=${controlDir}
ssid=Home
hw_mode=g
channel=6
wpa=2
wpa_passphrase=secret123
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wps_state=2
eap_server=1
config_methods=push_button
${more}`,
    { mode: 0o640 },
  );
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const ip = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("ip", { args }).output();
    if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  };
  await ip("netns", "add", namespace);
  stack.defer(() => ip("netns", "del", namespace));
  await ip("-n", namespace, "link", "add", "wlan0", "type", "veth", "peer", "name", "air");
  await ip("-n", namespace, "link", "set", "wlan0", "up");
  const child = new Deno.Command("ip", {
    args: ["netns", "exec", namespace, "hostapd", conf],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  stack.defer(async () => {
    child.kill("SIGKILL");
    await output.catch(() => {});
    await child.status;
  });
  const up = Promise.withResolvers<void>();
  const output = (async () => {
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("AP-ENABLED")) up.resolve();
    }
    up.reject(new Error(`hostapd ended: ${text}`));
  })();
  await up.promise;
  const owned = stack.move();
  return {
    conf,
    controlDir,
    runner: (paths = {}) =>
      new SystemRunner({ clock: systemClock, within: ["ip", "netns", "exec", namespace], paths }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
