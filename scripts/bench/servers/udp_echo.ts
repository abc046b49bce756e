// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * The barest UDP server that speaks JSON on this runtime: parses what comes, writes it back. Prints its port.
 *
 * @module
 */
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
console.log((socket.addr as Deno.NetAddr).port);
const buffer = new Uint8Array(4096), decoder = new TextDecoder(), encoder = new TextEncoder();
while (true) {
  const [bytes, from] = await socket.receive(buffer);
  await socket.send(encoder.encode(JSON.stringify(JSON.parse(decoder.decode(bytes)))), from);
}
