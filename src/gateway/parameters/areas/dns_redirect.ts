/**
 * Where names lead that the phone app has redirected (the app platform's alone, reference §9).
 *
 * @module
 */
import type { Area } from "../definition.ts";

/** `SET_REDIRECT_INFO`, and the rules that it comes to. */
export const DNS_REDIRECT: Area = [{
  path: "InternetGatewayDevice.X_GATEHOUSE_DNSRedirect.",
  owner: "app",
  parameters: {
    Enable: { type: "boolean", access: "readWrite", default: false, about: "Whether names are redirected" },
    URL: {
      type: "string",
      maxLength: 256,
      access: "readWrite",
      default: "",
      about: "Where the rules came from",
    },
    RuleNumberOfEntries: { type: "unsignedInt", access: "readOnly", counts: "Rule", about: "Rules" },
  },
}, {
  path: "InternetGatewayDevice.X_GATEHOUSE_DNSRedirect.Rule.{i}.",
  owner: "app",
  table: { access: "readWrite", max: 256 },
  parameters: {
    Domain: {
      type: "string",
      maxLength: 253,
      pattern: {
        test:
          /^$|^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/,
        says: "a domain name",
      },
      access: "readWrite",
      default: "",
      about: "The name, with all beneath it",
    },
    Address: {
      type: "string",
      maxLength: 45,
      pattern: { test: /^[0-9A-Fa-f.:]*$/, says: "an IP address" },
      access: "readWrite",
      default: "",
      about: "Where it leads",
    },
  },
}];
