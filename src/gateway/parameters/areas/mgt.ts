/**
 * `X_CT-COM_Mgt`: where the gateway belongs and how it speaks (reference §8). Hidden, and it keeps its values.
 *
 * @module
 */
import type { Area } from "../definition.ts";

/** The object's path. */
export const MGT_PATH = "InternetGatewayDevice.X_CT-COM_Mgt.";

/** Both the management system and the app platform write it (reference §1, §7). */
export const MGT: Area = [{
  path: MGT_PATH,
  owner: "shared",
  hidden: true,
  sticky: true,
  parameters: {
    MgtURL: {
      type: "string",
      minLength: 1,
      maxLength: 256,
      pattern: { test: /^[A-Za-z0-9._:-]+$/, says: "a host name or an IP address" },
      access: "readWrite",
      default: "189cube",
      about: "The distribution platform",
    },
    Port: {
      type: "unsignedInt",
      min: 1,
      max: 65535,
      access: "readWrite",
      default: 12112,
      about: "Its port, UDP and TCP",
    },
    Heartbeat: {
      type: "unsignedInt",
      min: 1,
      max: 86_400,
      access: "readWrite",
      default: 60,
      about: "Seconds between heartbeats, until a platform names another interval",
    },
    Ability: {
      type: "unsignedInt",
      max: 1,
      access: "readWrite",
      default: 0,
      about: "Whether the local port is closed",
    },
    LocatePort: {
      type: "unsignedInt",
      min: 1,
      max: 65535,
      access: "readWrite",
      default: 17998,
      about: "The local port",
    },
    Version: {
      type: "string",
      maxLength: 16,
      access: "readOnly",
      default: "1.0",
      about: "Version of the interface",
    },
  },
}];
