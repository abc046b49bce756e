/**
 * What the pages about short messages share.
 *
 * @module
 */
import { Badge, Choice, Tabs, TextField } from "../../parts/mod.ts";
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

/** The fields that say which gateway another one is, and what both know: its code and the secret. */
export function CodeAndSecret({ view, code }: { readonly view: View; readonly code?: string | undefined }) {
  const t = textsOf(view);
  return (
    <>
      <TextField view={view} name="code" label={t.code} value={code} required pattern="[0-9]{6}" />
      <TextField
        view={view}
        name="secret"
        type="password"
        label={t.secret}
        required
        pattern="[ -~]{6,64}"
        hint={t.secretNew}
      />
    </>
  );
}

/** Which version of CMPP is spoken with another gateway. */
export function VersionChoice({ view, value }: { readonly view: View; readonly value?: string | undefined }) {
  const options = [["3.0", "3.0"], ["2.0", "2.0"]] as const;
  return <Choice view={view} name="version" label={textsOf(view).version} value={value} options={options} />;
}

/** Whether something at the other end is there. */
export function Connected({ yes, view }: { readonly yes: boolean; readonly view: View }) {
  const t = textsOf(view);
  return <Badge tone={yes ? "good" : "bad"}>{yes ? t.connected : t.away}</Badge>;
}
