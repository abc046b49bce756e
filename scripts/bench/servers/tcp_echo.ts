// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * A bare TCP echo that keeps its connections, each with as small a buffer as a plug-in channel begins with: what a live
 * channel's memory is measured against. Prints its port.
 *
 * @module
 */
const BUFFER_BYTES = 512;

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const connection of listener) void serve(connection);

async function serve(connection: Deno.TcpConn): Promise<void> {
  using _connection = connection;
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    await connection.write(buffer.subarray(0, count));
  }
}
