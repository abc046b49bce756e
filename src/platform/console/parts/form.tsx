/**
 * Parts of forms. Every form is a plain POST to its own page; the button says what is to be done.
 *
 * @module
 */
import type { Child } from "hono/jsx";
import { shown, type View } from "../view.ts";

interface Named {
  readonly view: View;
  readonly name: string;
  readonly label: string;
  /** What is there now. */
  readonly value?: string | undefined;
  readonly required?: boolean;
  readonly hint?: string;
}

interface Button {
  readonly action: string;
  readonly label: string;
  readonly tone?: "quiet" | "danger" | undefined;
  /** Asked before it is sent. */
  readonly confirm?: string | undefined;
  /** Send it although fields are not filled in. */
  readonly skipChecks?: boolean | undefined;
}
/** A form of several buttons has them among its children. */
type NoButton = { readonly [name in keyof Button]?: undefined };

/** A form that is sent to this page (or to `to`), its fields one under the other and below them its button. */
export function Form(
  { view, to, files, row, children, action, label, ...button }: {
    readonly view: View;
    readonly to?: string;
    /** Whether it uploads files. */
    readonly files?: boolean;
    /** Its fields and its button side by side. */
    readonly row?: boolean;
    readonly children?: Child;
  } & (Button | NoButton),
) {
  const submit = action !== undefined && <Submit action={action} label={label} {...button} />;
  return (
    <form
      class={row ? "row" : "stack"}
      method="post"
      action={to ?? here(view)}
      enctype={files ? "multipart/form-data" : undefined}
    >
      {children}
      {submit && !row ? <div class="actions">{submit}</div> : submit}
    </form>
  );
}

/** A line of text. */
export function TextField(
  { view, name, label, value = "", required, hint, type = "text", pattern, max = 500, min, list }: Named & {
    readonly type?: "text" | "password" | "number" | "search" | "date" | "datetime-local" | "time";
    readonly pattern?: string | undefined;
    /** Characters at most; of a number: the largest. */
    readonly max?: number;
    readonly min?: number;
    readonly list?: string;
  },
) {
  const secret = type === "password";
  return (
    <label>
      <span>{label}</span>
      <input
        name={name}
        type={type}
        value={secret ? undefined : shown(view, name, value)}
        required={required}
        pattern={pattern}
        maxlength={type === "number" ? undefined : max}
        max={type === "number" ? max : undefined}
        min={type === "number" ? min : undefined}
        step={type === "number" ? "any" : undefined}
        list={list}
        autocomplete={secret ? "new-password" : "off"}
      />
      {hint !== undefined && <small>{hint}</small>}
    </label>
  );
}

/** Several lines of text. */
export function TextArea(
  { view, name, label, value = "", required, hint, rows = 6 }: Named & { readonly rows?: number },
) {
  return (
    <label>
      <span>{label}</span>
      <textarea name={name} rows={rows} required={required} spellcheck={false}>
        {shown(view, name, value)}
      </textarea>
      {hint !== undefined && <small>{hint}</small>}
    </label>
  );
}

/** One of several. */
export function Choice(
  { view, name, label, value = "", options, hint }: Named & {
    readonly options: readonly (readonly [value: string, label: string])[];
  },
) {
  const now = shown(view, name, value);
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        {options.map(([option, text]) => <option value={option} selected={option === now}>{text}</option>)}
      </select>
      {hint !== undefined && <small>{hint}</small>}
    </label>
  );
}

/** A box to tick. */
export function Check(
  { name, label, checked, value = "1" }: {
    readonly name: string;
    readonly label: string;
    readonly checked?: boolean;
    readonly value?: string;
  },
) {
  return (
    <label class="check">
      <input type="checkbox" name={name} value={value} checked={checked} />
      <span>{label}</span>
    </label>
  );
}

/** The button that sends a form, and what it does. */
export function Submit({ action, label, tone, confirm, skipChecks }: Button) {
  return (
    <button
      type="submit"
      name="do"
      value={action}
      class={tone}
      data-confirm={confirm}
      formnovalidate={skipChecks}
    >
      {label}
    </button>
  );
}

/** A form of one button: it does `action` to what `fields` name. `about` tells which, for those who can't see where it is. */
export function Act(
  { view, to, action, label, fields = {}, tone = "quiet", confirm, about }: {
    readonly view: View;
    /** Another page than this one, whose action it is. */
    readonly to?: string;
    readonly action: string;
    readonly label: string;
    readonly fields?: Readonly<Record<string, string>>;
    readonly tone?: "quiet" | "danger";
    readonly confirm?: string | undefined;
    readonly about?: string;
  },
) {
  return (
    <form method="post" action={to ?? here(view)} class="act">
      {Object.entries(fields).map(([name, value]) => <input type="hidden" name={name} value={value} />)}
      <button
        type="submit"
        name="do"
        value={action}
        class={tone}
        data-confirm={confirm}
        aria-label={about === undefined ? undefined : `${label}: ${about}`}
      >
        {label}
      </button>
    </form>
  );
}

/** This page, without the word that something was done. */
function here({ url }: View): string {
  const search = new URLSearchParams(url.search);
  search.delete("done");
  return search.size === 0 ? url.pathname : `${url.pathname}?${search}`;
}
