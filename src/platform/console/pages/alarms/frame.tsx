/**
 * What the pages about alarms share.
 *
 * @module
 */
import { Badge, Tabs } from "../../parts/mod.ts";
import { alarms } from "../../texts/mod.ts";
import type { View } from "../../view.ts";

/** From the least to the most pressing, as the API names them. */
export const SEVERITIES = ["info", "warning", "critical"] as const;

const TONES: Readonly<Record<string, string>> = { critical: "bad", warning: "warn", info: "soft" };

/** The texts in the view's language. */
export function textsOf(view: View): typeof alarms.en {
  return alarms[view.language];
}

/** Whether the user may change rules: these are for all gateways, so nobody may who is confined to groups. */
export function mayChangeRules(view: View): boolean {
  return view.may("alarms:write") && view.me.groups === null;
}

/** The way among these pages. */
export function AlarmTabs({ view }: { readonly view: View }) {
  const t = textsOf(view);
  return <Tabs view={view} tabs={[["/alarms", t.title], ["/alarms/rules", t.rules]]} />;
}

/** How pressing something is. */
export function Severity({ view, severity }: { readonly view: View; readonly severity: string }) {
  return <Badge tone={TONES[severity] ?? ""}>{textsOf(view).severities[severity] ?? severity}</Badge>;
}
