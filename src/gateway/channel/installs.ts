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
const DEFAULT_INSTALL_LIMITS: InstallLimits = { maxBytes: 4 << 20, timeoutMs: 120_000, maxRunning: 2 };

/** How far an installation is. */
export interface InstallProgress {
  readonly plugin: string;
  /** Empty where it was asked for without one. */
  readonly version: string;
  /** From whom: the platform, over the channel, or the control API. */
  readonly by: "channel" | "control";
  readonly state: "downloading" | "loading" | "installed" | "failed" | "cancelled";
  /** 0 to 100. */
  readonly percent: number;
  /** Why it failed. */
  readonly error?: string;
}

/** What is to be installed, and on whose word. */
export interface InstallOrder
  extends Pick<Install, "pluginName" | "version" | "downloadUrl" | "pluginSize" | "os"> {
  /** `sha256:<hex>` */
  readonly digest?: string | undefined;
  readonly by?: InstallProgress["by"];
}

interface Job {
  readonly cancel: AbortController;
  progress: InstallProgress;
  /** 0 to 100, or once it failed a negative result. */
  result: number;
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

  /** `fetcher`: for what the platform names; whoever may use the control API may name anything. */
  constructor(
    private readonly deps: {
      clock: Clock;
      log: Log;
      onInstall?: (progress: InstallProgress) => void;
      fetcher?: Fetcher;
    },
    private readonly plugins: Pick<PluginManager, "install" | "get">,
    private readonly trust: Pick<TrustStore, "admit">,
    private readonly limits: InstallLimits = DEFAULT_INSTALL_LIMITS,
  ) {}

  /** Begins one; the result of the Install itself. */
  begin(order: InstallOrder): number {
    const { pluginName, version, os, pluginSize, by = "channel" } = order;
    if (os !== PluginOs.SCRIPT) return PluginResult.TYPE;
    if (!NAME.test(pluginName)) return PluginResult.NAME;
    if (pluginSize > this.limits.maxBytes) return PluginResult.STORAGE_FULL;
    const known = this.#jobs.get(pluginName)?.progress;
    if (known && isUnderWay(known)) {
      // An Install that is sent again, because its answer was lost, is the same one.
      return known.version === version && known.by === by ? PluginResult.OK : PluginResult.BUSY;
    }
    if (this.#running.size >= this.limits.maxRunning) return PluginResult.BUSY;
    const progress: InstallProgress = { plugin: pluginName, version, by, state: "downloading", percent: 0 };
    const job: Job = { cancel: new AbortController(), progress, result: 0 };
    this.#jobs.delete(pluginName);
    this.#jobs.set(pluginName, job);
    this.#forgetOld();
    const running = this.#run(order, job).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return PluginResult.OK;
  }

  /** Percent, or the result that it failed with; what runs already without a job is at 100. */
  query(pluginName: string, version: string): number {
    const job = this.#jobs.get(pluginName);
    if (job && (version === "" || job.progress.version === version)) return job.result;
    const status = this.plugins.get(pluginName);
    return status && (version === "" || status.version === version) ? 100 : PluginResult.ABSENT;
  }

  /** How far the installation of this name is, or how the last one ended. */
  progress(pluginName: string): InstallProgress | undefined {
    return this.#jobs.get(pluginName)?.progress;
  }

  /** Those that are remembered, the oldest first. */
  list(): InstallProgress[] {
    return [...this.#jobs.values()].map(({ progress }) => progress);
  }

  /** Gives one up: only while it is being fetched. Once loading has begun it is too late, and it comes to its end. */
  cancel(pluginName: string, version: string): number {
    const job = this.#jobs.get(pluginName), progress = job?.progress;
    if (!progress || !isUnderWay(progress) || (version !== "" && progress.version !== version)) {
      return PluginResult.ABSENT;
    }
    if (progress.state === "loading") return PluginResult.BUSY;
    job!.cancel.abort();
    return PluginResult.OK;
  }

  /** Forgets how an installation ended: the plug-in was removed meanwhile. */
  forget(pluginName: string): void {
    const job = this.#jobs.get(pluginName);
    if (job && !isUnderWay(job.progress)) this.#jobs.delete(pluginName);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const job of this.#jobs.values()) job.cancel.abort();
    await Promise.all(this.#running);
  }

  async #run(order: InstallOrder, job: Job): Promise<void> {
    const { pluginName: plugin, version, by = "channel" } = order, { log } = this.deps;
    const tell = (change: Pick<InstallProgress, "state"> & Partial<InstallProgress>, result?: number) => {
      job.progress = { ...job.progress, ...change };
      job.result = result ?? job.progress.percent;
      this.deps.onInstall?.(job.progress);
    };
    tell({ state: "downloading" });
    try {
      const bytes = await this.#fetch(order, job.cancel.signal, (percent) => {
        if (percent !== job.progress.percent) tell({ state: "downloading", percent });
      });
      job.cancel.signal.throwIfAborted();
      tell({ state: "loading", percent: DOWNLOADED }); // from here on it can't be given up
      const content = looksPacked(bytes) ? bytes : sourceOf(bytes);
      if (by === "channel") await this.#vouchedFor(plugin, content);
      await this.plugins.install(plugin, content, version === "" ? {} : { version });
      tell({ state: "installed", percent: 100 });
      log.info("plug-in installed", { plugin, version, bytes: bytes.length });
    } catch (error) {
      const cancelled = job.cancel.signal.aborted && job.progress.state === "downloading";
      tell(
        { state: cancelled ? "cancelled" : "failed", error: messageOf(error) },
        cancelled ? PluginResult.GENERAL : resultOf(error),
      );
      log.warn("plug-in not installed", { plugin, version, reason: messageOf(error) });
    }
  }

  async #fetch(
    { pluginName: plugin, downloadUrl, pluginSize, digest, by }: InstallOrder,
    signal: AbortSignal,
    onPercent: (percent: number) => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { clock, log, fetcher } = this.deps;
    if (digest === undefined) log.warn("no digest was announced for a package", { plugin });
    return await download(clock, {
      url: downloadUrl,
      size: pluginSize,
      digest,
      maxBytes: this.limits.maxBytes,
      timeoutMs: this.limits.timeoutMs,
      signal,
      fetcher: by === "control" ? undefined : fetcher,
      onProgress: (bytes, expected) => {
        if (expected === undefined || expected === 0) return;
        onPercent(Math.min(DOWNLOADED, Math.floor(DOWNLOADED * bytes / expected)));
      },
    });
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
      if (!isUnderWay(job.progress)) this.#jobs.delete(name);
    }
  }
}

function isUnderWay({ state }: InstallProgress): boolean {
  return state === "downloading" || state === "loading";
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
