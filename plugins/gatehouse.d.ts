/**
 * What a plug-in of a Gatehouse gateway is handed and what it exports, for editors and type checkers.
 *
 * At the head of a plug-in: `/// <reference path="./gatehouse.d.ts" />`. Nothing of this exists at run time.
 * Host API 2026-11-01.
 */
declare namespace Gatehouse {
  /** Any JSON value. */
  type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

  /** From where a command may be called: the LAN (Post1), the platform (Post), either, nobody. */
  type Right = "local" | "remote" | "both" | "none";

  /** What a plug-in may ask of its gateway: without it the functions are not there. */
  type Capability =
    | "crypto"
    | "device.identity"
    | "device.name"
    | "device.password"
    | "dns.read"
    | "dns.write"
    | "lan.read"
    | "lan.write"
    | "network.dns"
    | "network.download"
    | "network.http"
    | "network.inform"
    | "network.ping"
    | "network.traceroute"
    | "parameters"
    | "plugins.call"
    | "pon.read"
    | "pon.register"
    | "power.reboot"
    | "power.recover"
    | "power.time"
    | "power.upgrade"
    | "push"
    | "rights"
    | "service.read"
    | "service.write"
    | "storage"
    | "system.cpu"
    | "system.info"
    | "system.interfaces"
    | "system.load"
    | "system.memory"
    | "system.time"
    | "system.uptime"
    | "timers"
    | "voip.read"
    | "wan.dial"
    | "wan.read"
    | "wifi.password"
    | "wifi.read"
    | "wifi.write"
    // What later versions add is no error here.
    | (string & Record<never, never>);

  /** A field of a command's request, up to 32 of them. */
  interface Field {
    /** As in the request: letters, digits, `.`, `_`, `-`. */
    name: string;
    /** What people read beside it. */
    label?: { readonly en?: string; readonly zh?: string };
    required?: boolean;
    /** A regular expression for the whole value, as HTML's `pattern`. */
    pattern?: string;
    /** The values that there are, where there are few. */
    values?: readonly string[];
  }

  /** The exported `manifest`. It has to be a literal: it is read without running the code. */
  interface Manifest {
    /** Letters, digits, `.`, `_`, `-`; up to 100: `com.example.greeter`. */
    name: string;
    /** Up to 32: `1.0`. */
    version: string;
    /** The host API that it was written for. */
    apiVersion: string;
    description?: string;
    author?: string;
    /** Its commands (each a CmdType), and from where each may be called. */
    commands: Record<string, {
      right: Right;
      /** `local`: calls from the LAN show USER and PASSWORD, which the plug-in does not get to see. */
      auth?: "local";
      /** The fields that it takes, for pages that offer a form; what comes is still the plug-in's to check. */
      fields?: readonly Field[];
    }>;
    capabilities?: readonly Capability[];
    /** Plug-ins whose commands it may call, by `plugins.call`. */
    peers?: readonly string[];
    /** Hosts that it may speak to, by `network.http`: `api.example.com`, `*.example.com`, each perhaps with `:port`. */
    hosts?: readonly string[];
    /**
     * Parameters that it may read and write: names, or what names begin with where a path ends with a dot:
     * `InternetGatewayDevice.Time.`. What may be written may be read, too.
     */
    parameters?: { readonly read?: readonly string[]; readonly write?: readonly string[] };
    limits?: {
      /** The whole memory of its engine in MiB, 16 to 64. Default 16. */
      memoryMb?: number;
      /** From a call to its answer in milliseconds, waiting included; up to 60,000. Default 5,000. */
      callMs?: number;
      /** The longest that it may compute without awaiting anything, in milliseconds; up to 500. Default 200. */
      cpuMs?: number;
      /** Calls in flight at one time, up to 256. Default 32. */
      calls?: number;
      /** Calls that wait where so many are in flight, up to 256. Default 0. */
      queue?: number;
      /** What it may keep in its storage in KiB, up to 1,024. Default 64. */
      storageKb?: number;
      /** Lines for the log a second on average, up to 100. Default 20. */
      logsPerSecond?: number;
      /** Timers that are set at one time, up to 32. Default 8. */
      timers?: number;
      /** Messages that it may push a minute, up to 600. Default 30. */
      messagesPerMinute?: number;
    } & Record<string, number>;
  }

