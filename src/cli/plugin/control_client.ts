/**
 * A control API as the author's commands speak with it: a gateway's or a platform's.
 *
 * @module
 */
import { messageOf } from "../../base/mod.ts";
import { StartError, UsageError, whyNot } from "../errors.ts";
import { type Kind, path } from "../parsers.ts";
import type { Input, Option } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** Where a gateway's control API listens if nobody says otherwise. */
const DEFAULT_URL = "http://127.0.0.1:8081";
const TIMEOUT_MS = 60_000;
const MOST_BYTES = 32 << 20;

/** The address of a control API. */
export const controlUrl: Kind<URL> = {
  label: "URL",
  allowed: "the address of a control API, such as http://192.168.1.1:8081",
  parse(text) {
    const url = URL.parse(text);
    const fine = url && /^https?:$/.test(url.protocol) && url.username === "" && url.pathname === "/" &&
      url.search === "" && url.hash === "";
    return fine ? url : undefined;
  },
};

/** The flags of every command that speaks with a control API. */
export const CONTROL_OPTIONS: Readonly<Record<string, Option>> = {
  to: {
    kind: controlUrl,
    help: `the gateway or platform; default: ${DEFAULT_URL}, the gateway on this machine`,
  },
  "token-file": {
    kind: path("FILE"),
    help:
      "the file that holds the administrator's token (<data>/admin.token); default: GATEHOUSE_ADMIN_TOKEN",
  },
};

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A control API. */
export class ControlClient {
  #role: Promise<"gateway" | "platform"> | undefined;

  constructor(readonly url: URL, private readonly token: string, private readonly fetchOf = fetch) {}

  /** The one that the command line names. @throws {UsageError} */
  static async open(input: Input, terminal: Terminal): Promise<ControlClient> {
    const url = input.value<URL>("to") ?? new URL(DEFAULT_URL), file = input.value<string>("token-file");
    const token = file === undefined ? terminal.readVariable("GATEHOUSE_ADMIN_TOKEN") : await tokenIn(file);
    if (!token) {
      throw new UsageError(
        "a token is needed: set GATEHOUSE_ADMIN_TOKEN, or name a file with --token-file (<data>/admin.token)",
      );
    }
    if (url.protocol === "http:" && !/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname)) {
      terminal.complain(
        `gatehouse: the token goes to ${url.host} unencrypted: use this on a network you trust`,
      );
    }
    return new ControlClient(url, token);
  }

  /** Which of the two it is, as its own description says. */
  role(): Promise<"gateway" | "platform"> {
    return this.#role ??= this.get("/openapi.json").then(({ body }) => {
      const { title } = (body.info ?? {}) as { title?: unknown };
      if (/gateway$/i.test(String(title))) return "gateway";
      if (/platform$/i.test(String(title))) return "platform";
      throw new StartError(`${this.url.origin} is neither a gateway's control API nor a platform's`);
    });
  }

  get(path: string): Promise<Answer> {
    return this.#ask("GET", path);
  }

  /** Posts JSON, or bytes of a media type. */
  post(path: string, body?: unknown, mediaType = "application/json"): Promise<Answer> {
    const bytes = body instanceof Uint8Array ? body as Uint8Array<ArrayBuffer> : JSON.stringify(body);
    return this.#ask(
      "POST",
      path,
      body === undefined ? {} : {
        body: bytes,
        headers: { "content-type": mediaType },
      },
    );
  }

  delete(path: string): Promise<Answer> {
    return this.#ask("DELETE", path);
  }

  /** @throws {StartError} where nobody answers, or with a problem */
  async #ask(method: string, path: string, init: { body?: BodyInit; headers?: Record<string, string> } = {}) {
    let status: number, text: string;
    try {
      const response = await this.fetchOf(new URL(path, this.url), {
        ...init,
        method,
        redirect: "error", // the token is for this server alone
        headers: { ...init.headers, authorization: `Bearer ${this.token}` },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = response.status;
      text = await bounded(response);
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw new StartError(`${this.url.origin} does not answer: ${messageOf(error)}`, { cause: error });
    }
    let body: Record<string, unknown>;
    try {
      body = text === "" ? {} : JSON.parse(text);
    } catch (error) {
      throw new StartError(`${this.url.origin} answers ${status}, and not in JSON`, { cause: error });
    }
    if (status >= 400) throw refused(this.url, status, body);
    return { status, body };
  }
}

/** The sentence about a problem (RFC 9457), its faults on lines of their own. */
function refused(url: URL, status: number, body: Record<string, unknown>): StartError {
  if (status === 401) {
    return new StartError(`${url.origin} does not take the token: it is not its administrator's`);
  }
  const what = typeof body.detail === "string" ? body.detail : String(body.title ?? "no reason given");
  const faults = Array.isArray(body.faults)
    ? body.faults.map((fault) => `\n  ${String(fault)}`).join("")
    : "";
  return new StartError(
    `${url.origin} refuses (${status}): ${what}${what.includes(faults.trim()) ? "" : faults}`,
  );
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > MOST_BYTES) throw new StartError(`the answer has more than ${MOST_BYTES} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

async function tokenIn(file: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new UsageError(`--token-file "${file}" can't be read: ${whyNot(error)}`);
  }
  const token = text.trim();
  if (!/^[\x21-\x7e]{8,512}$/.test(token)) throw new UsageError(`--token-file "${file}" holds no token`);
  return token;
}
