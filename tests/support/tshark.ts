/**
 * Listening to real connections with Wireshark's command line, and having it read what was heard.
 *
 * @module
 */
import { assert } from "@std/assert";

/** The interface of connections of this machine with itself. */
const LOOPBACK = Deno.build.os === "darwin" ? "lo0" : "lo";

/** Whether `tshark` is there. */
export async function hasTshark(): Promise<boolean> {
  return await succeeds(["--version"]);
}

/** Whether it may listen to this machine's connections with itself. */
export async function canListen(): Promise<boolean> {
  return await succeeds(["-i", LOOPBACK, "-c", "1", "-a", "duration:1", "-w", "/dev/null"]);
}

async function succeeds(args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command("tshark", { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Something that listens. */
export interface Ear extends AsyncDisposable {
  /** Stops listening; the file with what was heard. */
  file(): Promise<string>;
}

/** Listens to connections with a port of this machine; resolves once it does. */
export async function listenTo(port: number): Promise<Ear> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  const child = new Deno.Command("tshark", {
    args: ["-i", LOOPBACK, "-f", `tcp port ${port}`, "-w", path, "-Q"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  // It says that it begins before it does. What it is to hear first is heard when that is in the file.
  for (let size = 0, i = 0; size < 200 && i < 200; i++) {
    await Deno.connect({ hostname: "127.0.0.1", port }).then((probe) => probe.close());
    await new Promise((done) => setTimeout(done, 50));
    size = (await Deno.stat(path)).size;
  }
  let stopped: Promise<unknown> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      // The kernel hands over what it caught now and then: as long as the file grows there is more.
      for (let before = -1, now = 0, i = 0; now !== before && i < 40; i++) {
        before = now;
        await new Promise((done) => setTimeout(done, 400));
        now = (await Deno.stat(path)).size;
      }
      child.kill("SIGINT");
      await child.status;
    })();
  return {
    async file() {
      await stop();
      return path;
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(path);
    },
  };
}

/** What Wireshark reads of one PDU. */
export interface Pdu {
  readonly fromPort: number;
  readonly commandId: number;
  readonly sequence: number;
  /** The frame that it ends in has something that Wireshark can't read. */
  readonly malformed: boolean;
}

/** The PDUs in a capture of connections with `port`, as Wireshark reads them. */
export async function pdusIn(file: string, port: number): Promise<Pdu[]> {
  const fields = ["tcp.srcport", "cmpp.Command_Id", "cmpp.Sequence_Id", "_ws.malformed"];
  const { stdout, success } = await new Deno.Command("tshark", {
    args: [
      ...["-r", file, "-d", `tcp.port==${port},cmpp`, "-Y", "cmpp", "-T", "fields"],
      ...fields.flatMap((field) => ["-e", field]),
    ],
    stderr: "null",
  }).output();
  assert(success);
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean).flatMap((line) => {
    const [from, commands = "", sequences = "", malformed = ""] = line.split("\t");
    const ids = commands.split(","), numbers = sequences.split(",");
    return ids.map((id, i) => ({
      fromPort: Number(from),
      commandId: Number(id),
      sequence: Number(numbers[i]),
      malformed: malformed !== "",
    }));
  });
}
