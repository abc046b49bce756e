/**
 * `/app/v1/bindings` and `/app/v1/gateways`: a user's own gateways, and asking them. Whatever is not the user's
 * own answers 404, just as what does not exist.
 *
 * @module
 */
import * as v from "valibot";
import { type Deps, KeyedRate } from "../../base/mod.ts";
import { isoTime, macSchema, problem, Routes, timeSchema, waitSeconds } from "../../control/mod.ts";
import { isLoid, isVersion } from "../../protocol/smart_gateway/mod.ts";
import type { Commander } from "../commands/mod.ts";
import { type CommandRow, isFinal, type PresenceTable } from "../registry/mod.ts";
import { type BindingStore, MAX_BINDINGS, type OwnedGateway } from "./bindings.ts";
import { ownIn } from "./own.ts";
import type { Connections, ConnectionView } from "./connections.ts";
import { LockOut } from "../credentials/mod.ts";
import type { AppSettings } from "./settings.ts";
import { USER_PERMISSION } from "./users.ts";

const MacParams = v.object({ mac: macSchema });
const Binding = v.object({ mac: v.string(), boundAt: timeSchema });
const Role = v.picklist(["owner", "member"]);
const Gateway = v.object({
  mac: v.string(),
  vendor: v.nullable(v.string()),
  model: v.nullable(v.string()),
  firmware: v.nullable(v.string()),
  online: v.boolean(),
  lastSeenAt: v.nullable(timeSchema),
  /** Of members: since they joined. */
  boundAt: timeSchema,
  role: Role,
  /** `view`: it can only be looked at. */
  rights: v.picklist(["use", "view"]),
});
const Connection = v.object({
  state: v.picklist(["idle", "connecting", "connected", "failed"]),
  reason: v.optional(v.object({ code: v.picklist(["gateway_offline", "timed_out"]), message: v.string() })),
  retryAfterMs: v.optional(v.number()),
});
const Proof = v.strictObject({
  /** MD5(DevRND, SN), as CHECK_PASSWD_PARAM returns it on the LAN. */
  sn: v.pipe(v.string(), v.regex(/^[0-9A-Fa-f]{32}$/, "Invalid sn: Expected 32 hex digits")),
  loid: v.pipe(v.string(), v.check(isLoid, "Invalid LOID: Expected 1 to 24 visible ASCII characters")),
});

/** Longest and usual time that a post may take: somebody holds a phone and waits. */
const MAX_POST_MS = 60_000;
const DEFAULT_POST_MS = 30_000;
const MAX_POST_BYTES = 64 * 1024;

const Post = v.strictObject({
  /** Empty: the CmdType chooses. */
  plugin: v.optional(v.pipe(v.string(), v.maxLength(128)), ""),
  version: v.optional(
    v.pipe(v.string(), v.check((text) => text === "" || isVersion(text), 'must look like "1.0"')),
    "1.0",
  ),
  parameter: v.pipe(
    v.record(v.string(), v.unknown()),
    v.check((fields) => typeof fields.CmdType === "string" && fields.CmdType !== "", '"CmdType" is missing'),
  ),
  timeoutMs: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(MAX_POST_MS)),
    DEFAULT_POST_MS,
  ),
  /** It may run beside other posts that say so; else it has the gateway for itself. */
  concurrent: v.optional(v.boolean(), false),
});
/** A post, as far as it is. */
const PostView = v.object({
  id: v.string(),
  status: v.picklist(["queued", "sent", "acked", "succeeded", "failed", "timed_out", "cancelled"]),
  /** The gateway's outer Result: 0, or a negative number. */
  result: v.nullable(v.number()),
  /** The decoded inner reply. */
  reply: v.nullable(v.record(v.string(), v.unknown())),
  error: v.nullable(v.object({ code: v.string(), message: v.string() })),
});

/** What the gateway routes lean on. */
export interface GatewayParts {
  readonly bindings: BindingStore;
  readonly connections: Connections;
  readonly commander: Pick<Commander, "create" | "wait" | "find">;
  readonly presence: Pick<PresenceTable, "get">;
  /** Has a gateway make a new DevRND; whether it did. */
  renewProof(mac: string): Promise<boolean>;
  /** Told of each binding that begins or ends. */
  onBinding(mac: string, userId: string, bound: boolean): void;
}

