/**
 * Lists, sections and the ways between pages that belong together.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { View } from "../view.ts";

/**
 * A table in which the first cell of each row says what it is about; a sentence where there is no row. A column whose
 * head is false is left out.
 */
export function Table(
  { label, caption, head, rows, empty, numbers = [] }: {
    /** What it is, for those who can't see where it stands. */
    readonly label: string;
    readonly caption?: string;
    readonly head: readonly (string | false)[];
    readonly rows: readonly (readonly Child[])[];
    readonly empty: string;
    /** Columns of numbers, from 0, those left out included. */
    readonly numbers?: readonly number[];
  },
) {
  if (rows.length === 0) return <p class="soft">{empty}</p>;
  const shown = [...head.keys()].filter((column) => head[column] !== false);
  const kind = (column: number) => numbers.includes(column) ? "number" : undefined;
  return (
    <div class="scroll" tabindex={0} role="region" aria-label={label}>
      <table>
        {caption !== undefined && <caption>{caption}</caption>}
        <thead>
          <tr>{shown.map((column) => <th scope="col" class={kind(column)}>{head[column]}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              {shown.map((column, i) =>
                i === 0 ? <th scope="row">{row[column]}</th> : <td class={kind(column)}>{row[column]}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A part of a page under its heading. With an `id` it is kept up to date. */
export function Panel(
  { title, id, children }: { readonly title?: string; readonly id?: string; readonly children?: Child },
) {
  return (
    <section class="panel" id={id} {...(id === undefined ? {} : { "data-live": true })}>
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </section>
  );
}

/** Links to pages that belong together; those that are false are left out. */
export function Tabs(
  { view, tabs }: {
    readonly view: View;
    readonly tabs: readonly (readonly [path: string, label: string] | false)[];
  },
) {
  const here = view.url.pathname, shown = tabs.filter((tab) => tab !== false);
  // The longest path that this page is at or below.
  const current = shown.map(([path]) => path).filter((path) => here === path || here.startsWith(`${path}/`))
    .sort((a, b) => b.length - a.length)[0];
  return (
    <nav class="tabs" aria-label={view.texts.nav.section}>
      <ul>
        {shown.map(([path, label]) => (
          <li>
            <a href={path} aria-current={path === current ? "page" : undefined}>{label}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Figures that matter, large. */
export function Tiles(
  { id, tiles }: { readonly id: string; readonly tiles: readonly (readonly [name: string, value: Child])[] },
) {
  return (
    <dl class="tiles" id={id} data-live>
      {tiles.map(([name, value]) => (
        <div class="tile">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A word with a colour that supports it. */
export function Badge({ tone, children }: { readonly tone: string; readonly children?: Child }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
