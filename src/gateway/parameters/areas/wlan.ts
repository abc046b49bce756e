/**
 * Wi-Fi (TR-098 `WLANConfiguration`): `SET_WIFI_INFO` and its kin are the phone app's way to it.
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { backed, flag, text, told, unsigned } from "./shorthand.ts";

const WLAN_CONFIGURATION = "InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.";

/** Shared. How many networks there are is the machine's to say. */
export const WLAN: Area = [{
  path: WLAN_CONFIGURATION,
  owner: "shared",
  table: { access: "readOnly", max: 16 },
  parameters: {
    Enable: backed(flag()),
    Status: told(text(16, { values: ["Up", "Error", "Disabled"] })),
    BSSID: told(text(17)),
    Channel: backed(unsigned({ max: 255, about: "0: chosen by the gateway" })),
    AutoChannelEnable: backed(flag()),
    SSID: backed(text(32, { minLength: 1 })),
    SSIDAdvertisementEnabled: backed(flag()),
    BeaconType: backed(text(16, {
      values: ["None", "Basic", "WPA", "11i", "WPAand11i"],
      about: "None: open; Basic: WEP; 11i: WPA2",
    })),
    WPAEncryptionModes: backed(
      text(32, { values: ["TKIPEncryption", "AESEncryption", "TKIPandAESEncryption"] }),
    ),
    IEEE11iEncryptionModes: backed(
      text(32, { values: ["TKIPEncryption", "AESEncryption", "TKIPandAESEncryption"] }),
    ),
    KeyPassphrase: backed(text(63, { secret: true, about: "8 to 63 characters; empty where it is open" })),
    Standard: told(text(16)),
    TransmitPower: backed(unsigned({ max: 100, about: "Percent" })),
    TotalBytesSent: told(unsigned()),
    TotalBytesReceived: told(unsigned()),
    TotalPacketsSent: told(unsigned()),
    TotalPacketsReceived: told(unsigned()),
    TotalAssociations: told(unsigned()),
  },
}, {
  path: `${WLAN_CONFIGURATION}AssociatedDevice.{i}.`,
  owner: "shared",
  table: { access: "readOnly", max: 256 },
  parameters: {
    AssociatedDeviceMACAddress: told(text(17)),
    AssociatedDeviceIPAddress: told(text(64)),
    AssociatedDeviceAuthenticationState: told(flag()),
  },
}];
