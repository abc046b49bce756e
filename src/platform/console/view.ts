/**
 * What every page is given: who asks, in which language, and the way to the API.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import { type ApiClient, ApiProblem } from "./client.ts";
import type { Language, Texts } from "./texts/mod.ts";

/** Who uses the console, as `GET /api/v1/me` says. */
export interface Me {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly string[];
  readonly groups: readonly string[] | null;
}

/** The colours: those of the system, or chosen. */
export type Theme = "system" | "light" | "dark";

/** One request as a page sees it. */
export interface View {
  readonly language: Language;
  readonly texts: Texts;
  readonly theme: Theme;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly me: Me;
  readonly client: ApiClient;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  /** The form's fields, of a POST. Repeated fields are arrays. */
  readonly form: Readonly<Record<string, string | File | (string | File)[]>>;
  /** Whether the user may. */
  may(permission: string): boolean;
  /** Whether the platform runs a service (`sms`, `gns`, `push`, …). */
  runs(service: string): boolean;
}

/** What a page answers: its content, or where to go on. */
export type PageResult =
  | {
    readonly title: string;
    readonly content: Child;
    /** Seconds after which the parts marked as live are fetched again. */
    readonly refreshSeconds?: number;
    readonly status?: number;
    /** Why what the form asked for was not done. */
    readonly fault?: ApiProblem;
  }
  | {
    readonly redirect: string;
    /** The session to go on with, where the old one has ended. */
    readonly session?: { readonly token: string; readonly seconds: number };
  }
  | { readonly response: Response };

/** A page. What it throws becomes an error page. */
export type Page = (view: View) => Promise<PageResult> | PageResult;

/** Something that a form's button does: where to go on, or nothing to stay; what it throws is shown above the form. */
export type Action = (view: View) => Promise<string | PageResult | void>;

/**
 * The page of forms that are sent to their own address: the pressed button's `do` says which action is meant, and
 * behind a colon what with. What the API refuses is shown above the same page, with what was typed still in its fields.
 */
function formPage(page: Page, actions: Readonly<Record<string, Action>>): Page {
  return async (view) => {
    const [name = ""] = field(view, "do").split(":", 1),
      action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    try {
      if (!action) throw new ApiProblem(400, "unknown_action", `no action "${name.slice(0, 64)}"`, "");
      const done = await action(view);
      if (typeof done === "object") return done;
      return { redirect: done ?? stay(view) };
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      // The session has ended; but a wrong password in a form is no more than that.
      if (error.status === 401 && error.code !== "wrong_credentials") throw error;
      const shown = await Promise.resolve(page(view)).catch(() => {
        throw error;
      });
      return "content" in shown ? { ...shown, status: error.status, fault: error } : shown;
    }
  };
}

/** The same page, which says that it was done. */
export function stay(view: View): string {
  const search = new URLSearchParams(view.url.search);
  search.set("done", "1");
  return `${view.url.pathname}?${search}`;
}

/** What a field of a form shows: what was typed before it was refused, or else how things are. */
export function shown(view: View, name: string, now = ""): string {
  return Object.keys(view.form).length > 0 && typeof view.form[name] === "string" ? field(view, name) : now;
}

/** A field that may be left out: undefined where it is empty. */
export function optional(view: View, name: string): string | undefined {
  return field(view, name) || undefined;
}

/** A field as a number; undefined where it is empty. The API says what is wrong with what is none. */
export function numeric(view: View, name: string): number | string | undefined {
  const text = field(view, name);
  if (text === "") return undefined;
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Whether a box was ticked. */
export function ticked(view: View, name: string): boolean {
  return several(view, name).length > 0;
}

/** A field's words, separated by commas, spaces or line ends. */
export function words(view: View, name: string): string[] {
  return field(view, name).split(/[\s,,]+/).filter(Boolean);
}

/** All values of a field that may be there several times, such as check boxes. */
export function several(view: View, name: string): string[] {
  const value = view.form[name];
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === "string");
}

/** For pages that are nothing but a form: who may not send it does not see it. @throws {ApiProblem} 403 */
export function mustMay(view: View, permission: string): void {
  if (!view.may(permission)) throw new ApiProblem(403, "forbidden", `"${permission}" is needed for this`, "");
}

/** A form's field as trimmed text; "" where it is missing. */
export function field(view: View, name: string): string {
  const value = view.form[name];
  return typeof value === "string" ? value.trim() : "";
}

/** A query parameter; "" where it is missing. */
export function query(view: View, name: string): string {
  return view.url.searchParams.get(name)?.trim().slice(0, 500) ?? "";
}

/** The page of a list that the address asks for. `next`: what the address of the page behind it says as `cursor`. */
export function listOf<T>(
  view: View,
  path: string,
  filter: Readonly<Record<string, string | undefined>> = {},
): Promise<{ readonly items: readonly T[]; readonly next?: string }> {
  return view.client.get(path, { ...filter, cursor: query(view, "cursor") });
}

/** A page at its path. */
export interface PageRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly page: Page;
}

/** A page, and what its forms do. */
export function pageAt(path: string, page: Page, actions?: Readonly<Record<string, Action>>): PageRoute[] {
  const get = { method: "GET", path, page } as const;
  return actions ? [get, { method: "POST", path, page: formPage(page, actions) }] : [get];
}