  /** The fields of the inner request: `CmdType`, `SequenceId`, and what the caller put beside them. */
  interface Request {
    readonly CmdType: string;
    readonly SequenceId: string;
    // Whoever calls decides what else is there: check it.
    // deno-lint-ignore no-explicit-any
    readonly [name: string]: any;
  }

  /** The fields of the inner reply. Values that are not text are made text. */
  type Reply = { [name: string]: Json | undefined } | void;

  /** One command. What it throws becomes `Status` "1" with the message as `FailReason`. */
  type Command = (request: Request, host: Host) => Reply | Promise<Reply>;

  /** The exported `commands`. */
  type Commands = Record<string, Command>;

  /** Writes a line of the log, of which the gateway keeps the last thousand. Needs no capability. */
  interface Log {
    (...parts: unknown[]): void;
    debug(...parts: unknown[]): void;
    info(...parts: unknown[]): void;
    warn(...parts: unknown[]): void;
    error(...parts: unknown[]): void;
  }

  /** A parameter's value; times and base64 are text. */
  type ParameterValue = string | number | boolean;

  /** A parameter that was written, or an instance of a table that was added or removed. */
  interface ParameterChange {
    readonly kind: "set" | "add" | "remove";
    readonly name: string;
    /** The new value, of what was set; null: unknown again. */
    readonly value?: ParameterValue | null;
    readonly source: "itms" | "app" | "local" | "plugin" | "system";
    readonly by: string | null;
    /** Milliseconds since 1970. */
    readonly time: number;
    readonly sequence: number;
  }

