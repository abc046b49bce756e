/**
 * The page before all others.
 *
 * @module
 */
import type { Texts } from "../texts/mod.ts";
import { assetPath } from "../assets.ts";

/** The forms: name and password, or a token. */
export function SignInPage(
  { texts, fault, to, other }: {
    readonly texts: Texts;
    readonly fault: string | undefined;
    /** Where to go on. */
    readonly to: string;
    readonly other: "en" | "zh";
  },
) {
  const t = texts.account;
  return (
    <main class="sign-in" id="content">
      <div class="panel">
        <p class="brand">
          <img src={assetPath("gatehouse.svg")} alt="" width="36" height="36" />
          <span>{texts.product}</span>
        </p>
        <h1>{t.signIn}</h1>
        {fault !== undefined && <p class="notice bad" role="alert">{fault}</p>}
        <form class="stack" method="post" action="/sign-in">
          <input type="hidden" name="to" value={to} />
          <label>
            {t.name}
            <input name="name" autocomplete="username" required maxlength={64} />
          </label>
          <label>
            {t.password}
            <input name="password" type="password" autocomplete="current-password" required maxlength={512} />
          </label>
          <button type="submit">{t.signIn}</button>
        </form>
        <details>
          <summary>{t.withToken}</summary>
          <form class="stack" method="post" action="/sign-in">
            <input type="hidden" name="to" value={to} />
            <label>
              {t.token}
              <input name="token" type="password" autocomplete="off" required maxlength={1024} />
            </label>
            <p class="soft">{t.tokenHint}</p>
            <button type="submit">{t.signIn}</button>
          </form>
        </details>
        <form method="post" action="/preferences">
          <input type="hidden" name="back" value={`/sign-in?to=${encodeURIComponent(to)}`} />
          <button class="quiet" name="language" value={other} type="submit">{t.otherLanguage}</button>
        </form>
      </div>
    </main>
  );
}
