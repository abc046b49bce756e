/**
 * A phone app's user: signed up and in, with gateways that are bound, who asks them something.
 *
 * @module
 */
import { h, type Identity } from "./scripted_gateway.ts";

type Json = Record<string, unknown>;

/** Asks the platform, over whichever node. */
export type Ask = (
  method: string,
  path: string,
  body: unknown,
  token?: string,
) => Promise<{ readonly status: number; readonly body: Json }>;

/** One user. */
export class AppUser {
  #token = "";

  private constructor(private readonly ask: Ask, private readonly who: { name: string; password: string }) {}

  /** Signs up and in, and binds `gateways`, whose DevRND is `devRnd`. */
  static async begin(
    ask: Ask,
    name: string,
    gateways: readonly Identity[],
    devRnd = "A".repeat(32),
  ): Promise<AppUser> {
    const user = new AppUser(ask, { name, password: "correct horse battery" });
    await user.#need(201, "POST", "/users", user.who);
    await user.#signIn();
    for (const { sn, loid } of gateways) {
      await user.#need(201, "POST", "/bindings", { sn: h(devRnd, sn), loid });
    }
    return user;
  }

  /** Posts to a gateway and waits for its answer. */
  async post(mac: string, parameter: Json, timeoutMs: number): Promise<{ status: number; body: Json }> {
    for (let again = false;; again = true) {
      const path = `/app/v1/gateways/${mac}/post`;
      const answer = await this.ask("POST", path, { parameter, timeoutMs }, this.#token);
      if (answer.status !== 401 || again) return answer;
      await this.#signIn(); // an access token is good for a quarter of an hour
    }
  }

  /** Posts, and looks again where it had not ended when it was answered. */
  async postToItsEnd(
    mac: string,
    parameter: Json,
    timeoutMs: number,
  ): Promise<{ status: number; body: Json }> {
    let answer = await this.post(mac, parameter, timeoutMs);
    for (let looks = 0; answer.status === 202 && looks < 10; looks++) {
      const path = `/app/v1/gateways/${mac}/posts/${answer.body.id}?wait=10`;
      answer = await this.ask("GET", path, undefined, this.#token);
    }
    return answer;
  }

  async #signIn(): Promise<void> {
    this.#token = String((await this.#need(201, "POST", "/sessions", this.who)).token);
  }

  async #need(status: number, method: string, path: string, body: unknown): Promise<Json> {
    const answer = await this.ask(method, `/app/v1${path}`, body, this.#token || undefined);
    if (answer.status === status) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}
