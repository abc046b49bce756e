/**
 * Host functions that guests call: within their rights, their rates and their time.
 *
 * @module
 */
import { type Clock, messageOf } from "../base/mod.ts";
import { OPEN_HOST_CALLS } from "./guest.ts";
import type { Guest } from "./instance.ts";
import { faultOf, type Json } from "./json.ts";
import type { Manifest } from "./manifest.ts";
import type { Capabilities, HostFunction } from "./types.ts";

/** The answer to a host call: a JSON value, or where not `ok` a JSON string with the message. */
export interface HostAnswer {
  readonly ok: boolean;
  readonly text: string;
}

/** Runs host functions for guests. */
export class HostCalls {
  /** `mostMs`: how long a function may take that does not say so itself. */
  constructor(
    private readonly clock: Clock,
    private readonly capabilities: Capabilities,
    private readonly mostMs: number,
  ) {}

  /** What a manifest gives the right to, by name, as it was at the date that it names. */
  functionsOf(manifest: Manifest): Map<string, HostFunction> {
    const functions = new Map<string, HostFunction>();
    for (const capability of manifest.capabilities) {
      for (const [name, run] of Object.entries(this.capabilities[capability] ?? {})) {
        const served = asOf(run, manifest.apiVersion);
        if (served) functions.set(name, served);
      }
    }
    return functions;
  }

  /** Runs one. The guest's process is not trusted: its rights are looked up here. Never rejects. */
  async run(guest: Guest, name: string, args: string): Promise<HostAnswer> {
    let ok = false, value: Json | undefined;
    try {
      const run = guest.functions.get(name);
      if (!run) throw new Error(`no host function "${name}" among the capabilities of this plug-in`);
      if (guest.hostCalls >= OPEN_HOST_CALLS) {
        throw new Error(`${name}: too many calls to the host at one time`);
      }
      if (run.message && !guest.messages.take()) {
        throw new Error(`${name}: more than ${guest.manifest.limits.messagesPerMinute} messages a minute`);
      }
      const list: unknown = JSON.parse(args);
      if (!Array.isArray(list)) throw new Error(`${name}: the arguments are no list`);
      guest.hostCalls++;
      try {
        value = await this.#bounded(guest, run, name, list as Json[]);
        ok = true;
      } finally {
        guest.hostCalls--;
      }
    } catch (error) {
      value = messageOf(error).slice(0, 1000);
    }
    const text = JSON.stringify(value ?? null) ?? "null", fault = faultOf(text, `the answer of ${name}`);
    return fault ? { ok: false, text: JSON.stringify(fault) } : { ok, text };
  }

  /** Runs a host function within its time, and not longer than the guest lives. */
  #bounded(guest: Guest, run: HostFunction, name: string, args: Json[]): Promise<Json | undefined> {
    const mostMs = run.maxMs ?? this.mostMs, late = new AbortController(), { signal: ended } = guest.ended;
    return new Promise<Json | undefined>((resolve, reject) => {
      const giveUp = (message: string) => {
        settled();
        late.abort();
        reject(new Error(message));
      };
      const timer = this.clock.setTimer(() => giveUp(`${name}: no answer within ${mostMs} ms`), mostMs);
      const onEnded = () => giveUp("the plug-in ended");
      const settled = () => {
        timer.cancel();
        ended.removeEventListener("abort", onEnded);
      };
      ended.addEventListener("abort", onEnded, { once: true });
      const { id, manifest, caller } = guest, { name: plugin, version } = manifest;
      const call = { plugin, version, manifest, guest: id, caller, signal: late.signal };
      new Promise<Json | undefined>((done) => done(run(args, call)))
        .finally(settled).then(resolve, reject);
    });
  }
}

/** A function as it was at a date of the host API. Dates in this form sort by time. */
function asOf(run: HostFunction, date: string): HostFunction | undefined {
  let served: HostFunction | undefined = run;
  while (served?.since !== undefined && served.since > date) served = served.before;
  return served;
}
