/**
 * Starting what has to do with short messages: the gateway to providers, and the name server of gateways.
 *
 * @module
 */
import type { Service } from "../base/mod.ts";
import type { Database } from "../storage/mod.ts";
import type { PlatformDeps } from "./deps.ts";
import { DEFAULT_SMS, type PlatformSettings, type SmsPlatformSettings } from "./settings.ts";
import {
  type Gns,
  type GnsTables,
  openOutlet,
  type Sms,
  type SmsTables,
  startGns,
  startSms,
} from "./sms/mod.ts";

/** Those of the services that were asked for. `run` takes each as it is started, and stops it in its turn. */
export async function startShortMessages(
  shared: PlatformDeps,
  database: Pick<Database<unknown>, "tables">,
  settings: PlatformSettings,
  run: <S extends Service>(service: S) => S,
): Promise<{ readonly sms: Sms | undefined; readonly gns: Gns | undefined }> {
  const wanted = (name: "sms" | "gns") => settings.services.includes(name);
  const {
    outlet: centre = { url: "simulator" },
    gns: gnsPort,
    gnsServer,
    gnsTakesUpdates = true,
    ...ports
  }: SmsPlatformSettings = settings.sms ?? DEFAULT_SMS;
  const sms = wanted("sms")
    ? run(
      await startSms(
        shared,
        {
          sql: database.tables<SmsTables>(),
          dataDir: settings.dataDir,
          outlet: await openOutlet(shared, centre),
        },
        {
          ...ports,
          ...(gnsServer ? { gnsServer } : {}),
          // The name server of the same process takes what is told to this gateway on its own port.
          ...(gnsPort && !wanted("gns") ? { gns: gnsPort } : {}),
        },
      ),
    )
    : undefined;
  const gns = wanted("gns")
    ? run(
      await startGns(
        shared,
        {
          sql: database.tables<GnsTables>(),
          dataDir: settings.dataDir,
          besides: () => sms?.answering,
        },
        { ...ports, listen: gnsPort ?? DEFAULT_SMS.gns, takesUpdates: gnsTakesUpdates },
      ),
    )
    : undefined;
  return { sms, gns };
}
