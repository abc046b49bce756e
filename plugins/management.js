/**
 * How the platform manages the gateway: where it belongs, who may call what, and parameters by their TR-098 names.
 *
 * Everything here is for the platform: whoever is on the LAN could otherwise take the gateway away from it.
 */
const MGT = "InternetGatewayDevice.X_CT-COM_Mgt.";

export const manifest = {
  name: "management",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "The platform that the gateway belongs to, rights of commands, parameters",
  author: "Gatehouse",
  commands: {
    SET_BUSINESS_PLATFORM_PARAM: { right: "remote" },
    SET_RIGHT: { right: "remote" },
    GETPARAMETERVALUES: { right: "remote" },
    SETPARAMETERVALUES: { right: "remote" },
  },
  capabilities: ["parameters", "rights"],
  parameters: { write: ["InternetGatewayDevice.", "InternetGatewayDevice.X_CT-COM_Mgt."] },
  limits: { memoryMb: 16, callMs: 30000 },
};

/** From the request's fields to the parameters. */
const FIELDS = {
  MgtURL: "MgtURL",
  Port: "Port",
  HeartBeat: "Heartbeat",
  Ability: "Ability",
  LocalPort: "LocatePort",
  Version: "Version",
};

/** `List`, also where it came as the text of a JSON value. */
function listOf(List) {
  if (typeof List !== "string") return List;
  const text = List.trim();
  if (!/^[[{]/.test(text)) return text.split(/[,;]/).map((name) => name.trim()).filter((name) => name !== "");
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("List is not JSON");
  }
}

/** Names: texts, or objects with `Name`. */
function namesOf(List) {
  const list = listOf(List);
  const names = Array.isArray(list) ? list.map((item) => item?.Name ?? item) : [];
  if (names.length === 0 || names.some((name) => typeof name !== "string")) {
    throw new Error("List is not a list of names");
  }
  return names;
}

/** Values by name: objects with `Name` and `Value`, or one object with values by name. */
function valuesOf(List) {
  const list = listOf(List);
  if (typeof list !== "object" || list === null) throw new Error("List is not a list of Name and Value");
  const pairs = Array.isArray(list) ? list.map((item) => [item?.Name, item?.Value]) : Object.entries(list);
  if (pairs.length === 0) throw new Error("List is empty");
  const values = {};
  for (const [name, value] of pairs) {
    if (typeof name !== "string" || value === undefined || value === null || typeof value === "object") {
      throw new Error("List is not a list of Name and Value");
    }
    if (Object.hasOwn(values, name)) throw new Error(`"${name}" is in List twice`);
    Object.defineProperty(values, name, { value, enumerable: true });
  }
  return values;
}

/** Booleans as CWMP writes them. */
const textOf = (value) => typeof value === "boolean" ? (value ? "1" : "0") : String(value);

export const commands = {
  /** Those fields that are there and not empty; `Version` may only say what it is. All or none. */
  async SET_BUSINESS_PLATFORM_PARAM(request, host) {
    const values = {};
    for (const [field, name] of Object.entries(FIELDS)) {
      const value = request[field];
      if (value === undefined || (value === "" && field !== "MgtURL")) continue;
      if (field !== "Version") values[MGT + name] = value;
      else if (String(value) !== await host.parameters.get(MGT + name)) {
        throw new Error(`Version is read-only: ${await host.parameters.get(MGT + name)}`);
      }
    }
    if (Object.keys(values).length > 0) await host.parameters.set(values);
    return {};
  },

  /** `RIGHT`: 0 local, 1 remote, 2 both, 3 none. */
  async SET_RIGHT({ API, RIGHT }, host) {
    if (typeof API !== "string" || API === "") throw new Error("API is missing");
    await host.rights.set(API, String(RIGHT ?? ""));
    return {};
  },

  /** `List`: names, of which those that end with a dot stand for all beneath. What has no value is left out. */
  async GETPARAMETERVALUES({ List }, host) {
    const values = await host.parameters.values(namesOf(List));
    return {
      List: Object.entries(values).filter(([, value]) => value !== null)
        .map(([Name, value]) => ({ Name, Value: textOf(value) })),
    };
  },

  /** `List`: `[{ Name, Value }]`. All or none. */
  async SETPARAMETERVALUES({ List }, host) {
    await host.parameters.set(valuesOf(List));
    return {};
  },
};
