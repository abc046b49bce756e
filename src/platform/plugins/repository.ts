/**
 * The platform's plug-ins: files under their SHA-256, rows that say what they are, who vouches for them, and in which
 * channel they are offered.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Kysely } from "kysely";
import type { Deps } from "../../base/mod.ts";
import { compareVersions } from "../../protocol/smart_gateway/mod.ts";
import { StorageError } from "../../storage/mod.ts";
import type { TrustStore } from "../../sandbox/package/mod.ts";
import { stillIs } from "../../storage/mod.ts";
import type { Outbox } from "../outbox/mod.ts";
import type { PluginRow, RegistryTables } from "../registry/mod.ts";
import { RepositoryError } from "./errors.ts";
import { PluginFiles, type SharedFiles } from "./files.ts";
import { lookAt } from "./upload.ts";
import { gatewaysWith } from "./usage.ts";
import { type Vouched, vouchedFor } from "./vouch.ts";

/** The channels, from the widest to the narrowest: whoever takes `beta` also takes what is `stable`. */
export const CHANNELS = ["stable", "beta"] as const;
/** One of {@linkcode CHANNELS}. */
export type Channel = typeof CHANNELS[number];

/** How a plug-in is taken in. */
export interface NewPlugin {
  /** Who uploads it, as commands name people. */
  readonly by: string;
  /** What it is offered as; null: to whoever asks for this very version. Default `beta`. */
  readonly channel?: Channel | null | undefined;
  readonly notes?: string | undefined;
}

/** Which plug-ins are listed. */
export interface PluginFilter {
  readonly name?: string | undefined;
  readonly channel?: Channel | "none" | undefined;
  readonly uploadedBy?: string | undefined;
  /** Id of a key that signed it. */
  readonly signedBy?: string | undefined;
}

/** The sort key of a row in a list. */
export interface PluginKey {
  readonly name: string;
  readonly uploadedAt: number;
  readonly version: string;
}

/** Gateways that are named where a version is in use. */
const EXAMPLES = 10;

/** Plug-ins by name and version. */
export class PluginRepository {
  private constructor(
    private readonly clock: Deps["clock"],
    private readonly db: Kysely<RegistryTables>,
    private readonly trust: TrustStore,
    private readonly files: PluginFiles,
    private readonly outbox: Outbox | undefined,
  ) {}

  /**
   * `dir`: the folder of the files, made if missing; `shared`: where several nodes find each other's; `outbox`: where
   * it is written that a version was added, together with it.
   */
  static async open(
    deps: Pick<Deps, "clock" | "random">,
    db: Kysely<RegistryTables>,
    trust: TrustStore,
    dir: string,
    shared?: SharedFiles,
    outbox?: Outbox,
  ): Promise<PluginRepository> {
    const files = await PluginFiles.open(deps.random, dir, shared);
    return new PluginRepository(deps.clock, db, trust, files, outbox);
  }

  /** Whether only what a trusted key signed is handed out. */
  get mustBeSigned(): boolean {
    return this.trust.requireSigned !== "none";
  }

  /**
   * Takes in a plug-in: a package, or the source of a single module. The same bytes again change nothing.
   * @throws {RepositoryError} `invalid`, `untrusted`, `exists`
   */
  async add(
    bytes: Uint8Array<ArrayBuffer>,
    { by, channel = "beta", notes = "" }: NewPlugin,
  ): Promise<{ plugin: PluginRow; created: boolean }> {
    const { manifest, format, signed } = await lookAt(bytes), { name, version } = manifest;
    const sha256 = createHash("sha256").update(bytes).digest("hex"), now = this.clock.now();
    const plugin: PluginRow = {
      name,
      version,
      size: bytes.length,
      sha256,
      manifest: JSON.stringify(manifest),
      uploaded_at: now,
      uploaded_by: by,
      format,
      ...signed,
      channel,
      channel_at: now,
      channel_by: by,
      notes,
    };
    await this.#mustBeVouchedFor(plugin);
    const known = await this.find(name, version);
    if (known) return { plugin: sameContent(known, sha256), created: false };
    await this.files.write(sha256, bytes);
    const created = await this.db.transaction().execute(async (tx) => {
      const { numInsertedOrUpdatedRows: inserted } = await tx.insertInto("plugin").values(plugin)
        .onConflict((conflict) => conflict.columns(["name", "version"]).doNothing())
        .executeTakeFirstOrThrow();
      if (!inserted) return false;
      await this.outbox?.put(tx, "plugin.uploaded", { name, version, sha256, by });
      return true;
    });
    if (created) return { plugin, created };
    // Somebody else was faster.
    return { plugin: sameContent(await this.get(name, version), sha256), created: false };
  }

