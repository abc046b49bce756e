/**
 * Installations in progress: begun by Install, watched by Install_query, ended by Install_cancel (reference §4).
 *
 * @module
 */
import { type Clock, type Log, messageOf } from "../../base/mod.ts";
import { type Install, PluginOs, PluginResult } from "../../protocol/smart_gateway/mod.ts";
import type { PluginManager } from "../../sandbox/mod.ts";
import { looksPacked, readPackage, type TrustStore } from "../../sandbox/package/mod.ts";
import type { Fetcher } from "../outbound.ts";
import { download, DownloadError } from "./download.ts";
import { pluginResultOf } from "./plugin_results.ts";

/** Bounds of installations. */
export interface InstallLimits {
  /** The largest package in bytes. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Installations at once. */
  readonly maxRunning: number;
}

/** 4 MiB in two minutes, two at once. */
export const DEFAULT_INSTALL_LIMITS: InstallLimits = { maxBytes: 4 << 20, timeoutMs: 120_000, maxRunning: 2 };

/** What installations are told of. */
export type OnInstall = (progress: {
  readonly plugin: string;
  readonly version: string;
  readonly by: "channel";
  readonly state: "downloading" | "loading" | "installed" | "failed" | "cancelled";
  /** 0 to 100. */
  readonly percent: number;
  readonly error?: string;
}) => void;

interface Job {
  readonly version: string;
  readonly cancel: AbortController;
  /** 0 to 100, or once it failed a negative result. */
  progress: number;
  done: boolean;
}

/** Outcomes remembered for Install_query. */
const MAX_REMEMBERED = 64;
/** The download's share of the progress; the rest is loading. */
const DOWNLOADED = 90;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;

/** Runs installations in the background. */
export class Installs implements AsyncDisposable {
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Set<Promise<void>>();

  constructor(
    private readonly deps: { clock: Clock; log: Log; onInstall?: OnInstall; fetcher?: Fetcher },
    private readonly plugins: Pick<PluginManager, "install" | "get">,
    private readonly trust: Pick<TrustStore, "admit">,
    private readonly limits: InstallLimits = DEFAULT_INSTALL_LIMITS,
  ) {}

  /** Begins one; the result of the Install itself. */
  begin(request: Install): number {
    const { pluginName, version, os, pluginSize } = request;
    if (os !== PluginOs.SCRIPT) return PluginResult.TYPE;
    if (!NAME.test(pluginName)) return PluginResult.NAME;
    if (pluginSize > this.limits.maxBytes) return PluginResult.STORAGE_FULL;
    const known = this.#jobs.get(pluginName);
    if (known && !known.done) {
      // An Install that is sent again, because its answer was lost, is the same one.
      return known.version === version ? PluginResult.OK : PluginResult.BUSY;
    }
    if (this.#running.size >= this.limits.maxRunning) return PluginResult.BUSY;
    const job: Job = { version, cancel: new AbortController(), progress: 0, done: false };
    this.#jobs.delete(pluginName);
    this.#jobs.set(pluginName, job);
    this.#forgetOld();
    const running = this.#run(request, job).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return PluginResult.OK;
  }

  /** Percent, or the result that it failed with; what runs already without a job is at 100. */
  query(pluginName: string, version: string): number {
    const job = this.#jobs.get(pluginName);
    if (job && (version === "" || job.version === version)) return job.progress;
    const status = this.plugins.get(pluginName);
    return status && (version === "" || status.version === version) ? 100 : PluginResult.ABSENT;
  }

  cancel(pluginName: string, version: string): number {
    const job = this.#jobs.get(pluginName);
    if (!job || job.done || (version !== "" && job.version !== version)) return PluginResult.ABSENT;
    job.cancel.abort();
    return PluginResult.OK;
  }

  /** Forgets how an installation ended: the plug-in was removed meanwhile. */
  forget(pluginName: string): void {
    if (this.#jobs.get(pluginName)?.done) this.#jobs.delete(pluginName);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const job of this.#jobs.values()) job.cancel.abort();
    await Promise.all(this.#running);
  }

  async #run(request: Install, job: Job): Promise<void> {
    const { pluginName: plugin, version, downloadUrl, pluginSize, digest } = request;
    const { clock, log } = this.deps, at = { plugin, version, by: "channel" } as const;
    const tell = this.deps.onInstall ?? (() => {});
    tell({ ...at, state: "downloading", percent: 0 });
    try {
      const bytes = await download(clock, {
        url: downloadUrl,
        size: pluginSize,
        digest,
        maxBytes: this.limits.maxBytes,
        timeoutMs: this.limits.timeoutMs,
        signal: job.cancel.signal,
        fetcher: this.deps.fetcher,
        onProgress: (bytes, expected) => {
          if (expected === undefined || expected === 0) return;
          const percent = Math.min(DOWNLOADED, Math.floor(DOWNLOADED * bytes / expected));
          if (percent === job.progress) return;
          job.progress = percent;
          tell({ ...at, state: "downloading", percent });
        },
      });
      job.progress = DOWNLOADED;
      tell({ ...at, state: "loading", percent: DOWNLOADED });
      if (digest === undefined) log.warn("the platform announced no digest for a package", { plugin });
      const content = looksPacked(bytes) ? bytes : sourceOf(bytes);
      await this.#vouchedFor(plugin, content);
      await this.plugins.install(plugin, content, version === "" ? {} : { version });
      job.progress = 100;
      tell({ ...at, state: "installed", percent: 100 });
      log.info("plug-in installed", { plugin, version, bytes: bytes.length });
    } catch (error) {
      const cancelled = job.cancel.signal.aborted, percent = Math.max(0, job.progress);
      job.progress = cancelled ? PluginResult.GENERAL : resultOf(error);
      tell({ ...at, state: cancelled ? "cancelled" : "failed", percent, error: messageOf(error) });
      log.warn("plug-in not installed", { plugin, version, reason: messageOf(error) });
    }
    job.done = true;
  }

  /** What the carrier sends may need more trust than what lies here already. */
  async #vouchedFor(plugin: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const entry = `${plugin}.js`;
    const program = typeof content === "string"
      ? { entry, modules: { [entry]: content } }
      : (await readPackage(content)).program;
    await this.trust.admit(program, "carrier");
  }

  #forgetOld(): void {
    for (const [name, job] of this.#jobs) {
      if (this.#jobs.size <= MAX_REMEMBERED) return;
      if (job.done) this.#jobs.delete(name);
    }
  }
}

/** What is no package is one module's source. */
function sourceOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DownloadError("wrong_digest", "it is neither a package nor UTF-8 text", { cause });
  }
}

function resultOf(error: unknown): number {
  if (!(error instanceof DownloadError)) return pluginResultOf(error, PluginResult.INSTALL_FAILED);
  return error.code === "too_large" ? PluginResult.STORAGE_FULL : PluginResult.INSTALL_FAILED;
}
