// deno-lint-ignore-file no-console -- a script talks to whoever started it
/**
 * Somebody on a network, for tests: `serve PORT`, or `up|down HOST:PORT BYTES`, which prints the milliseconds that it
 * took. Up and down are seen from whoever connects.
 *
 * @module
 */

/** Nobody waits longer for a connection or for the next bytes. */
const PATIENCE_MS = 4_000;

if (import.meta.main) {
  const [mode, where, count] = Deno.args;
  if (mode === "serve") await serve(Number(where));
  else await transfer(mode === "up", where!, Number(count));
}

async function serve(port: number): Promise<void> {
  using listener = Deno.listen({ port });
  console.log("ready");
  for await (const conn of listener) answer(conn).catch(() => {}).finally(() => conn.close());
}

/** The first byte says whether the rest of eight is a number of bytes to take or to give. */
async function answer(conn: Deno.TcpConn): Promise<void> {
  const head = new Uint8Array(9);
  await read(conn, head.length, head);
  const bytes = Number(new DataView(head.buffer).getBigUint64(1));
  if (head[0] === 1) {
    await read(conn, bytes);
    await conn.write(new Uint8Array(1));
  } else await write(conn, bytes);
}

async function transfer(up: boolean, where: string, bytes: number): Promise<void> {
  const [hostname, port] = where.split(":");
  const connecting = Deno.connect({ hostname: hostname!, port: Number(port) });
  const late = setTimeout(() => Deno.exit(3), PATIENCE_MS);
  using conn = await connecting;
  clearTimeout(late);
  const head = new Uint8Array(9);
  head[0] = up ? 1 : 0;
  new DataView(head.buffer).setBigUint64(1, BigInt(bytes));
  const began = performance.now();
  await conn.write(head);
  if (up) {
    await write(conn, bytes);
    await read(conn, 1);
  } else await read(conn, bytes);
  console.log(Math.round(performance.now() - began));
}

async function write(conn: Deno.Conn, bytes: number): Promise<void> {
  const chunk = new Uint8Array(16_384);
  for (let left = bytes; left > 0;) left -= await conn.write(chunk.subarray(0, Math.min(left, chunk.length)));
}

async function read(conn: Deno.Conn, bytes: number, into = new Uint8Array(65_536)): Promise<void> {
  for (let had = 0; had < bytes;) {
    const count = await conn.read(bytes <= into.length ? into.subarray(had, bytes) : into);
    if (count === null) throw new Error("the other side has gone");
    had += count;
  }
}
