/**
 * The console: pages made by the server for people with a browser. It is a client of the API and no more.
 *
 * @module
 */
import { Hono } from "hono";
import { parseBody } from "hono/utils/body";
import { HonoRequest } from "hono/request";
import type { Child } from "hono/jsx";
import type { Clock, Log, Random } from "../../base/mod.ts";
import { type Api, type ClientInfo, ProblemError } from "../../control/mod.ts";
import type { People } from "../people/mod.ts";
import { asset } from "./assets.ts";
import { ApiClient, ApiProblem } from "./client.ts";
import { cookie, getCookies } from "./cookies.ts";
import { document, isOpen, Shell } from "./layout.tsx";
import { problemText } from "./parts/mod.ts";
import { MENU, PAGES, SignInPage } from "./pages/mod.ts";
import { isOwnForm, SESSION_COOKIE, TokenSessions } from "./sessions.ts";
import { type Language, languageOf, TEXTS } from "./texts/mod.ts";
import type { Me, Page, PageResult, Theme, View } from "./view.ts";

/** What the console leans on. */
export interface ConsoleDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly api: Pick<Api, "fetch">;
  readonly people: Pick<People, "signIn" | "sessions">;
  /** The services that this platform runs: what they serve has no pages elsewhere. */
  readonly services: readonly string[];
}

const LANGUAGE_COOKIE = "gatehouse_language", THEME_COOKIE = "gatehouse_theme";
const YEAR_SECONDS = 31_536_000;
/** Largest form: plug-in packages are uploaded with one. */
const MAX_FORM = 16 * 1024 * 1024;

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Who came, before it is known whether they may. */
interface Visit {
  readonly request: Request;
  readonly info: ClientInfo;
  readonly url: URL;
  readonly language: Language;
  readonly theme: Theme;
}

type Env = { Bindings: { visit: Visit } };

/** The console. Hand it every request that is not the API's. */
export class Console {
  readonly #deps: ConsoleDeps;
  readonly #tokens: TokenSessions;
  readonly #router: Hono<Env>;

  constructor(deps: ConsoleDeps) {
    this.#deps = deps;
    this.#tokens = new TokenSessions(deps);
    this.#router = this.#build();
  }

  /** Answers a request. Never throws. */
  async fetch(request: Request, info: ClientInfo): Promise<Response> {
    const url = new URL(request.url), cookies = getCookies(request);
    const theme = cookies[THEME_COOKIE];
    const visit: Visit = {
      request,
      info,
      url,
      language: languageOf(cookies[LANGUAGE_COOKIE], request.headers.get("accept-language")),
      theme: theme === "light" || theme === "dark" ? theme : "system",
    };
    try {
      if (request.method === "POST" && !isOwnForm(request)) {
        return this.#problem(visit, 403, "the form did not come from this console", "");
      }
      return await this.#router.fetch(request, { visit });
    } catch (error) {
      return this.#failed(visit, error);
    }
  }

