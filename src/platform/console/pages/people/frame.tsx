/**
 * What the pages about people share.
 *
 * @module
 */
import { Tabs } from "../../parts/mod.ts";
import { people } from "../../texts/mod.ts";
import { field, type View, words } from "../../view.ts";

/** The texts in the view's language. */
export function textsOf(view: View): typeof people.en {
  return people[view.language];
}

/** The way among these pages. */
export function PeopleTabs({ view }: { readonly view: View }) {
  const t = textsOf(view);
  return (
    <Tabs
      view={view}
      tabs={[
        view.may("people:write") && ["/people", t.operators],
        view.may("people:write") && ["/people/keys", t.keys],
        ["/people/roles", t.roles],
      ]}
    />
  );
}

/** The way among the pages about the platform itself. */
export function AboutTabs({ view }: { readonly view: View }) {
  const t = textsOf(view);
  return (
    <Tabs
      view={view}
      tabs={[
        ["/about", t.about],
        view.may("system:write") && ["/about/backups", t.backups],
      ]}
    />
  );
}

/** The groups of a form: null where it names none, which means all. */
export function groupsOf(view: View): string[] | null {
  const groups = words(view, "groups");
  return groups.length === 0 ? null : groups;
}

/** A moment typed in the server's time as ISO 8601; undefined where it is empty, and as it is where it is no time. */
export function momentOf(view: View, name: string): string | undefined {
  const text = field(view, name);
  if (text === "") return undefined;
  return Number.isNaN(Date.parse(text)) ? text : new Date(text).toISOString();
}
