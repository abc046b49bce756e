/**
 * The name server (GNS): being one, and asking one.
 *
 * @module
 */
export { GnsClient, NameServerError } from "./client.ts";
export { ROUTE_ENTRIES, wantedOf } from "./fields.ts";
export { gnsMigrations, type GnsTables } from "./schema.ts";
export { type Gns, type GnsParts, type GnsSettings, startGns } from "./service.ts";
export { type Answering, serveShort } from "./short_link.ts";