  #build(): Hono<Env> {
    const router = new Hono<Env>();
    router.get("/assets/*", (c) => asset(c.env.visit.url.pathname) ?? this.#notFound(c.env.visit));
    router.get("/sign-in", (c) => this.#signInPage(c.env.visit, undefined, 200));
    router.post("/sign-in", (c) => this.#signIn(c.env.visit));
    router.post("/sign-out", (c) => this.#signOut(c.env.visit));
    router.post("/preferences", (c) => this.#preferences(c.env.visit));
    for (const { method, path, page } of PAGES) {
      router.on(method, path, (c) => this.#show(c.env.visit, page, c.req.param()));
    }
    router.notFound((c) => this.#notFound(c.env.visit));
    router.onError((error, c) => this.#failed(c.env.visit, error));
    return router;
  }

  async #show(visit: Visit, page: Page, params: Record<string, string>): Promise<Response> {
    const token = this.#tokens.tokenOf(visit.request);
    if (token === undefined) return this.#toSignIn(visit);
    const client = new ApiClient(this.#deps.api, token, visit.info.address);
    let me: Me;
    try {
      me = await client.get<Me>("/api/v1/me");
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return this.#toSignIn(visit);
      throw error;
    }
    const view: View = {
      language: visit.language,
      texts: TEXTS[visit.language],
      theme: visit.theme,
      now: this.#deps.clock.now(),
      me,
      client,
      url: visit.url,
      params,
      form: visit.request.method === "POST" ? await this.#form(visit.request) : {},
      may: (permission) => me.permissions.includes(permission),
      runs: (service) => this.#deps.services.includes(service),
    };
    if (visit.url.pathname === "/" && !view.may("gateways:read")) {
      const first = MENU.find((entry) => isOpen(entry, view));
      if (first) return redirect(first.path);
    }
    let result: PageResult;
    try {
      result = await page(view);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.status === 401) return this.#toSignIn(visit);
      return this.#render(visit, view, problemPage(view, error));
    }
    return this.#render(visit, view, result);
  }

  async #render(visit: Visit, view: View, result: PageResult): Promise<Response> {
    if ("response" in result) return result.response;
    if ("redirect" in result) {
      const { redirect: to, session } = result;
      return redirect(to, session ? [this.#sessionCookie(visit, session.token, session.seconds)] : []);
    }
    return await this.#html(
      visit,
      result.title,
      result.status ?? 200,
      result.refreshSeconds,
      (
        <Shell
          view={view}
          menu={MENU.filter((entry) => isOpen(entry, view))}
          title={result.title}
          fault={result.fault}
        >
          {result.content}
        </Shell>
      ),
    );
  }

  async #html(
    { language, theme }: Visit,
    title: string,
    status: number,
    refreshSeconds: number | undefined,
    children: Child,
  ): Promise<Response> {
    const text = await document({ title, language, theme, refreshSeconds, children });
    return new Response(text.toString(), {
      status,
      headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" },
    });
  }

  async #form(request: Request): Promise<View["form"]> {
    const length = Number(request.headers.get("content-length") ?? NaN);
    // Without a length nothing bounds what is read.
    if (!(length <= MAX_FORM)) throw new ApiProblem(413, "form_too_large", "the form is too large", "");
    return await parseBody(new HonoRequest(request), { all: true }) as View["form"];
  }

  async #signInPage(visit: Visit, fault: string | undefined, status: number): Promise<Response> {
    const texts = TEXTS[visit.language];
    return await this.#html(
      visit,
      texts.account.signIn,
      status,
      undefined,
      (
        <SignInPage
          texts={texts}
          fault={fault}
          to={ownPath(visit.url.searchParams.get("to"))}
          other={visit.language === "zh" ? "en" : "zh"}
        />
      ),
    );
  }

  async #signIn(visit: Visit): Promise<Response> {
    const form = await this.#form(visit.request), texts = TEXTS[visit.language].account;
    const text = (name: string) => typeof form[name] === "string" ? form[name] : "";
    const to = ownPath(text("to"));
    visit.url.searchParams.set("to", to);
    const { address } = visit.info;
    if (text("token") !== "") {
      const client = new ApiClient(this.#deps.api, text("token").trim().slice(0, 1024), address);
      try {
        await client.get("/api/v1/me");
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        const message = error.status === 429 ? problemText(error, visit.language) : texts.wrongToken;
        return await this.#signInPage(visit, message, error.status === 429 ? 429 : 401);
      }
      const { value, seconds } = this.#tokens.open(text("token").trim());
      return redirect(to, [this.#sessionCookie(visit, value, seconds)]);
    }
    try {
      const { token, expiresAt } = await this.#deps.people.signIn.enter(
        { name: text("name").slice(0, 64), password: text("password").slice(0, 512) },
        { address, requestId: "" },
      );
      const seconds = Math.floor((expiresAt - this.#deps.clock.now()) / 1000);
      return redirect(to, [this.#sessionCookie(visit, token, seconds)]);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const message = error.status === 401 ? texts.wrong : problemText(error, visit.language);
      return await this.#signInPage(visit, message, error.status);
    }
  }

  async #signOut(visit: Visit): Promise<Response> {
    const value = getCookies(visit.request)[SESSION_COOKIE];
    if (value !== undefined) {
      this.#tokens.close(value);
      await this.#deps.people.sessions.revoke(value);
    }
    return redirect("/sign-in", [this.#sessionCookie(visit, "", 0)]);
  }

  async #preferences(visit: Visit): Promise<Response> {
    const form = await this.#form(visit.request);
    const { language, theme, back } = form;
    const secure = visit.info.secure === true;
    const cookies = [
      ...(language === "en" || language === "zh"
        ? [cookie(LANGUAGE_COOKIE, language, { seconds: YEAR_SECONDS, secure })]
        : []),
      ...(theme === "light" || theme === "dark"
        ? [cookie(THEME_COOKIE, theme, { seconds: YEAR_SECONDS, secure })]
        : []),
    ];
    return redirect(ownPath(typeof back === "string" ? back : null), cookies);
  }

  #sessionCookie(visit: Visit, value: string, seconds: number): string {
    return cookie(SESSION_COOKIE, value, { seconds, secure: visit.info.secure === true });
  }

  #toSignIn({ request, url }: Visit): Response {
    const to = request.method === "GET" ? url.pathname + url.search : "/";
    return redirect(to === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(to)}`);
  }

  #notFound(visit: Visit): Promise<Response> {
    return this.#problem(visit, 404, TEXTS[visit.language].problem.notFound, "");
  }

  #failed(visit: Visit, error: unknown): Promise<Response> {
    if (error instanceof ApiProblem) {
      return this.#problem(visit, error.status, problemText(error, visit.language), error.requestId);
    }
    if (error instanceof ProblemError) {
      return this.#problem(visit, error.status, problemText(error, visit.language), "");
    }
    this.#deps.log.error("a page could not be made", {
      path: visit.url.pathname,
      error: error instanceof Error ? error.stack ?? error.message : String(error),
    });
    return this.#problem(visit, 500, "500", "");
  }

  #problem(visit: Visit, status: number, detail: string, requestId: string): Promise<Response> {
    const texts = TEXTS[visit.language].problem;
    return this.#html(
      visit,
      texts.title,
      status,
      undefined,
      (
        <main class="sign-in" id="content">
          <div class="panel">
            <h1>{texts.title}</h1>
            <p>{detail}</p>
            {requestId !== "" && <p class="soft">{`${texts.requestId}: ${requestId}`}</p>}
            <p>
              <a href="/">{texts.goHome}</a>
            </p>
          </div>
        </main>
      ),
    );
  }
}

/** What the API refused, inside the frame, so that one can go on. */
function problemPage({ texts, language }: View, problem: ApiProblem): PageResult {
  const { status, requestId } = problem;
  return {
    title: texts.problem.title,
    status,
    content: (
      <div class="notice bad" role="alert">
        <p>{status === 403 ? texts.problem.forbidden : problemText(problem, language)}</p>
        {requestId !== "" && <p class="soft">{`${texts.problem.requestId}: ${requestId}`}</p>}
      </div>
    ),
  };
}

/** A path of this console; "/" for anything that leads elsewhere. */
function ownPath(given: string | null): string {
  if (given === null || given.length > 1000 || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(given)) return "/";
  return given;
}

function redirect(to: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ ...HEADERS, location: to });
  for (const value of cookies) headers.append("set-cookie", value);
  return new Response(null, { status: 303, headers });
}
