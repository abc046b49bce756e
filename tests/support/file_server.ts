/**
 * A web server with a few files, on a port of the system's choosing.
 *
 * @module
 */

/** The server. */
export interface FileServer extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** Serves the files by path; everything else is 404. */
export function startFileServer(
  files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>,
): FileServer {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const file = files[new URL(request.url).pathname];
    return file === undefined ? new Response("nothing here", { status: 404 }) : new Response(file);
  });
  const { port } = server.addr;
  return { port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
