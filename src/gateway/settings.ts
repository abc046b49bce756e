/**
 * What a gateway is told when it starts: the flags, the configuration file and the environment after checking.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";
import type { TlsFiles } from "../control/mod.ts";
import type { HostCommand } from "../sandbox/mod.ts";
import type { RequireSigned } from "../sandbox/package/mod.ts";
import type { ChannelTiming } from "./channel/mod.ts";
import type { PushTiming } from "./push/mod.ts";
import type { LinuxSettings } from "./driver/mod.ts";
import type { RegistrationTiming } from "./registration/mod.ts";

/** Settings of `--role gateway`. */
export interface GatewaySettings {
  /** Folder of everything that must survive a restart. */
  readonly dataDir: string;
  /** Host name of the distribution platform (`X_CT-COM_Mgt.MgtURL`); default `189cube`. */
  readonly mgtUrl: string;
  /** Port of the distribution platform (`X_CT-COM_Mgt.Port`); default 12112. */
  readonly port: number;
  /** 12 upper-case hex digits. */
  readonly mac: string;
  /** `<OUI>-<SerialNumber>`. */
  readonly sn: string;
  /** Up to 24 characters. */
  readonly loid: string;
  readonly vendor: string;
  readonly model: string;
  /** `FirmwareVer`; undefined: this software's version. */
  readonly firmwareVer?: string | undefined;
  /** `HardwareVer`; undefined: empty. */
  readonly hardwareVer?: string | undefined;
  /** `Card`: the number of the smart card in it; undefined: empty. */
  readonly card?: string | undefined;
  /** The LAN port for the phone app (`X_CT-COM_Mgt.LocatePort`); default `0.0.0.0:17998`. */
  readonly local: HostPort;
  /** Where the local port also takes Post1 as an HTTP form; undefined: nowhere. */
  readonly localHttp?: HostPort | undefined;
  /** A start with a known operations platform waits a random part of so many seconds; undefined: none. */
  readonly startSpreadSeconds?: number | undefined;
  /** The control API; default `127.0.0.1:8081`. */
  readonly control: HostPort;
  /** HTTPS for it, with the certificate in these files; absent: HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** The folder that plug-ins are dropped into; default `./plugins`. */
  readonly pluginsDir: string;
  /** How many plug-ins there may be, and how many earlier versions of each stay on the disk; undefined: 100 and 2. */
  readonly maxPlugins?: number | undefined;
  readonly keepVersions?: number | undefined;
  /** Plug-ins in a host process for each tier, in one for all, or in this process. */
  readonly isolation: "process" | "shared" | "inline";
  readonly driver: "linux" | "simulated";
  /** What a simulated machine follows from, 32 bits; undefined: from the MAC address. */
  readonly seed?: number | undefined;
  /** What the Linux driver is told about the machine; undefined: nothing. */
  readonly machine?: Omit<LinuxSettings, "dataDir"> | undefined;
  /** Which plug-ins must be signed by a trusted key; undefined: none. The keys are in `<data>/trust.json`. */
  readonly requireSigned?: RequireSigned | undefined;
  /** The control API's bearer token; undefined: kept in, or made on first start and written to, `<data>/admin.token`. */
  readonly adminToken: string | undefined;
  /**
   * A JSON file `{"user": "…", "admin": "…"}` with the passwords that CHECK_PASSWD_PARAM checks, read at each start;
   * undefined: `<data>/passwords.json`, if there is one.
   */
  readonly passwordsFile?: string | undefined;
  /** Interfaces on the LAN side, the only ones that the local port serves; undefined: all with private addresses. */
  readonly lanInterfaces?: readonly string[] | undefined;
  /** How to start a plug-in host, this program again; needed unless `isolation` is "inline". */
  readonly pluginHost?: HostCommand | undefined;
  /** Other times than the reference's for registration and plug-in channel; for tests and special networks. */
  readonly timing?: Partial<RegistrationTiming> | undefined;
  readonly channelTiming?: Partial<ChannelTiming> | undefined;
  readonly pushTiming?: Partial<PushTiming> | undefined;
}
