/**
 * What the pages about gateways share.
 *
 * @module
 */
import { Tabs } from "../../parts/mod.ts";
import { fleet } from "../../texts/mod.ts";
import type { View } from "../../view.ts";

/** The texts in the view's language. */
export function textsOf(view: View): typeof fleet.en {
  return fleet[view.language];
}

/** The way among these pages. */
export function FleetTabs({ view }: { readonly view: View }) {
  const t = textsOf(view);
  return (
    <Tabs
      view={view}
      tabs={[
        ["/gateways", t.list],
        ["/groups", t.groups],
        view.may("commands:read") && ["/commands", t.commands],
        view.may("gateways:write") && view.me.groups === null && ["/gateways/import", t.import],
      ]}
    />
  );
}
