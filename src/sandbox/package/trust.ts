/**
 * Whom a gateway trusts: public keys with their tiers, what each tier may ask for, and what that means for a program.
 *
 * @module
 */
import { type Clock, GatehouseError, type Log, type Timer } from "../../base/mod.ts";
import type { Program } from "../engine.ts";
import { PluginError } from "../errors.ts";
import { writeWhole } from "../store.ts";
import { type Origin, originOf } from "./package.ts";
import { keyIdOf, sha256Hex, verifyDigest } from "./signature.ts";
import {
  type Admission,
  admission,
  KEY_TIERS,
  type KeyTier,
  type RequireSigned,
  type Tier,
  type TierCaps,
} from "./tiers.ts";
import { type KeyRecord, MOST_KEYS, parseTrust, type TrustFile, trustText } from "./trust_file.ts";

/** - `unknown`: no such key · `exists`: that key is there · `revoked`: it was revoked, for good · `key`: no key · `limit` */
export type TrustErrorCode = "unknown" | "exists" | "revoked" | "key" | "limit";

/** Why the trusted keys were not changed. */
export class TrustError extends GatehouseError<TrustErrorCode> {
  override readonly name = "TrustError";
}

/** A key as it is shown. Times are milliseconds since 1970. */
export interface TrustedKey extends Omit<KeyRecord, "publicKey"> {
  /** Base64 of 32 bytes. */
  readonly publicKey: string;
  readonly state: "trusted" | "expired" | "revoked";
}

/** A key to trust. */
export interface NewKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly tier: KeyTier;
  readonly name?: string;
  /** Milliseconds since 1970 from which on it is not trusted any more. */
  readonly until?: number | undefined;
}

/** How a {@linkcode TrustStore} is made. */
export interface TrustOptions {
  /** Where it is kept: read now, written at each change. */
  readonly path: string;
  readonly requireSigned: RequireSigned;
  /** Sources that are part of this program: they need no signature, and have the tier `carrier`. */
  readonly builtIn?: Iterable<string>;
}

/** Where a program comes from: the plug-ins folder and the gateway's own interfaces, or the carrier from afar. */
export type Via = "local" | "carrier";

