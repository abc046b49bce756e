/**
 * What the gateway and its machine tell of themselves (`DeviceInfo`), read when it is asked for.
 *
 * @module
 */
import type { ParameterValue } from "../definition.ts";
import type { ParameterTree } from "../tree.ts";

/** Where it comes from. */
export interface DeviceFacts {
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

const PATH = "InternetGatewayDevice.DeviceInfo.";

/** Lets the parameters read. What the machine does not tell has no value. */
export function bindDevice(tree: ParameterTree, { identity, machine }: DeviceFacts): Disposable {
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
  return stack;
}
