/**
 * What the devices on the home network are called and may do: kept in the parameter tree, where the management system
 * and the apps' platform both write it, and brought into force by the machine before it is kept.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Timer } from "../../base/mod.ts";
import { deviceMac, DriverError, type Lan, MAX_DEVICES } from "../driver/mod.ts";
import type { ParameterChange, ParameterTree, ParameterValue, Writer } from "../parameters/mod.ts";
import { AGAIN_MS } from "./until_done.ts";

const TABLE = "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.";

/** A device with a name, a right or a bandwidth of its own. */
export interface DeviceRules {
  /** `64:D9:54:20:21:4B` */
  readonly mac: string;
  /** Empty: nobody named it. */
  readonly name: string;
  readonly internet: boolean;
  readonly storage: boolean;
  /** In kbit/s; 0: as fast as it can. */
  readonly upKbps: number;
  readonly downKbps: number;
}

/** How often it is looked whether rules are still in force: a firewall that starts anew, or a bridge, loses them. */
export const LOOK_MS = 60_000;

/** What {@linkcode AttachedDevices} works with. */
export interface AttachedDevicesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly lan: Lan;
  readonly tree: ParameterTree;
}

type Row = Readonly<Record<string, ParameterValue | undefined>>;

const FREE: Omit<DeviceRules, "mac"> = { name: "", internet: true, storage: true, upKbps: 0, downKbps: 0 };

/** Rules in force from the moment it is made. */
export class AttachedDevices implements AsyncDisposable {
  readonly #binding: Disposable;
  /** Writes come one after the other, so that two about one device make one row. */
  #working: Promise<unknown> = Promise.resolve();
  /** And so does what the machine is told. */
  #telling: Promise<unknown> = Promise.resolve();
  /** What is to be in force: what a write brought there counts before the tree has it. */
  #rules: readonly DeviceRules[];
  #timer: Timer | undefined;
  #stopped = false;

  constructor(private readonly options: AttachedDevicesOptions) {
    const { tree } = options;
    this.#rules = this.list();
    this.#binding = tree.bind(`${TABLE}{i}.`, { apply: (changes) => this.#force(this.#rows(changes)) });
    // What was written in an earlier life comes into force, as soon as that can be done.
    this.#oneByOne(() => this.#restore()).catch(() => {});
  }

  /** Every device with rules of its own. */
  list(): DeviceRules[] {
    return rulesOf(this.#rows([]));
  }

  /**
   * Changes the rules of one device. Resolves when they are in force and on the disk. Throws DriverError `invalid` for
   * what is no MAC address, ParameterError where the machine can't.
   */
  set(mac: string, change: Partial<Omit<DeviceRules, "mac">>, writer: Writer): Promise<void> {
    const work = this.#working.then(() => this.#set(deviceMac(mac), change, writer));
    this.#working = work.catch(() => {});
    return work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#working;
    await this.#telling;
    this.#binding[Symbol.dispose]();
  }

  async #set(mac: string, change: Partial<Omit<DeviceRules, "mac">>, writer: Writer): Promise<void> {
    const { tree } = this.options;
    const row = tree.instances(TABLE).find((number) => tree.peek(`${TABLE}${number}.MACAddress`) === mac);
    const before = this.list().find((one) => one.mac === mac) ?? FREE;
    const { name, internet, storage, upKbps, downKbps } = { ...before, ...change };
    const free = name === "" && internet && storage && upKbps === 0 && downKbps === 0;
    if (free) {
      if (row !== undefined) await tree.remove(`${TABLE}${row}.`, writer);
      return;
    }
    const values: Record<string, ParameterValue> = {
      MACAddress: mac,
      DeviceName: name,
      InternetAccess: internet ? "ON" : "OFF",
      StorageAccess: storage ? "ON" : "OFF",
      UsBandwidth: upKbps,
      DsBandwidth: downKbps,
    };
    if (row === undefined) {
      if (this.list().length >= MAX_DEVICES) {
        throw new DriverError("invalid", `${MAX_DEVICES} devices have rules of their own, and no more may`);
      }
      await tree.add(TABLE, writer, { values });
    } else {
      const named = Object.entries(values).map(([part, value]) => [`${TABLE}${row}.${part}`, value]);
      await tree.set(Object.fromEntries(named), writer);
    }
  }

