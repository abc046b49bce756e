/**
 * Small parts that many pages share.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { Texts } from "../texts/mod.ts";
import type { View } from "../view.ts";

/** A time as the server's zone writes it; a dash where there is none. */
export function Time({ at, view }: { readonly at: string | null | undefined; readonly view: View }) {
  if (!at) return <span class="soft">—</span>;
  return <time datetime={at}>{timeText(at, view)}</time>;
}

/** {@linkcode Time} as text. */
export function timeText(at: string | number, { language }: Pick<View, "language">): string {
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    dateStyle: "short",
    timeStyle: "medium",
  }).format(new Date(at));
}

/** Hours and minutes alone, for what is within a day. */
export function clockText(at: string | number, { language }: Pick<View, "language">): string {
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    hour: "2-digit",
    minute: "2-digit",
  })
    .format(new Date(at));
}

/** The zone of the times that {@linkcode timeText} writes, and that forms are filled in with: `UTC+08:00`. */
export function zoneText(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset(), two = (n: number) => String(n).padStart(2, "0");
  const east = Math.abs(minutes);
  return `UTC${minutes < 0 ? "-" : "+"}${two(Math.floor(east / 60))}:${two(east % 60)}`;
}

/** A number with the language's separators. */
export function numberText(value: number, { language }: Pick<View, "language">, digits = 0): string {
  return new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: digits })
    .format(value);
}

/** Whether a gateway is there. */
export function Presence(
  { online, registered, texts }: {
    readonly online: boolean;
    readonly registered: boolean;
    readonly texts: Texts;
  },
) {
  const { presence } = texts;
  if (online) return <span class="badge good">{presence.online}</span>;
  return <span class="badge soft">{registered ? presence.offline : presence.never}</span>;
}

const TONES: Readonly<Record<string, string>> = {
  succeeded: "good",
  failed: "bad",
  timed_out: "bad",
  cancelled: "soft",
  queued: "warn",
  sent: "warn",
  acked: "warn",
};

/** Where a command stands. */
export function CommandStatus({ status, texts }: { readonly status: string; readonly texts: Texts }) {
  return <span class={`badge ${TONES[status] ?? ""}`}>{texts.command.statuses[status] ?? status}</span>;
}

/** Facts, a line each; those without a value show a dash. */
export function Facts(
  { facts }: { readonly facts: readonly (readonly [name: string, value: Child | null | undefined])[] },
) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value === null || value === undefined || value === "" ? "—" : value}</dd>
        </>
      ))}
    </dl>
  );
}

/** Links to the first and the next page of a list, keeping what else the address says. */
export function Pages({ view, next }: { readonly view: View; readonly next: string | undefined }) {
  const { url, texts } = view;
  const to = (cursor: string | undefined) => {
    const search = new URLSearchParams(url.search);
    if (cursor === undefined) search.delete("cursor");
    else search.set("cursor", cursor);
    return `${url.pathname}?${search}`;
  };
  if (next === undefined && !url.searchParams.has("cursor")) return null;
  return (
    <div class="pages">
      {url.searchParams.has("cursor") && <a href={to(undefined)}>{texts.common.first}</a>}
      {next !== undefined && <a href={to(next)} rel="next">{texts.common.next}</a>}
    </div>
  );
}

/** A JSON document for reading. */
export function Json({ value }: { readonly value: unknown }) {
  return <pre tabindex={0}>{JSON.stringify(value, null, 2)}</pre>;
}