/** The routes of bindings and of a user's gateways. */
export function gatewayRoutes(
  { clock, metrics }: Pick<Deps, "clock" | "metrics">,
  { bindings, connections, commander, presence, renewProof, onBinding }: GatewayParts,
  settings: AppSettings,
): Routes {
  const routes = new Routes();
  const byUser = new LockOut(clock, settings.proofLock), byLoid = new LockOut(clock, settings.proofLock);
  const posts = new KeyedRate<string>(clock, settings.postsPerSecond, 1000, 100_000);
  const count = (outcome: string) =>
    metrics.counter("gatehouse_app_bindings_total", "Attempts to bind a gateway by how they ended", {
      outcome,
    }).inc();
  const own = ownIn(bindings);
  const view = (row: OwnedGateway): v.InferInput<typeof Gateway> => {
    const known = presence.get(row.mac);
    const heard = known !== undefined && known.lastSeen !== -Infinity;
    return {
      mac: row.mac,
      vendor: row.vendor,
      model: row.model,
      firmware: row.firmware,
      online: known?.online ?? false,
      lastSeenAt: isoTime(heard ? clock.now() - (clock.monotonic() - known.lastSeen) : row.last_seen_at),
      boundAt: isoTime(row.bound_at),
      role: row.role,
      rights: row.rights,
    };
  };
  /** One that the user may ask something. */
  const usable = async (userId: string, mac: string): Promise<void> => {
    if ((await own(userId, mac)).rights === "use") return;
    throw problem(403, "view_only", "the owner lets you look at this gateway, not use it");
  };

  routes.route({
    method: "POST",
    path: "/app/v1/bindings",
    summary: "Bind a gateway that the app stands beside",
    description:
      "`sn` is MD5(DevRND, SN) and `loid` the LOID, both as CHECK_PASSWD_PARAM answers on the LAN. A proof binds " +
      "once: where it did before, the gateway is asked for a new DevRND, and the app reads it again.",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    body: { json: Proof, maxBytes: 8192 },
    responses: {
      200: { description: "It was the user's already", schema: Binding },
      201: { description: "It is the user's now", schema: Binding },
      403: { description: "sn and loid prove no gateway that is known here" },
      409: {
        description:
          "It has another owner, or the user has as many as they may, or the proof was used before",
      },
      429: { description: "Too many wrong proofs" },
    },
  }).handle(async ({ principal, body: { sn, loid }, log }) => {
    const wait = byUser.begin(principal.id) || byLoid.begin(loid);
    if (wait > 0) {
      count("locked");
      throw problem(429, "too_many_attempts", "too many wrong proofs", { retryAfterSeconds: wait / 1000 });
    }
    const gateway = await bindings.prove(sn, loid);
    if (!gateway) {
      count("refused");
      log.warn("binding refused", { user: principal.id });
      throw problem(403, "proof_refused", "sn and loid prove no gateway that is known here: read them again");
    }
    const outcome = await bindings.bind(principal.id, gateway, sn);
    count(outcome.kind);
    if (outcome.kind === "used") {
      // Counted as a wrong one: each calls the gateway.
      const renewed = await renewProof(gateway.mac);
      throw problem(409, "proof_used", "this proof has bound the gateway before: read it again on the LAN", {
        retryAfterSeconds: renewed ? 1 : 10,
      });
    }
    byUser.succeed(principal.id);
    byLoid.succeed(loid);
    if (outcome.kind === "owned") {
      throw problem(409, "already_bound", "the gateway is bound to somebody else");
    }
    if (outcome.kind === "full") {
      throw problem(409, "too_many_bindings", `a user can have at most ${MAX_BINDINGS} gateways`);
    }
    if (outcome.created) {
      log.info("gateway bound", { mac: gateway.mac, user: principal.id });
      onBinding(gateway.mac, principal.id, true);
    }
    const body = { mac: gateway.mac, boundAt: isoTime(outcome.binding.bound_at) };
    return { status: outcome.created ? 201 : 200, body };
  });

  routes.route({
    method: "GET",
    path: "/app/v1/bindings",
    summary: "The user's bindings",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    responses: { 200: { description: "All of them", schema: v.object({ items: v.array(Binding) }) } },
  }).handle(async ({ principal }) => {
    const rows = (await bindings.list(principal.id)).filter(({ role }) => role === "owner");
    return {
      status: 200,
      body: { items: rows.map((row) => ({ mac: row.mac, boundAt: isoTime(row.bound_at) })) },
    };
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/bindings/{mac}",
    summary: "Give a gateway up",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      204: { description: "No longer the user's, and no longer its members'" },
      403: { description: "Only the owner may; members leave" },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac }, log }) => {
    const { role } = await own(principal.id, mac);
    if (role !== "owner") throw problem(403, "not_owner", "only the gateway's owner may do that");
    if (await bindings.unbind(principal.id, mac)) {
      log.info("gateway unbound", { mac, user: principal.id });
      onBinding(mac, principal.id, false);
    }
    return { status: 204 };
  });

  routes.route({
    method: "GET",
    path: "/app/v1/gateways",
    summary: "The user's gateways",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    responses: { 200: { description: "All of them", schema: v.object({ items: v.array(Gateway) }) } },
  }).handle(async ({ principal }) => ({
    status: 200,
    body: { items: (await bindings.list(principal.id)).map(view) },
  }));

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}",
    summary: "One of the user's gateways",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      200: { description: "The gateway", schema: Gateway },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac } }) => ({
    status: 200,
    body: view(await own(principal.id, mac)),
  }));

  routes.route({
    method: "POST",
    path: "/app/v1/gateways/{mac}/connect",
    summary: "Call the gateway to its plug-in channel",
    description: "Answers at once; poll the connection after `retryAfterMs` until it is connected or failed.",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      202: { description: "Where it stands", schema: Connection },
      403: { description: "The user may only look at it" },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac } }) => {
    await usable(principal.id, mac);
    return { status: 202, ...connectionReply(connections.connect(mac)) };
  });

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/connection",
    summary: "Whether the gateway is on its plug-in channel",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    responses: {
      200: { description: "Where it stands", schema: Connection },
      404: { description: "Not the user's" },
    },
  }).handle(async ({ principal, params: { mac } }) => {
    await own(principal.id, mac);
    return { status: 200, ...connectionReply(connections.state(mac)) };
  });

  const postAnswers = {
    200: { description: "It has ended", schema: PostView },
    202: { description: "It has not ended yet: look again", schema: PostView },
    403: { description: "The user may only look at the gateway" },
    404: { description: "Not the user's" },
    429: { description: "Too many at once" },
  } as const;
  const postReply = (
    row: CommandRow,
  ) => ({ status: isFinal(row.status) ? 200 : 202, body: postView(row) } as const);

  routes.route({
    method: "POST",
    path: "/app/v1/gateways/{mac}/post",
    summary: "Ask a plug-in on the gateway, and wait for its answer",
    description:
      "Kept from the moment it is taken: an app that lost its connection finds the answer under the id.",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: MacParams,
    body: { json: Post, maxBytes: MAX_POST_BYTES },
    responses: postAnswers,
  }).handle(async ({ principal, params: { mac }, body, signal }) => {
    await usable(principal.id, mac);
    if (!posts.take(principal.id)) {
      throw problem(429, "too_many_posts", `at most ${settings.postsPerSecond} posts a second`, {
        retryAfterSeconds: 1,
      });
    }
    const created = await commander.create({ mac, kind: "post", ...body, actor: actorOf(principal.id) });
    return postReply(await commander.wait(created.id, body.timeoutMs + ENDING_MS, signal) ?? created);
  });

  routes.route({
    method: "GET",
    path: "/app/v1/gateways/{mac}/posts/{id}",
    summary: "One of the user's posts, at once or when it has ended",
    tags: ["app gateways"],
    auth: [USER_PERMISSION],
    params: v.object({ ...MacParams.entries, id: v.pipe(v.string(), v.maxLength(64)) }),
    query: v.object({ wait: waitSeconds() }),
    responses: postAnswers,
  }).handle(async ({ principal, params: { mac, id }, query, signal }) => {
    await own(principal.id, mac);
    const row = await commander.find(id);
    if (row?.mac !== mac || row.actor !== actorOf(principal.id)) {
      throw problem(404, "post_not_found", `you have no post "${id}"`);
    }
    return postReply(query.wait > 0 ? await commander.wait(id, query.wait * 1000, signal) ?? row : row);
  });
  return routes;
}

/** What a command takes to be written down as ended after its time is up. */
const ENDING_MS = 1000;

/** Who asked, as it is kept with a command. */
function actorOf(userId: string): string {
  return `user:${userId}`;
}

function connectionReply(view: ConnectionView) {
  const { retryAfterMs } = view;
  return {
    body: view,
    ...(retryAfterMs === undefined
      ? {}
      : { headers: { "retry-after": String(Math.ceil(retryAfterMs / 1000)) } }),
  };
}

function postView(row: CommandRow): v.InferInput<typeof PostView> {
  return {
    id: row.id,
    status: row.status,
    result: row.result,
    reply: row.reply === null ? null : JSON.parse(row.reply),
    error: row.error_code === null ? null : { code: row.error_code, message: row.error ?? "" },
  };
}
