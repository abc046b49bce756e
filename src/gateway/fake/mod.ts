/**
 * A gateway that is none, for authors of plug-ins: the real host functions over a simulated machine, in a folder of
 * its own that goes with it.
 *
 * @module
 */
import { join } from "@std/path";
import { type Clock, Metrics, type Random, seededRandom, silentLog } from "../../base/mod.ts";
import { systemNetwork } from "../../net/mod.ts";
import type { Capabilities } from "../../sandbox/mod.ts";
import { hostApi, PluginStorage } from "../../sandbox/host_api/mod.ts";
import { hostFunctions, rightsFunctions } from "../capability/mod.ts";
import { SimulatedDriver } from "../driver/mod.ts";
import { House } from "../house/mod.ts";
import { APP_VERSION } from "../identity.ts";
import { openParameters, ParameterFeed, parameterFunctions } from "../parameters/mod.ts";
import { MessagePush, pushFunctions } from "../push/mod.ts";
import { PasswordGuard, Passwords, StateStore } from "../state/mod.ts";

const MAC = "64D95420214B", SN = "64D954-D6AEE64D95420214B";
/** The same house each time, with somebody in its WiFi: what an author's test finds must not hang on chance. */
const SEED = 1;
/** The local user's password there. */
const FAKE_PASSWORD = "password";

/** There is no other plug-in here whose rights could be changed. */
const NO_PLUGINS = { list: () => [], setRight: () => Promise.resolve() };

/** The host functions of a fake gateway. */
export interface FakeGateway extends AsyncDisposable {
  readonly capabilities: Capabilities;
  /** Throws away what the plug-in of this name kept. */
  forget(plugin: string): Promise<void>;
}

/** Makes one. */
export async function openFakeGateway(deps: { clock: Clock; random: Random }): Promise<FakeGateway> {
  const { clock, random } = deps;
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-fake-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const state = await StateStore.open({ random, log: silentLog }, folder);
  stack.defer(() => state.flushed());
  const passwords = new Passwords(state, random);
  await passwords.set("user", FAKE_PASSWORD);
  const storage = new PluginStorage(join(folder, "storage"), clock, silentLog);
  stack.defer(() => storage.flushed());
  const driver = stack.use(new SimulatedDriver({ clock, random: seededRandom(SEED) }));
  const tree = stack.use(await openParameters({ clock, log: silentLog }, undefined));
  const house = stack.use(new House({ clock, log: silentLog, driver, tree, dataDir: folder }));
  const device = hostFunctions({
    driver,
    house,
    identity: {
      vendor: "Example",
      model: "Fake",
      firmwareVer: "1.0",
      hardwareVer: "1.0",
      osVer: "simulated",
      appVer: APP_VERSION,
      mac: MAC,
      sn: SN,
      loid: "0123456789",
      card: "",
    },
    state,
    passwords: new PasswordGuard(clock, passwords),
    registered: () => true,
    clock,
  });
  // It is never told of a platform: what is pushed stays in the folder, within the real bounds.
  const push = stack.use(
    await MessagePush.open({ clock, random, log: silentLog, metrics: new Metrics() }, {
      dir: join(folder, "push"),
      mac: MAC,
      sn: SN,
      network: systemNetwork({ clock, log: silentLog }),
    }),
  );
  const peerless = () => Promise.reject(new Error("there is no other plug-in here: stub plugins.call"));
  const capabilities = {
    ...device,
    ...pushFunctions(push),
    ...parameterFunctions(tree, stack.use(new ParameterFeed(tree))),
    ...rightsFunctions(() => NO_PLUGINS),
    ...hostApi({ clock, random, storage, call: peerless, mayCall: () => true }),
  };
  const owned = stack.move();
  return {
    capabilities,
    forget: (plugin) => storage.forget(plugin),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
