/**
 * Speaking to a running hostapd, over its control socket as `hostapd_cli` does: so no password is ever an argument of a
 * program, which everybody on the machine could see.
 *
 * @module
 */
import { type Clock, withTimeout } from "../../../base/mod.ts";
import { DriverError, unsupported } from "../errors.ts";
import type { WlanStation, WpsStatus } from "./wifi.ts";

/** How long hostapd may take for an answer, in milliseconds: bringing a radio up is slow. */
const ANSWER_MS = 10_000;
/** Stations that are asked for at most. */
const MOST_STATIONS = 256;

/** Asks hostapd something, in its own words (`STATUS`), on the socket at `path`. */
export type Control = (path: string, command: string) => Promise<string>;

/** Where our end of a conversation is put: hostapd must see it too, which it does not where /tmp is ours alone. */
const PLACE = "/run/gatehouse";

/** {@linkcode Control} over real sockets. Rejects with `unsupported` where no hostapd listens there. */
export function hostapdControl(clock: Clock): Control {
  return async (path, command) => {
    const options = { prefix: "hostapd-" };
    const folder = await Deno.makeTempDir({ ...options, dir: PLACE }).catch(() => Deno.makeTempDir(options));
    let socket: Deno.DatagramConn | undefined;
    try {
      socket = Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/socket` });
      // hostapd may be another user, as on OpenWrt, and has to find our end and write to it.
      await Deno.chmod(folder, 0o711);
      await Deno.chmod(`${folder}/socket`, 0o666);
      await socket.send(new TextEncoder().encode(command), { transport: "unixpacket", path }).catch(
        (cause) => {
          const name = path.split("/").at(-1);
          throw cause instanceof Deno.errors.PermissionDenied
            ? unsupported(`hostapd does not let us speak to it for ${name}: see its ctrl_interface_group`, {
              cause,
            })
            : unsupported(`hostapd does not run for ${name}`, { cause });
        },
      );
      return await withTimeout(
        clock,
        answerOf(socket, path),
        ANSWER_MS,
        () => new DriverError("failed", `hostapd did not answer ${command.split(" ", 1)[0]}`),
      );
    } finally {
      socket?.close();
      await Deno.remove(folder, { recursive: true });
    }
  };
}

/** What hostapd says; what others put into its mouth is not heard. */
async function answerOf(socket: Deno.DatagramConn, path: string): Promise<string> {
  for (;;) {
    const [bytes, from] = await socket.receive(new Uint8Array(65_536));
    if (from.transport === "unixpacket" && from.path === path) return new TextDecoder().decode(bytes);
  }
}

/** Lines `name=value` by name. */
export function parseFields(text: string): Map<string, string> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
}

/** Everybody on a network: hostapd tells one after the other. */
export async function allStations(control: Control, path: string, index: number): Promise<WlanStation[]> {
  const stations: WlanStation[] = [];
  let text = await control(path, "STA-FIRST");
  for (let count = 0; count < MOST_STATIONS; count++) {
    const mac = text.split("\n", 1)[0]!.trim();
    if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) break;
    const station = parseStation(text, index);
    if (station) stations.push(station);
    text = await control(path, `STA-NEXT ${mac}`);
  }
  return stations;
}

/** What hostapd says about a station; undefined for one that is not let in yet. */
export function parseStation(text: string, index: number): WlanStation | undefined {
  const fields = parseFields(text);
  if (!(fields.get("flags") ?? "").includes("[AUTHORIZED]")) return undefined;
  const number = (name: string) => {
    const value = Number(fields.get(name));
    return fields.has(name) && Number.isFinite(value) ? value : undefined;
  };
  return {
    mac: text.split("\n", 1)[0]!.trim().toUpperCase(),
    index,
    ...present({
      signalDbm: number("signal"),
      connectedSeconds: number("connected_time"),
      receivedBytes: number("rx_bytes"),
      sentBytes: number("tx_bytes"),
    }),
  };
}

/** What `WPS_GET_STATUS` says. */
export function parseWps(text: string): WpsStatus {
  const line = (name: string) => new RegExp(`^${name}: *(.+)$`, "m").exec(text)?.[1];
  const peer = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.exec(line("Peer Address") ?? "")?.[0].toUpperCase();
  const button = line("PBC Status"), result = line("Last WPS result");
  let state: WpsStatus["state"] = "idle";
  if (button === "Active") state = "active";
  else if (button === "Overlap") state = "overlap";
  else if (result === "Success") state = "success";
  else if (result === "Failed") state = "failed";
  else if (button === "Timed-out") state = "timeout";
  return { state, ...(peer !== undefined && state === "success" && { peer }) };
}

function present<T extends object>(source: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined)) as T;
}
