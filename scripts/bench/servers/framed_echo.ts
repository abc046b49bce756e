// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * A bare TCP echo of length-prefixed frames, one exchange a connection: what the local port is measured against.
 *
 * @module
 */
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const connection of listener) void serve(connection);

async function serve(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  let size = 0;
  try {
    for (;;) {
      const count = await connection.read(buffer.subarray(size));
      if (count === null) return;
      size += count;
      if (size < 4) continue;
      const end = 4 + new DataView(buffer.buffer).getUint32(0);
      if (size < end) continue;
      JSON.parse(new TextDecoder().decode(buffer.subarray(4, end)));
      for (let at = 0; at < end;) at += await connection.write(buffer.subarray(at, end));
      await connection.closeWrite();
      while (await connection.read(buffer) !== null);
      return;
    }
  } catch {
    // cut off
  } finally {
    connection.close();
  }
}
