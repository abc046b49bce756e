/**
 * The frame around every page.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import { html } from "hono/html";
import type { Language, Texts } from "./texts/mod.ts";
import { TEXTS } from "./texts/mod.ts";
import type { Theme, View } from "./view.ts";
import type { ApiProblem } from "./client.ts";
import { assetPath } from "./assets.ts";
import { Refused, zoneText } from "./parts/mod.ts";

/** An entry of the main menu; shown to those who may see what is behind it. */
export interface MenuEntry {
  readonly path: string;
  /** One of these is needed to see it. */
  readonly permissions: readonly string[];
  /** The service without which there is nothing to see. */
  readonly services?: readonly string[];
  readonly label: (texts: Texts) => string;
}

/** Whether there is something behind an entry for this user. */
export function isOpen({ permissions, services }: MenuEntry, view: View): boolean {
  return (permissions.length === 0 || permissions.some((permission) => view.may(permission))) &&
    (services === undefined || services.some((service) => view.runs(service)));
}

interface DocumentProps {
  readonly title: string;
  readonly language: Language;
  readonly theme: Theme;
  readonly refreshSeconds?: number | undefined;
  readonly children: Child;
}

/** A whole document. */
export function document({ title, language, theme, refreshSeconds, children }: DocumentProps) {
  const { product } = TEXTS[language];
  return html`<!DOCTYPE html>${(
    <html lang={language === "zh" ? "zh-CN" : "en"} data-theme={theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={theme === "system" ? "light dark" : theme} />
        <title>{`${title} · ${product}`}</title>
        <link rel="icon" href={assetPath("gatehouse.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={assetPath("console.css")} />
        <script src={assetPath("console.js")} defer></script>
      </head>
      <body {...(refreshSeconds === undefined ? {} : { "data-refresh": String(refreshSeconds) })}>
        {children}
      </body>
    </html>
  )}`;
}

/** The menu bar, and the page's content under its title. */
export function Shell(
  { view, menu, title, fault, children }: {
    readonly view: View;
    readonly menu: readonly MenuEntry[];
    readonly title: string;
    /** Why what a form asked for was not done. */
    readonly fault: ApiProblem | undefined;
    readonly children?: Child;
  },
) {
  const { texts, url, language, me } = view;
  const here = url.pathname;
  const back = url.pathname + url.search;
  return (
    <>
      <a class="skip" href="#content">{texts.nav.skip}</a>
      <header class="bar">
        <a class="brand" href="/">
          <img src={assetPath("gatehouse.svg")} alt="" width="28" height="28" />
          <span>{texts.product}</span>
        </a>
        <nav aria-label={texts.nav.main}>
          <ul>
            {menu.map(({ path, label }) => (
              <li>
                <a
                  href={path}
                  aria-current={(path === "/" ? here === "/" : here === path || here.startsWith(`${path}/`))
                    ? "page"
                    : undefined}
                >
                  {label(texts)}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="tools">
          <form method="post" action="/preferences">
            <input type="hidden" name="back" value={back} />
            <button name="language" value={language === "zh" ? "en" : "zh"} class="quiet" type="submit">
              {texts.account.otherLanguage}
            </button>
            <button
              name="theme"
              value={view.theme === "dark" ? "light" : "dark"}
              class="quiet"
              type="submit"
              aria-label={texts.account.theme}
              title={texts.account.theme}
            >
              <span aria-hidden="true">◐</span>
            </button>
          </form>
          <form method="post" action="/sign-out">
            {me.kind === "operator"
              ? <a class="who" href="/account" title={texts.account.signedInAs(me.name)}>{me.name}</a>
              : <span class="who" title={texts.account.signedInAs(me.name)}>{me.name}</span>}
            <button class="quiet" type="submit">{texts.account.signOut}</button>
          </form>
        </div>
      </header>
      <main id="content" tabindex={-1}>
        <h1>{title}</h1>
        {fault !== undefined && <Refused fault={fault} language={language} />}
        {fault === undefined && url.searchParams.has("done") && (
          <p class="notice good" role="status">{texts.common.done}</p>
        )}
        {children}
      </main>
      <footer class="soft">{texts.nav.zone(zoneText(view.now))}</footer>
    </>
  );
}