  /** The rows as they are once these changes are made. */
  #rows(changes: readonly ParameterChange[]): Map<number, Row> {
    const { tree } = this.options, rows = new Map<number, Row>();
    const parts = [
      "MACAddress",
      "DeviceName",
      "InternetAccess",
      "StorageAccess",
      "UsBandwidth",
      "DsBandwidth",
    ];
    for (const number of tree.instances(TABLE)) {
      const values = parts.map((part) => [part, tree.peek(`${TABLE}${number}.${part}`)]);
      rows.set(number, Object.fromEntries(values));
    }
    for (const { kind, indices, name, value } of changes) {
      const number = indices[0]!;
      if (kind === "add") rows.set(number, rows.get(number) ?? {});
      else if (kind === "remove") rows.delete(number);
      else rows.set(number, { ...rows.get(number), [name.slice(name.lastIndexOf(".") + 1)]: value });
    }
    return rows;
  }

  /** All of it, or as it was. */
  #force(rows: ReadonlyMap<number, Row>): Promise<void> {
    return this.#oneByOne(async () => {
      const rules = rulesOf(rows);
      try {
        await this.#tell(rules);
        this.#rules = rules;
        this.#wait(LOOK_MS);
      } catch (error) {
        // A machine that refused a part may have let go of what it had.
        await this.#restore();
        throw error;
      }
    });
  }

  async #look(told: string): Promise<void> {
    const { lan, log } = this.options;
    const intact = await lan.intact().catch(() => false);
    if (intact) return this.#wait(LOOK_MS);
    if (told === "") log.warn("what devices may do was no longer in force: it is brought back");
    await this.#restore(told);
  }

  /** Never rejects: what can't be brought into force is tried again. `told`: the last reason in the log. */
  async #restore(told = ""): Promise<void> {
    const { log } = this.options;
    try {
      await this.#tell(this.#rules);
      if (told !== "") log.info("what devices may do is in force again");
      this.#wait(LOOK_MS);
    } catch (error) {
      const reason = messageOf(error);
      // Where nothing is to be in force, a machine that can't do it is no matter.
      if (this.#rules.length > 0 && reason !== told) {
        log.warn("what devices may do is not in force: it is tried again", { reason });
      }
      this.#wait(AGAIN_MS, reason);
    }
  }

  async #tell(rules: readonly DeviceRules[]): Promise<void> {
    const { lan } = this.options;
    await lan.setAccess(rules.filter(isRestricted));
    await lan.setBandwidth(rules.filter(({ upKbps, downKbps }) => upKbps > 0 || downKbps > 0));
  }

  /** Where there is nothing to lose, nobody looks. */
  #wait(ms: number, told = ""): void {
    this.#timer?.cancel();
    if (this.#stopped || this.#rules.length === 0) return;
    this.#timer = this.options.clock.setTimer(() => void this.#oneByOne(() => this.#look(told)), ms);
  }

  #oneByOne(work: () => Promise<void>): Promise<void> {
    const done = this.#telling.then(work);
    this.#telling = done.catch(() => {});
    return done;
  }
}

function isRestricted({ internet, storage }: DeviceRules): boolean {
  return !internet || !storage;
}

/** A row that names no device says nothing; of two about one device the later counts. */
function rulesOf(rows: ReadonlyMap<number, Row>): DeviceRules[] {
  const found = new Map<string, DeviceRules>();
  for (const row of rows.values()) {
    const mac = String(row["MACAddress"] ?? "");
    if (mac === "") continue;
    found.set(mac, {
      mac,
      name: String(row["DeviceName"] ?? ""),
      internet: row["InternetAccess"] !== "OFF",
      storage: row["StorageAccess"] !== "OFF",
      upKbps: Number(row["UsBandwidth"] ?? 0),
      downKbps: Number(row["DsBandwidth"] ?? 0),
    });
  }
  return [...found.values()];
}
