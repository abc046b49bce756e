/**
 * What every page is given: who asks, in which language, and the way to the API.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import type { ApiClient } from "./client.ts";
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
  readonly me: Me;
  readonly client: ApiClient;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  /** The form's fields, of a POST. Repeated fields are arrays. */
  readonly form: Readonly<Record<string, string | File | (string | File)[]>>;
  /** Whether the user may. */
  may(permission: string): boolean;
}

/** What a page answers: its content, or where to go on. */
export type PageResult =
  | {
    readonly title: string;
    readonly content: Child;
    /** Seconds after which the parts marked as live are fetched again. */
    readonly refreshSeconds?: number;
    readonly status?: 200 | 400 | 403 | 404 | 409 | 422;
  }
  | { readonly redirect: string }
  | { readonly response: Response };

/** A page. What it throws becomes an error page. */
export type Page = (view: View) => Promise<PageResult> | PageResult;

/** A form's field as trimmed text; "" where it is missing. */
export function field(view: View, name: string): string {
  const value = view.form[name];
  return typeof value === "string" ? value.trim() : "";
}

/** A query parameter; "" where it is missing. */
export function query(view: View, name: string): string {
  return view.url.searchParams.get(name)?.trim().slice(0, 500) ?? "";
}
