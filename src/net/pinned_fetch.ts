/**
 * HTTP to an address that was judged before, whatever a name server says by then.
 *
 * @module
 */

/**
 * Fetches `url` from `address` (the connection goes there; the URL's host is asked for and, over TLS, has to prove
 * itself), hands the response on, and lets go of the connection once `use` is through. Proxies of the environment are
 * not asked. Say in `init` what becomes of redirections: they are not judged.
 */
export async function fetchFrom<T>(
  address: string,
  url: string,
  init: RequestInit,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  const { port, protocol } = new URL(url);
  const client = Deno.createHttpClient({
    proxy: {
      transport: "tcp",
      hostname: address.includes(":") ? `[${address}]` : address,
      port: port !== "" ? Number(port) : protocol === "https:" ? 443 : 80,
    },
  });
  try {
    return await use(await fetch(url, { ...init, client }));
  } finally {
    client.close();
  }
}
