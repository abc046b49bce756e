/**
 * The shipped plug-ins in their sandbox over a driver of the test's choosing: everything of a gateway that a capability
 * command goes through, without platform and ports.
 *
 * @module
 */
import { type Clock, Metrics, seededRandom, silentLog, systemClock } from "../../src/base/mod.ts";
import { Dispatcher, hostFunctions, type Origin } from "../../src/gateway/capability/mod.ts";
import { type HttpPorts } from "../../src/gateway/capability/http.ts";
import { type Driver, SimulatedDriver } from "../../src/gateway/driver/mod.ts";
import { FACTORY_SOURCES } from "../../src/gateway/factory_plugins.ts";
import { House } from "../../src/gateway/house/mod.ts";
import { type Caller, openParameters, type ParameterTree } from "../../src/gateway/parameters/mod.ts";
import { PasswordGuard, Passwords, StateStore } from "../../src/gateway/state/mod.ts";
import type { JsonObject } from "../../src/sandbox/mod.ts";
import { createPluginManager } from "../../src/sandbox/mod.ts";

/** The local user's password there. */
export const PASSWORD = "word-of-the-user";
/** What shows it, beside a request's own fields. */
export const SHOWN = { USER: "useradmin", PASSWORD };

/** A reply: `Status` "0" and its fields, or "1" and its FailReason. */
export interface Reply {
  readonly status: string;
  readonly reason: string;
  /** The fields; all that hold text, as they have to. */
  readonly fields: Record<string, string>;
  /** Fields that hold lists or objects. */
  readonly rich: JsonObject;
}

/** The bench. */
export interface CapabilityBench extends AsyncDisposable {
  readonly driver: Driver;
  readonly tree: ParameterTree;
  readonly house: House;
  readonly folder: string;
  /** Who here asked for recoveries that were begun. */
  readonly recoveries: readonly string[];
  /** Calls a command, from afar if nothing else is said. */
  ask(cmdType: string, fields?: JsonObject, origin?: Origin, caller?: Caller): Promise<Reply>;
  /** The fields of a command that has to succeed. Throws Error with its FailReason. */
  ok(cmdType: string, fields?: JsonObject, origin?: Origin): Promise<Record<string, string>>;
}

/** How a bench is made. */
export interface BenchOptions {
  /** Default: a simulated one. */
  readonly driver?: Driver;
  readonly clock?: Clock;
  readonly http?: Partial<HttpPorts>;
  /** Only these plug-ins; default: all that ship. */
  readonly plugins?: readonly string[];
}

/** Makes one; it owns the driver. */
export async function capabilityBench(options: BenchOptions = {}): Promise<CapabilityBench> {
  const { clock = systemClock } = options, random = seededRandom(7);
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const log = silentLog, metrics = new Metrics(), deps = { clock: systemClock, random, log, metrics };
  const driver = stack.use(options.driver ?? new SimulatedDriver({ clock, random }));
  const state = await StateStore.open({ random, log }, folder);
  stack.defer(() => state.flushed());
  const passwords = new Passwords(state, random);
  await passwords.set("user", PASSWORD);
  const guard = new PasswordGuard(clock, passwords);
  const tree = stack.use(await openParameters({ clock, log }, folder));
  const recoveries: string[] = [];
  const house = stack.use(
    new House({
      clock,
      log,
      driver,
      tree,
      dataDir: folder,
      onRecovery: (by) => Promise.resolve(void recoveries.push(by)),
    }),
  );
  const names = options.plugins ?? Object.keys(FACTORY_SOURCES);
  await Deno.mkdir(`${folder}/plugins`);
  for (const name of names) await Deno.writeTextFile(`${folder}/plugins/${name}.js`, FACTORY_SOURCES[name]!);
  const plugins = stack.use(
    await createPluginManager(deps, {
      dir: `${folder}/plugins`,
      stateDir: `${folder}/sandbox`,
      isolation: "inline",
      capabilities: hostFunctions({
        driver,
        house,
        identity: {
          vendor: "Vendor",
          model: "Model",
          firmwareVer: "2.0",
          hardwareVer: "B",
          osVer: driver.osVersion(),
          appVer: "1.0",
          mac: "64D95420214B",
          sn: "64D954-D6AEE64D95420214B",
          loid: "LOID0001",
          card: "CARD7",
        },
        state,
        passwords: guard,
        registered: () => true,
        clock,
        ...(options.http && { http: options.http }),
      }),
    }),
  );
  for (const name of names) {
    const { state, error } = plugins.get(name)!;
    if (state !== "running") throw new Error(`${name} is ${state}: ${error}`);
  }
  const dispatcher = new Dispatcher({ clock: systemClock, metrics }, plugins, guard);
  const owned = stack.move();
  const bench: CapabilityBench = {
    driver,
    tree,
    house,
    folder,
    recoveries,
    async ask(cmdType, fields = {}, origin = "remote", caller) {
      const request = { cmdType, sequenceId: "0000000A", fields };
      const { reply } = await dispatcher.call(origin, "", "", request, caller);
      if (reply.cmdType !== cmdType || reply.sequenceId !== "0000000A") throw new Error("another's reply");
      const all = Object.entries(reply.fields);
      return {
        status: reply.status,
        reason: reply.status === "1" ? reply.failReason : "",
        fields: Object.fromEntries(all.flatMap(([name, v]) => typeof v === "string" ? [[name, v]] : [])),
        rich: Object.fromEntries(all.filter(([, value]) => typeof value === "object")) as JsonObject,
      };
    },
    async ok(cmdType, fields, origin) {
      const { status, reason, fields: got } = await bench.ask(cmdType, fields, origin);
      if (status !== "0") throw new Error(`${cmdType}: ${reason}`);
      return got;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return bench;
}