/** The trusted keys and the policy. */
export class TrustStore implements Disposable {
  readonly #keys = new Map<string, KeyRecord>();
  readonly #listeners = new Set<() => void>();
  #tiers: TrustFile["tiers"];
  #expiry: Timer | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly deps: { readonly clock: Clock; readonly log: Log },
    private readonly options: TrustOptions,
    file: TrustFile,
    private readonly builtIn: ReadonlySet<string>,
  ) {
    for (const key of file.keys) this.#keys.set(key.id, key);
    this.#tiers = file.tiers;
    this.#watchExpiry();
  }

  /**
   * Reads the trusted keys; where there is no file, nobody is trusted. Throws PackageError `signature` where the
   * file is not valid: to go on without it would be to forget what was revoked.
   */
  static async open(
    deps: { readonly clock: Clock; readonly log: Log },
    options: TrustOptions,
  ): Promise<TrustStore> {
    let file: TrustFile = { keys: [], tiers: {} };
    try {
      file = await parseTrust(await Deno.readTextFile(options.path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const builtIn = new Set<string>();
    for (const source of options.builtIn ?? []) {
      builtIn.add(await sha256Hex(new TextEncoder().encode(source)));
    }
    return new TrustStore(deps, options, file, builtIn);
  }

  /** The policy. */
  get requireSigned(): RequireSigned {
    return this.options.requireSigned;
  }

  /** Every key, revoked ones too, the oldest first. */
  keys(): TrustedKey[] {
    return [...this.#keys.values()].sort((a, b) => a.addedAt - b.addedAt || (a.id < b.id ? -1 : 1)).map((
      key,
    ) => ({
      ...key,
      publicKey: key.publicKey.toBase64(),
      state: key.revokedAt !== undefined ? "revoked" : this.#isCurrent(key) ? "trusted" : "expired",
    }));
  }

  /** What each tier may ask for, where it is capped. */
  tiers(): TrustFile["tiers"] {
    return this.#tiers;
  }

  /** Told after each change of what is trusted, also when a key's time is over. Gives the way to stop listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Trusts a key. Resolves with its id when the disk has it. @throws {TrustError} `exists`, `revoked`, `key`, `limit` */
  async add({ publicKey, tier, name = "", until }: NewKey): Promise<string> {
    if (publicKey.length !== 32) throw new TrustError("key", "a public key has 32 bytes");
    const id = await keyIdOf(publicKey);
    const known = this.#keys.get(id);
    if (known?.revokedAt !== undefined) throw new TrustError("revoked", `the key ${id} was revoked`);
    if (known) throw new TrustError("exists", `the key ${id} is trusted already`);
    if (this.#keys.size >= MOST_KEYS) throw new TrustError("limit", `there are ${MOST_KEYS} keys already`);
    const addedAt = this.deps.clock.now();
    this.#keys.set(id, {
      id,
      name,
      tier,
      publicKey,
      addedAt,
      until,
      revokedAt: undefined,
      reason: undefined,
    });
    this.deps.log.info("a key is trusted", { key: id, tier, keyName: name });
    await this.#changed();
    return id;
  }

  /**
   * Lets another key take the place of one, with its tier. The old one is trusted for `overlapMs` more, so that
   * what it signed can be signed anew. Resolves with the new key's id.
   * @throws {TrustError} as `add`, and `unknown`
   */
  async rotate(id: string, next: Omit<NewKey, "tier">, overlapMs: number): Promise<string> {
    const old = this.#known(id);
    if (old.revokedAt !== undefined) throw new TrustError("revoked", `the key ${id} was revoked`);
    const added = await this.add({ ...next, name: next.name ?? old.name, tier: old.tier });
    const until = Math.min(old.until ?? Infinity, this.deps.clock.now() + Math.max(0, overlapMs));
    // It may have been revoked in the meantime.
    this.#keys.set(id, { ...this.#known(id), until });
    await this.#changed();
    return added;
  }

  /** Revokes a key for good: what it signed must not run. Revoking twice changes nothing. @throws {TrustError} `unknown` */
  async revoke(id: string, reason = ""): Promise<void> {
    const key = this.#known(id);
    if (key.revokedAt !== undefined) return await this.#saving;
    this.#keys.set(id, { ...key, revokedAt: this.deps.clock.now(), reason });
    this.deps.log.warn("a key is revoked", { key: id, keyName: key.name, reason });
    await this.#changed();
  }

  /** Caps what a tier may ask for; undefined: no more. */
  async setCaps(tier: Tier, caps: TierCaps | undefined): Promise<void> {
    const { [tier]: _, ...others } = this.#tiers;
    this.#tiers = caps ? { ...others, [tier]: caps } : others;
    this.deps.log.info("what a tier of plug-ins may ask for was changed", { tier });
    await this.#changed();
  }

  /**
   * Whether a program may run, and how far it is trusted. Of several signatures by trusted keys the most trusted
   * counts. What a revoked key signed is refused unless another trusted key signed it as well. A key that nobody
   * knows says nothing.
   * @throws {PluginError} `untrusted`
   */
  async admit(program: Program, via: Via = "local"): Promise<Admission> {
    const origin = originOf(program);
    if (origin) {
      const best = await this.#bestKey(origin);
      if (best) return admission(best.tier, best.id, this.#tiers[best.tier] ?? {});
    } else if (await this.#isBuiltIn(program)) {
      return admission("carrier", undefined, this.#tiers.carrier ?? {});
    }
    const { requireSigned } = this.options;
    if (requireSigned === "all" || (requireSigned === "carrier" && via === "carrier")) {
      const why = !origin
        ? "it is no package"
        : origin.signatures.length === 0
        ? "it is not signed"
        : "no key that is trusted signed it";
      throw new PluginError(
        "untrusted",
        `${why}: --require-signed ${requireSigned} asks for a trusted signature`,
      );
    }
    return admission("unsigned", undefined, this.#tiers.unsigned ?? {});
  }

  [Symbol.dispose](): void {
    this.#expiry?.cancel();
    this.#listeners.clear();
  }

  /** The key that counts. Throws where a known key's signature is false, or only revoked or expired keys signed. */
  async #bestKey({ digest, signatures }: Origin): Promise<KeyRecord | undefined> {
    let best: KeyRecord | undefined, bad: string | undefined;
    for (const signature of signatures) {
      const key = this.#keys.get(signature.key);
      if (!key) continue;
      if (!await verifyDigest(digest, signature, key.publicKey)) {
        throw new PluginError(
          "untrusted",
          `the signature by key ${key.id} is false: the package was changed`,
        );
      }
      // Asked anew after the wait: it may be revoked by now.
      const now = this.#keys.get(key.id) ?? key;
      if (now.revokedAt !== undefined) bad ??= `the key ${key.id} that signed it was revoked`;
      else if (!this.#isCurrent(now)) continue;
      else if (!best || KEY_TIERS.indexOf(now.tier) < KEY_TIERS.indexOf(best.tier)) best = now;
    }
    if (!best && bad) throw new PluginError("untrusted", bad);
    return best;
  }

  async #isBuiltIn({ modules }: Program): Promise<boolean> {
    const sources = Object.values(modules);
    if (this.builtIn.size === 0 || sources.length !== 1) return false;
    return this.builtIn.has(await sha256Hex(new TextEncoder().encode(sources[0])));
  }

  #isCurrent({ until }: KeyRecord): boolean {
    return until === undefined || this.deps.clock.now() < until;
  }

  #known(id: string): KeyRecord {
    const key = this.#keys.get(id);
    if (!key) throw new TrustError("unknown", `no key ${id} is known`);
    return key;
  }

  async #changed(): Promise<void> {
    this.#watchExpiry();
    const text = trustText({ keys: [...this.#keys.values()], tiers: this.#tiers });
    this.#saving = this.#saving.catch(() => {}).then(() => writeWhole(this.options.path, text));
    this.#tell();
    await this.#saving;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Wakes when the next key's time is over. */
  #watchExpiry(): void {
    this.#expiry?.cancel();
    const now = this.deps.clock.now();
    const next = Math.min(
      ...[...this.#keys.values()].map(({ until }) => until ?? Infinity).filter((at) => at > now),
    );
    if (next === Infinity) return;
    this.#expiry = this.deps.clock.setTimer(() => {
      this.#watchExpiry(); // a clock that was set, or a delay too long for one timer: then it is not over yet
      this.#tell();
    }, next - now);
  }
}
