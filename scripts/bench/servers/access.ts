// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * A platform with the access service alone, over a fleet that has registered from one port, as after a restart.
 * `access.ts DATA_DIR GATEWAYS PORT RECEIVER`: gateways 0 to GATEWAYS - 1 come from 127.0.0.1:PORT. Prints the access
 * port.
 *
 * @module
 */
import { Metrics, silentLog, systemClock, systemRandom } from "../../../src/base/mod.ts";
import { startPlatform } from "../../../src/platform/mod.ts";
import type { Receiver } from "../../../src/platform/settings.ts";
import { registryMigrations, type RegistryTables } from "../../../src/platform/registry/mod.ts";
import { openDatabase } from "../../../src/storage/mod.ts";

const [dataDir, count, port] = [Deno.args[0]!, Number(Deno.args[1]), Number(Deno.args[2])];
const receiver = Deno.args[3] as Receiver;
{
  await using db = await openDatabase<RegistryTables>(`sqlite:${dataDir}/platform.db`, registryMigrations);
  await db.sql.transaction().execute(async (tx) => {
    for (let n = 0; n < count; n++) {
      const tail = n.toString(16).toUpperCase().padStart(6, "0");
      await tx.insertInto("gateway").values({
        mac: `64D954${tail}`,
        sn: `64D954-${tail}`,
        loid: `L${n}`,
        vendor: null,
        model: null,
        region: null,
        pinned_operations: null,
        renew: 0,
        firmware: null,
        hardware: null,
        os_version: null,
        app_version: null,
        card: null,
        wan_ip: null,
        address: `127.0.0.1:${port}`,
        dev_rnd: null,
        previous_dev_rnd: null,
        registered_at: 1,
        last_seen_at: 1,
        online: 1,
        created_at: 1,
        updated_at: 1,
      }).execute();
    }
  });
}
const local = { host: "127.0.0.1", port: 0 };
const platform = await startPlatform(
  { clock: systemClock, random: systemRandom, log: silentLog, metrics: new Metrics() },
  {
    dataDir,
    services: ["access"],
    http: local,
    distribution: local,
    access: local,
    pluginCenter: local,
    push: local,
    advertise: "127.0.0.1",
    database: undefined,
    heartbeatSeconds: 60,
    receiver,
    adminToken: "benchmark-administrator",
  },
);
console.log(platform.services.find(({ name }) => name === "access")!.addresses[0]!.split(":").at(-1));
