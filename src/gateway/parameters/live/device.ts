/**
 * What the gateway and its machine tell of themselves (`DeviceInfo`), read when it is asked for.
 *
 * @module
 */
import type { ParameterValue } from "../definition.ts";
import type { ParameterTree } from "../tree.ts";

/** Where it comes from. */
export interface DeviceFacts {
  readonly clock: { now(): number };
  readonly identity: {
    readonly vendor: string;
    readonly model: string;
    readonly firmwareVer: string;
    readonly hardwareVer: string;
    /** `<OUI>-<SerialNumber>`. */
    readonly sn: string;
  };
  readonly machine: {
    cpuPercent(): Promise<number>;
    /** KiB. */
    memory(): Promise<{ readonly totalKb: number; readonly availableKb: number }>;
    info(): Promise<{ readonly uptimeSeconds?: number }>;
  };
}

const PATH = "InternetGatewayDevice.DeviceInfo.", TIME = "InternetGatewayDevice.Time.";

/** Lets the parameters read. What the machine does not tell has no value. */
export function bindDevice(tree: ParameterTree, { clock, identity, machine }: DeviceFacts): Disposable {
  const dash = identity.sn.indexOf("-");
  const whole = (value: number | undefined) => value === undefined ? undefined : Math.round(value);
  const readers: Readonly<
    Record<string, () => ParameterValue | undefined | Promise<ParameterValue | undefined>>
  > = {
    Manufacturer: () => identity.vendor,
    ManufacturerOUI: () => identity.sn.slice(0, dash),
    ModelName: () => identity.model,
    ProductClass: () => identity.model,
    SerialNumber: () => identity.sn.slice(dash + 1),
    HardwareVersion: () => identity.hardwareVer,
    SoftwareVersion: () => identity.firmwareVer,
    UpTime: async () => whole((await machine.info()).uptimeSeconds),
    "MemoryStatus.Total": async () => (await machine.memory()).totalKb,
    "MemoryStatus.Free": async () => (await machine.memory()).availableKb,
    "ProcessStatus.CPUUsage": async () => whole(await machine.cpuPercent()),
  };
  const stack = new DisposableStack();
  for (const [name, read] of Object.entries(readers)) stack.use(tree.bind(PATH + name, { read }));
  stack.use(tree.bind(`${TIME}CurrentLocalTime`, { read: () => localTime(clock.now()) }));
  stack.use(tree.bind(`${TIME}LocalTimeZone`, { read: () => offset(clock.now()) }));
  return stack;
}

/** As in `2026-11-01T08:00:00`, with the time zone's offset. */
function localTime(now: number): string {
  const local = new Date(now - new Date(now).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19) + offset(now);
}

/** How far local time is ahead of UTC: `+08:00`. */
function offset(now: number): string {
  const minutes = -new Date(now).getTimezoneOffset(), two = (n: number) => String(n).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