  /** What the gateway does for a plug-in: of these groups only what its capabilities name is there. */
  interface Host {
    readonly log: Log;
    /** Capability `crypto`. */
    readonly crypto: {
      /** The digest of the text's UTF-8 bytes, in hex. */
      digest(algorithm: "SHA-256" | "SHA-384" | "SHA-512", text: string): Promise<string>;
      /** So many random bytes (1 to 1,024), in hex. */
      random(count: number): Promise<string>;
    };
    readonly device: {
      /** Who this gateway is. Capability `device.identity`. */
      identity(): Promise<{
        driver: string;
        mac: string;
        loid: string;
        card: string;
        registered: boolean;
        softwareVersion: string;
        hardwareVersion: string;
        appVersion: string;
      }>;
      /** MD5(DevRND,SN) where the password is right; throws where it is not. Capability `device.password`. */
      checkPassword(password: string): Promise<{ sn: string }>;
      /** What the family calls it, else the machine's own name. Capability `device.name`. */
      name(): Promise<string>;
      /** Up to 64 characters; empty: the machine's own. Capability `device.name`. */
      setName(name: string): Promise<null>;
    };
    readonly dns: {
      /** The name servers in use. Capability `dns.read`. */
      servers(): Promise<string[]>;
      /** Names that lead elsewhere. Capability `dns.read`. */
      redirections(): Promise<{ name: string; address: string }[]>;
      /** Four at most; none: those that the connection tells. Capability `dns.write`. */
      setServers(addresses: string[]): Promise<null>;
      /** Redirects names by the list at an address on the internet; empty: none. How many. Capability `dns.write`. */
      redirect(url: string): Promise<number>;
    };
    readonly network: {
      /** Pings. Capability `network.ping`. Times in milliseconds. */
      ping(destination: string, options?: { count?: number; size?: number; interface?: string }): Promise<{
        sent: number;
        received: number;
        minMs?: number;
        avgMs?: number;
        maxMs?: number;
      }>;
      /** The routers on the way. Capability `network.traceroute`. */
      traceroute(destination: string, options?: { maxHops?: number; interface?: string }): Promise<
        { hop: number; address?: string; ms?: number }[]
      >;
      /** Addresses of a name. Capability `network.dns`. */
      lookup(name: string, type?: "A" | "AAAA"): Promise<string[]>;
      /** A request to one of the manifest's `hosts`, on a public address. Capability `network.http`. */
      http(
        url: string,
        request?: { method?: string; headers?: Record<string, string>; body?: string },
      ): Promise<{ status: number; headers: Record<string, string>; body: string }>;
      /** Fetches for 1 to 30 seconds and counts; the rate in bits a second. Capability `network.download`. */
      download(url: string, options?: { seconds?: number }): Promise<
        { bytes: number; seconds: number; rate: number; whole: boolean }
      >;
      /** Has the machine report to its ITMS. Capability `network.inform`. */
      inform(): Promise<{ ok: boolean; text: string }>;
    };
    /** The gateway's parameters by their TR-098 names, of those in the manifest. Capability `parameters`. */
    readonly parameters: {
      /** The value; null where nobody knows one. */
      get(name: string): Promise<ParameterValue | null>;
      /** Values by name, 500 at most. A name that ends with a dot stands for all beneath it. */
      values(names: readonly string[]): Promise<Record<string, ParameterValue | null>>;
      /** Names beneath a path that ends with a dot, or all. */
      names(prefix?: string): Promise<string[]>;
      /** Writes values, all or none; resolves when they are in force and on the disk. */
      set(values: Readonly<Record<string, ParameterValue>>): Promise<null>;
      /** Adds an instance to a table, perhaps with values by the last part of their names; its number. */
      add(table: string, values?: Readonly<Record<string, ParameterValue>>): Promise<number>;
      /** Removes an instance of a table. */
      remove(name: string): Promise<null>;
      /**
       * Waits up to a day for changes after the `sequence` of an earlier answer. Without one it answers at once, with
       * the `sequence` to begin with. `missed`: there was more than is remembered, so read anew.
       */
      changes(after?: number): Promise<
        { readonly sequence: number; readonly missed: boolean; readonly changes: readonly ParameterChange[] }
      >;
    };
    readonly pon: {
      /** Capability `pon.read`. */
      status(): Promise<{ up: boolean; kind: string; uptimeSeconds?: number }>;
      /** °C, V, mA, dBm, dBm. Capability `pon.read`. */
      optics(): Promise<
        { temperature?: number; voltage?: number; current?: number; txPower?: number; rxPower?: number }
      >;
      /** How registering goes. Capability `pon.read`. */
      registration(): Promise<{ state: "none" | "running" | "succeeded" | "failed"; text: string }>;
      /** Begins to register at the operator's end. Capability `pon.register`. */
      register(user: string, password: string): Promise<null>;
    };
    readonly power: {
      /** In a few seconds, so that it can be answered first. Capability `power.reboot`. */
      reboot(): Promise<null>;
      /** In a few seconds. Capability `power.recover`. */
      recover(): Promise<null>;
      /** Begins an upgrade, or tells how the one with this id goes. Capability `power.upgrade`. */
      upgrade(order: { url: string; id?: string; digest?: string; mode?: string; method?: string }): Promise<
        { id: string; state: string; percent: number; reason: string }
      >;
      /** How the latest upgrade goes. Capability `power.upgrade`. */
      upgradeStatus(): Promise<{ id: string; state: string; percent: number; reason: string }>;
      /** Sets the clock, in milliseconds since 1970. Capability `power.time`. */
      setTime(now: number): Promise<null>;
    };
    readonly plugins: {
      /** Calls a command of one of the manifest's `peers`: the fields that it returned. Capability `plugins.call`. */
      call(plugin: string, command: string, request?: Record<string, Json>): Promise<Record<string, Json>>;
    };
    readonly push: {
      /**
       * Sends a message to the platform: a text as it is, anything else as JSON; up to 64 KiB. Resolves when it is on
       * the gateway's disk: from then on it gets there, in order, whatever happens. Rejects where it was not taken: too
       * many in a minute, too many that wait. Capability `push`.
       */
      send(message: Json): Promise<null>;
    };
    readonly rights: {
      /**
       * Who may call a command from now on: "0" the LAN, "1" the platform, "2" both, "3" nobody. Capability `rights`.
       */
      set(command: string, code: string): Promise<null>;
    };
    /** What it keeps over restarts and upgrades, by key. Capability `storage`. */
    readonly storage: {
      /** The value, null where there is none. */
      get(key: string): Promise<Json>;
      set(key: string, value: Json): Promise<null>;
      delete(key: string): Promise<null>;
      /** Keys that begin with `prefix`, in order. */
      keys(prefix?: string): Promise<string[]>;
    };
    readonly system: {
      /** Processor load, 0 to 100. Capability `system.cpu`. */
      cpuPercent(): Promise<number>;
      /** Memory in use, 0 to 100, and sizes in KiB. Capability `system.memory`. */
      memory(): Promise<{ percent: number; totalKb: number; availableKb: number }>;
      /** Processes that run or wait to, over 1, 5 and 15 minutes; null: not known. Capability `system.load`. */
      load(): Promise<[number, number, number] | null>;
      /** Seconds since the machine started; null: not known. Capability `system.uptime`. */
      uptime(): Promise<number | null>;
      /** Network interfaces. Capability `system.interfaces`. */
      interfaces(): Promise<{ name: string; address: string; prefix: number }[]>;
      /** Milliseconds since 1970, and how far local time is ahead of UTC. Capability `system.time`. */
      time(): Promise<{ now: number; utcOffsetMinutes: number }>;
      /** What the machine is; what is not known is absent. Capability `system.info`. */
      info(): Promise<{
        driver: string;
        softwareVersion: string;
        hardwareVersion: string;
        appVersion: string;
        model: string;
        vendor: string;
        card: string;
        wanAddress: string;
        lanAddress: string;
        osVersion?: string;
        cpuClass?: string;
        hostName?: string;
        ramKb?: number;
        flashKb?: number;
        uptimeSeconds?: number;
        ipv6?: boolean;
        wifi?: boolean;
      }>;
    };
    readonly service: {
      /** What the machine does not have is absent. Capability `service.read`. */
      status(): Promise<{ led?: boolean; nfc?: boolean; sleep?: boolean }>;
      /** Capability `service.read`. */
      ledTimer(): Promise<{ enabled: boolean; start: string; end: string; cycle: string }>;
      /** What is planned, and in how many minutes; 0: so it is. Capability `service.read`. */
      sleep(): Promise<{ asleep: boolean; minutes: number }>;
      /** Capability `service.write`. */
      setLed(on: boolean): Promise<null>;
      /** Times as in `07:30`; `cycle` as in `DAY` or `1,2,7`. Capability `service.write`. */
      setLedTimer(timer: { enabled: boolean; start: string; end: string; cycle: string }): Promise<null>;
      /** Capability `service.write`. */
      setSleep(plan: { asleep: boolean; minutes: number }): Promise<null>;
    };
    readonly timers: {
      /** Resolves after so many milliseconds, a day at most. Capability `timers`. */
      wait(milliseconds: number): Promise<null>;
    };
    readonly voip: {
      /** Telephone lines. Capability `voip.read`. */
      lines(): Promise<
        {
          line: number;
          enabled: boolean;
          number?: string;
          server?: string;
          protocol?: string;
          registration: "registered" | "registering" | "failed" | "disabled";
          reason?: string;
        }[]
      >;
    };
    readonly wifi: {
      /** The networks, without their passwords; what is not known is absent. Capability `wifi.read`. */
      networks(): Promise<
        {
          index: number;
          interface: string;
          ssid: string;
          enabled: boolean;
          onAir: boolean;
          security?: "open" | "wep" | "wpa" | "wpa2" | "mixed";
          channel: number;
          powerPercent?: number;
        }[]
      >;
      /** Bytes from the gateway's side. Capability `wifi.read`. */
      traffic(index: number): Promise<{ receivedBytes: number; sentBytes: number }>;
      /** Who is on the air. Capability `wifi.read`. */
      stations(): Promise<
        {
          mac: string;
          index: number;
          signalDbm?: number;
          connectedSeconds?: number;
          receivedBytes?: number;
          sentBytes?: number;
        }[]
      >;
      /** On the air from start to end (`HH:MM`), on the days of the cycle. Capability `wifi.read`. */
      timer(): Promise<{ enabled: boolean; start: string; end: string; cycle: string }>;
      /** Switchings a week: 1 is Monday. Capability `wifi.read`. */
      switches(): Promise<{ weekday: number; time: string; active: boolean; enabled: boolean }[]>;
      /** How joining by button goes; `peer`: who joined. Capability `wifi.read`. */
      wps(): Promise<
        { state: "idle" | "active" | "success" | "failed" | "timeout" | "overlap"; peer?: string }
      >;
      /** The password as it crosses the wire, never in the clear. Capability `wifi.password`. */
      encryptedPassword(index: number): Promise<string>;
      /** Changes a network; what is absent stays. `pwd`: encrypted. Capability `wifi.write`. */
      configure(
        index: number,
        change: {
          ssid?: string;
          security?: "open" | "wep" | "wpa" | "wpa2" | "mixed";
          pwd?: string;
          channel?: number;
          powerPercent?: number;
          enabled?: boolean;
        },
      ): Promise<null>;
      /** Capability `wifi.write`. */
      setTimer(timer: { enabled: boolean; start: string; end: string; cycle: string }): Promise<null>;
      /** In place of those that were there. Capability `wifi.write`. */
      setSwitches(
        switches: { weekday: number; time: string; active: boolean; enabled: boolean }[],
      ): Promise<null>;
      /** Lets a device join by button for so many seconds, 1 to 120. Capability `wifi.write`. */
      startWps(index: number, seconds: number): Promise<null>;
      /** Capability `wifi.write`. */
      stopWps(): Promise<null>;
    };
    readonly lan: {
      /** Sockets of the home network, `LAN1` first. Capability `lan.read`. */
      ports(): Promise<
        { name: string; interface: string; up: boolean; receivedBytes: number; sentBytes: number }[]
      >;
      /** Who is there now; what is not known is absent. Capability `lan.read`. */
      devices(): Promise<
        {
          mac: string;
          address?: string;
          name?: string;
          connection?: "cable" | "wifi";
          port?: string;
          connectedSeconds?: number;
        }[]
      >;
      /** Devices with a name or rules of their own; kbit/s, 0: no limit. Capability `lan.read`. */
      rules(): Promise<
        {
          mac: string;
          name: string;
          internet: boolean;
          storage: boolean;
          upKbps: number;
          downKbps: number;
        }[]
      >;
      /** What is absent stays. Capability `lan.write`. */
      setRules(
        mac: string,
        rules: { name?: string; internet?: boolean; storage?: boolean; upKbps?: number; downKbps?: number },
      ): Promise<null>;
    };
    readonly wan: {
      /** Connections to the outside. Capability `wan.read`. */
      connections(): Promise<
        {
          index: number;
          name: string;
          interface: string;
          services?: string;
          mode: "route" | "bridge";
          protocol: string;
          vlan?: number;
          priority?: number;
          up: boolean;
          addresses: string[];
          gateway?: string;
          dns: string[];
          mac?: string;
          uptimeSeconds?: number;
        }[]
      >;
      /** Bits a second, measured for a second. Capability `wan.read`. */
      rate(): Promise<{ down: number; up: number; seconds: number }>;
      /** How dialling goes. Capability `wan.read`. */
      pppoe(): Promise<{ link: boolean; connected: boolean; reason: string; uptimeSeconds?: number }>;
      /** Dials anew. Capability `wan.dial`. */
      dial(account: string, password: string): Promise<null>;
    };
  }

  /** What `gatehouse plugin test` hands each test. */
  interface TestKit {
    /** Calls a command of the plug-in: the fields that it returned. Rejects with its `FailReason`. */
    call(command: string, request?: Record<string, Json>): Promise<Record<string, Json>>;
    /**
     * Stands in for a host function (`"system.cpuPercent"`) with a value, or with a function of its arguments. What is
     * not stubbed is answered by a simulated gateway.
     */
    stub(hostFunction: string, answer: Json | ((...args: Json[]) => Json | Promise<Json>)): void;
    /** Throws where the two are not the same as JSON. */
    equal(actual: unknown, expected: unknown, message?: string): void;
    /** Resolves with the message of the failure; throws where there is none, or `part` is not in it. */
    rejects(promise: Promise<unknown> | (() => Promise<unknown>), part?: string): Promise<string>;
    /** What the plug-in logged in this test: `"warn text"`. */
    logs(): Promise<string[]>;
    /** What the plug-in pushed in this test, in order. */
    messages(): Promise<Json[]>;
  }

  /** The exported `tests` of a `…_test.js`. */
  type Tests = Record<string, (kit: TestKit) => void | Promise<void>>;
}