  /** A version. @throws {RepositoryError} `absent` */
  async get(name: string, version: string): Promise<PluginRow> {
    const row = await this.find(name, version);
    if (!row) throw new RepositoryError("absent", `the repository has no plug-in "${name}" ${version}`);
    return row;
  }

  find(name: string, version: string): Promise<PluginRow | undefined> {
    return this.db.selectFrom("plugin").selectAll().where("name", "=", name).where("version", "=", version)
      .executeTakeFirst();
  }

  /** The highest version in a channel, or in one that is wider. */
  async latest(name: string, channel: Channel): Promise<PluginRow | undefined> {
    const channels = CHANNELS.slice(0, CHANNELS.indexOf(channel) + 1);
    const rows = await this.db.selectFrom("plugin").selectAll().where("name", "=", name)
      .where("channel", "in", channels).execute();
    return rows.reduce<PluginRow | undefined>(
      (best, row) => best && compareVersions(best.version, row.version) >= 0 ? best : row,
      undefined,
    );
  }

  /** By name, then in the order of their uploads. `after`: the key of the last row of the page before. */
  list(filter: PluginFilter, limit: number, after?: PluginKey): Promise<PluginRow[]> {
    let select = this.db.selectFrom("plugin").selectAll().orderBy("name").orderBy("uploaded_at")
      .orderBy("version").limit(limit);
    const { name, channel, uploadedBy, signedBy } = filter;
    if (name !== undefined) select = select.where("name", "=", name);
    if (channel === "none") select = select.where("channel", "is", null);
    else if (channel !== undefined) select = select.where("channel", "=", channel);
    if (uploadedBy !== undefined) select = select.where("uploaded_by", "=", uploadedBy);
    // Ids are 64 hex digits, so one is never part of another.
    if (signedBy !== undefined) select = select.where("signed_by", "like", `%"${signedBy}"%`);
    if (after) {
      select = select.where((eb) =>
        eb.or([
          eb("name", ">", after.name),
          eb.and([eb("name", "=", after.name), eb("uploaded_at", ">", after.uploadedAt)]),
          eb.and([
            eb("name", "=", after.name),
            eb("uploaded_at", "=", after.uploadedAt),
            eb("version", ">", after.version),
          ]),
        ])
      );
    }
    return select.execute();
  }

  /** Puts a version into another channel. @throws {RepositoryError} `absent`, `untrusted` */
  async setChannel(name: string, version: string, channel: Channel | null, by: string): Promise<PluginRow> {
    return (await this.edit(name, version, { channel }, by))!;
  }

  /**
   * Changes a version's channel and notes; undefined where it is not as `was` says any more.
   * @throws {RepositoryError} `absent`, `untrusted`
   */
  async edit(
    name: string,
    version: string,
    { channel, notes }: {
      readonly channel?: Channel | null | undefined;
      readonly notes?: string | undefined;
    },
    by: string,
    was?: Partial<PluginRow>,
  ): Promise<PluginRow | undefined> {
    const row = await this.get(name, version);
    const moves = channel !== undefined && channel !== row.channel;
    if (moves && channel !== null) await this.#mustBeVouchedFor(row);
    const change = {
      ...(moves ? { channel, channel_at: this.clock.now(), channel_by: by } : {}),
      ...(notes === undefined ? {} : { notes }),
    };
    if (Object.keys(change).length === 0) return row;
    return await this.#change(row, change, was);
  }

  /**
   * Moves a version one channel on: into `beta`, from there to `stable`; or back again.
   * @throws {RepositoryError} `absent`, `channel`, `untrusted`
   */
  async move(name: string, version: string, way: "promote" | "demote", by: string): Promise<PluginRow> {
    const steps = [null, ...CHANNELS.toReversed()], { channel } = await this.get(name, version);
    const at = steps.indexOf(channel) + (way === "promote" ? 1 : -1), next = steps[at];
    if (next === undefined) {
      const where = channel === null ? "in no channel" : `"${channel}"`;
      throw new RepositoryError("channel", `plug-in "${name}" ${version} is ${where}: it can't go further`);
    }
    return await this.setChannel(name, version, next, by);
  }

