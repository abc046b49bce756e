/**
 * What the machine tells of its networks: ports, who is on the LAN, connections to the outside (TR-098
 * `LANEthernetInterfaceConfig`, `Hosts`, `WANConnectionDevice`). Read-only; what it does not tell has no value.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import type { ParameterValue } from "../definition.ts";
import type { ParameterTree } from "../tree.ts";

/** A port of the LAN. */
export interface PortFacts {
  readonly interface: string;
  readonly up: boolean;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Somebody on the LAN. */
export interface HostFacts {
  readonly mac: string;
  readonly address?: string;
  readonly hostName?: string;
  readonly connection?: "cable" | "wifi";
}

/** A connection to the outside. */
export interface ConnectionFacts {
  readonly name: string;
  readonly protocol: string;
  readonly up: boolean;
  readonly addresses: readonly string[];
  readonly gateway?: string | undefined;
  readonly dns: readonly string[];
  readonly mac?: string | undefined;
  readonly uptimeSeconds?: number | undefined;
}

/** Where it comes from. Each may fail: then there is nothing of it. */
export interface NetworkFacts {
  readonly clock: Pick<Clock, "monotonic">;
  readonly lan: { ports(): Promise<readonly PortFacts[]>; devices(): Promise<readonly HostFacts[]> };
  readonly wan: { connections(): Promise<readonly ConnectionFacts[]> };
}

/** How long one look at the machine is good for, in milliseconds: a page of parameters takes one. */
const LOOK_MS = 1_000;
/** Hosts that keep their number; past that numbering begins anew. */
const MOST_HOSTS = 1024;

const LAN = "InternetGatewayDevice.LANDevice.{i}.";
const PORT = `${LAN}LANEthernetInterfaceConfig.{i}.`;
const HOST = `${LAN}Hosts.Host.{i}.`;
const WAN = "InternetGatewayDevice.WANDevice.{i}.WANConnectionDevice.{i}.";

type Readers<Facts> = Readonly<Record<string, (facts: Facts) => ParameterValue | undefined>>;

const PORT_READERS: Readers<PortFacts> = {
  Status: ({ up }) => up ? "Up" : "NoLink",
  Name: (port) => port.interface,
  "Stats.BytesSent": ({ sentBytes }) => wrapped(sentBytes),
  "Stats.BytesReceived": ({ receivedBytes }) => wrapped(receivedBytes),
};
const HOST_READERS: Readers<HostFacts> = {
  IPAddress: ({ address }) => address,
  MACAddress: ({ mac }) => mac,
  HostName: ({ hostName }) => hostName,
  InterfaceType: ({ connection }) => connection && (connection === "wifi" ? "802.11" : "Ethernet"),
  Active: () => true,
};
const CONNECTION_READERS: Readers<ConnectionFacts> = {
  Name: ({ name }) => name,
  ConnectionStatus: ({ up }) => up ? "Connected" : "Disconnected",
  ExternalIPAddress: ({ addresses }) => addresses.find((address) => !address.includes(":")),
  DNSServers: ({ dns }) => dns.join(","),
  Uptime: ({ uptimeSeconds }) => uptimeSeconds === undefined ? undefined : Math.floor(uptimeSeconds),
};
const IP_READERS: Readers<ConnectionFacts> = {
  ...CONNECTION_READERS,
  AddressingType: ({ protocol }) => ({ DHCP: "DHCP", STATIC: "Static" })[protocol],
  DefaultGateway: ({ gateway }) => gateway,
  MACAddress: ({ mac }) => mac,
};

/** Lets the parameters read. */
export function bindNetwork(tree: ParameterTree, facts: NetworkFacts): Disposable {
  const stack = new DisposableStack();
  const view = new NetworkView(facts);
  const first = (indices: readonly number[]) => indices[0] === 1;
  const bindAll = <Facts>(
    path: string,
    readers: Readers<Facts>,
    find: (indices: readonly number[]) => Facts | undefined,
  ) => {
    for (const [name, read] of Object.entries(readers)) {
      stack.use(tree.bind(path + name, {
        read: async ({ indices }) => {
          await view.look();
          const found = first(indices) ? find(indices) : undefined;
          return found && read(found);
        },
      }));
    }
  };
  const ppp = ({ protocol }: ConnectionFacts) => protocol === "PPPoE";
  const one = (there: boolean) => there ? [1] : [];
  const counted = (list: readonly unknown[]) => list.map((_, i) => i + 1);
  const refresh = () => view.look();

  stack.use(tree.bind(PORT, { refresh, instances: (above) => first(above) ? counted(view.ports) : [] }));
  bindAll(PORT, PORT_READERS, ([, port]) => view.ports[port! - 1]);
  stack.use(tree.bind(HOST, { refresh, instances: (above) => first(above) ? [...view.hosts.keys()] : [] }));
  bindAll(HOST, HOST_READERS, ([, host]) => view.hosts.get(host!));
  stack.use(tree.bind(WAN, { refresh, instances: (above) => first(above) ? counted(view.connections) : [] }));
  for (const [kind, isPpp] of [["WANIPConnection", false], ["WANPPPConnection", true]] as const) {
    const path = `${WAN}${kind}.{i}.`;
    const find = ([, device]: readonly number[]) => view.connections[device! - 1];
    stack.use(tree.bind(path, {
      instances: (above) => {
        const connection = first(above) ? find(above) : undefined;
        return one(connection !== undefined && ppp(connection) === isPpp);
      },
    }));
    bindAll(path, isPpp ? CONNECTION_READERS : IP_READERS, find);
  }
  return stack;
}

/** The networks as they were at the last look. */
class NetworkView {
  ports: readonly PortFacts[] = [];
  connections: readonly ConnectionFacts[] = [];
  /** By number, in its order. */
  hosts: ReadonlyMap<number, HostFacts> = new Map();
  readonly #numbers = new Map<string, number>();
  #last: { readonly at: number; readonly looking: Promise<void> } | undefined;

  constructor(private readonly facts: NetworkFacts) {}

  /** Looks anew where the last look is old; whoever asks meanwhile shares it. */
  look(): Promise<void> {
    const now = this.facts.clock.monotonic();
    if (!this.#last || now >= this.#last.at + LOOK_MS) this.#last = { at: now, looking: this.#look() };
    return this.#last.looking;
  }

  async #look(): Promise<void> {
    const { lan, wan } = this.facts, none = () => [];
    const [ports, devices, connections] = await Promise.all([
      lan.ports().catch(none),
      lan.devices().catch(none),
      wan.connections().catch(none),
    ]);
    this.ports = ports;
    this.connections = connections;
    const numbered = devices.slice(0, MOST_HOSTS).map((host) => [this.#numberOf(host.mac), host] as const);
    this.hosts = new Map(numbered.sort(([a], [b]) => a - b));
  }

  #numberOf(mac: string): number {
    const known = this.#numbers.get(mac);
    if (known !== undefined) return known;
    if (this.#numbers.size >= MOST_HOSTS) this.#numbers.clear();
    this.#numbers.set(mac, this.#numbers.size + 1);
    return this.#numbers.size;
  }
}

/** Counters of TR-098 have 32 bits, and begin anew after them. */
function wrapped(count: number): number {
  return Math.floor(count) % 2 ** 32;
}
