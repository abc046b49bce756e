/**
 * What the pages about short messages share.
 *
 * @module
 */
import { Badge, Tabs } from "../../parts/mod.ts";
import { sms } from "../../texts/mod.ts";
import type { View } from "../../view.ts";

/** Where the API has what these pages show. */
export const SMS = "/api/v1/sms";

/** The texts in the view's language. */
export function textsOf(view: View): typeof sms.en {
  return sms[view.language];
}

/** A list without pages. */
export async function itemsOf<T>(
  view: View,
  path: string,
  query?: Readonly<Record<string, string>>,
): Promise<T[]> {
  return (await view.client.get<{ items: T[] }>(`${SMS}${path}`, query)).items;
}

/** Whether the user may change short messages' settings. */
export function mayChange(view: View): boolean {
  return view.may("sms:write");
}

/** The way among these pages. */
export function SmsTabs({ view }: { readonly view: View }) {
  const t = textsOf(view);
  return (
    <Tabs
      view={view}
      tabs={[
        ["/sms", t.status],
        ["/sms/traffic", t.traffic],
        ["/sms/messages", t.messages],
        ["/sms/accounts", t.accounts],
        ["/sms/connections", t.connections],
        ["/sms/routes", t.routes],
        ["/sms/peers", t.peers],
        ["/sms/alarms", t.alarms],
      ]}
    />
  );
}

/** Whether something at the other end is there. */
export function Connected({ yes, view }: { readonly yes: boolean; readonly view: View }) {
  const t = textsOf(view);
  return <Badge tone={yes ? "good" : "bad"}>{yes ? t.connected : t.away}</Badge>;
}