  /** Who vouches for a version now. */
  async vouched(row: PluginRow): Promise<Vouched> {
    return await vouchedFor(this.trust, await this.#withSignatures(row));
  }

  /**
   * A version that a gateway is to have, if it may.
   * @throws {RepositoryError} `absent`, `untrusted`
   */
  async handOut(name: string, version: string): Promise<PluginRow> {
    const row = await this.get(name, version);
    await this.#mustBeVouchedFor(row);
    return row;
  }

  /**
   * Removes a version; false where it is not as `was` says any more. Its file goes when no version has that content
   * any more.
   * @throws {RepositoryError} `absent`; and `in_use` where gateways have it or are about to, unless `force`
   */
  async remove(name: string, version: string, force = false, was?: Partial<PluginRow>): Promise<boolean> {
    const { sha256 } = await this.get(name, version);
    const users = force ? [] : await gatewaysWith(this.db, name, version, EXAMPLES + 1);
    if (users.length > 0) {
      const count = users.length > EXAMPLES ? `more than ${EXAMPLES}` : String(users.length);
      throw new RepositoryError(
        "in_use",
        `plug-in "${name}" ${version} is on ${count} gateways or about to be: remove it there, or use force`,
        {},
        users.slice(0, EXAMPLES),
      );
    }
    const { numDeletedRows } = await this.db.deleteFrom("plugin").where("name", "=", name)
      .where("version", "=", version).where(stillIs(was)).executeTakeFirst();
    if (was && numDeletedRows === 0n) return false;
    const other = await this.db.selectFrom("plugin").select("name").where("sha256", "=", sha256)
      .executeTakeFirst();
    if (!other) await this.files.remove(sha256);
    return true;
  }

  /** The content with that hex SHA-256, from the byte `from` on; undefined where there is none. */
  async content(
    sha256: string,
    from = 0,
  ): Promise<{ stream: ReadableStream<Uint8Array>; size: number } | undefined> {
    if (this.files.isShared && !await this.#names(sha256)) {
      await this.files.forget(sha256);
      return undefined;
    }
    return await this.files.open(sha256, from);
  }

  /** Whether a version has that content, as far as the database can be asked: what is here is handed out without it. */
  async #names(sha256: string): Promise<boolean> {
    try {
      const row = await this.db.selectFrom("plugin").select("name").where("sha256", "=", sha256).limit(1)
        .executeTakeFirst();
      return row !== undefined;
    } catch (error) {
      if (error instanceof StorageError) return true;
      throw error;
    }
  }

  async #change(
    row: PluginRow,
    change: Partial<PluginRow>,
    was?: Partial<PluginRow>,
  ): Promise<PluginRow | undefined> {
    const { numUpdatedRows } = await this.db.updateTable("plugin").set(change)
      .where("name", "=", row.name).where("version", "=", row.version).where(stillIs(was)).executeTakeFirst();
    return was && numUpdatedRows === 0n ? undefined : { ...row, ...change };
  }

  async #mustBeVouchedFor(row: PluginRow): Promise<void> {
    const { tier, reason } = await this.vouched(row);
    if (tier !== "refused") return;
    throw new RepositoryError("untrusted", `plug-in "${row.name}" ${row.version}: ${reason}`);
  }

  /** Packages that were taken in before signatures were kept in their rows are read once more. */
  async #withSignatures(row: PluginRow): Promise<PluginRow> {
    if (row.content_digest !== null || row.format !== "package") return row;
    const bytes = await this.files.read(row.sha256);
    if (!bytes) {
      throw new RepositoryError("absent", `the file of plug-in "${row.name}" ${row.version} is gone`);
    }
    return (await this.#change(row, (await lookAt(bytes)).signed))!;
  }
}

function sameContent(known: PluginRow, sha256: string): PluginRow {
  if (known.sha256 === sha256) return known;
  throw new RepositoryError(
    "exists",
    `plug-in "${known.name}" ${known.version} is there with other content: give the changed one another version`,
  );
}
