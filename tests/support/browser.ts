/**
 * A real Chromium, as operators use it; and axe, which tells what people with other senses would trip over.
 *
 * @module
 */
import axe, { type AxeResults } from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is; undefined where there is none. */
export const CHROMIUM: string | undefined = PLACES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** For the names of tests that are ignored. */
export const WITHOUT_CHROMIUM = CHROMIUM === undefined
  ? " (ignored: no Chromium: apt-get install chromium)"
  : "";

/** Nothing of its own accord, and nothing kept: each start has a profile of its own. */
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A busy machine may take its time; what is wrong fails all the same. */
const PATIENCE_MS = 60_000;

/**
 * Loaded when a browser is wanted: while it is, a part of the library looks into /proc for Windows' subsystem for
 * Linux, which Deno opens to nobody without all permissions. Its own tests' switch tells it not to.
 */
async function playwright(): Promise<typeof import("playwright-core")> {
  Deno.env.set("__IS_WSL_TEST__", "1");
  return await import("playwright-core");
}

/** What axe found. */
export interface Finding {
  readonly id: string;
  readonly impact: string | null | undefined;
  /** The elements that it is about. */
  readonly targets: readonly string[];
}

/** A tab, and what its pages complained of. */
export interface Tab extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts, and what the content security policy kept from running. */
  readonly complaints: readonly string[];
}

/** A browser. Dispose of it to end its processes. */
export class TestBrowser implements AsyncDisposable {
  private constructor(private readonly browser: Browser) {}

  static async start(): Promise<TestBrowser> {
    return new TestBrowser(
      await (await playwright()).chromium.launch({
        executablePath: CHROMIUM!,
        args: ARGS,
        timeout: PATIENCE_MS,
      }),
    );
  }

  /** A tab with cookies of its own. Questions are answered with yes. */
  async open(
    baseURL: string,
    options: { readonly width?: number; readonly locale?: string; readonly javaScriptEnabled?: boolean } = {},
  ): Promise<Tab> {
    const { width = 1280, locale = "en-GB", javaScriptEnabled = true } = options;
    const context = await this.browser.newContext({
      baseURL,
      locale,
      javaScriptEnabled,
      viewport: { width, height: 800 },
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage(), complaints: string[] = [];
    page.on("dialog", (dialog) => void dialog.accept());
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      // A page that answers 4xx is what some tests ask for.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        complaints.push(message.text());
      }
    });
    return { page, context, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
  }
}

/** What axe finds on the page that is serious or critical. */
export async function seriousFindings(page: Page): Promise<Finding[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run(document, { resultTypes: ["violations"] })`,
  );
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, impact, nodes }) => ({ id, impact, targets: nodes.slice(0, 5).map(({ html }) => html) }));
}
