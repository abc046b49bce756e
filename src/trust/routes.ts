/**
 * The control APIs' part about trust: keys, and what each tier of plug-ins may ask for.
 *
 * @module
 */
import * as v from "valibot";
import { type Access, problem, type ProblemError, Routes } from "../control/mod.ts";
import {
  KEY_TIERS,
  TIER_CAPS,
  TIERS,
  type TrustedKey,
  TrustError,
  type TrustErrorCode,
  type TrustStore,
} from "../sandbox/package/mod.ts";

const TAGS = ["trust"];

const time = v.pipe(v.string(), v.isoTimestamp(), v.transform((text) => Date.parse(text)));
const publicKey = v.pipe(
  v.string(),
  v.maxLength(100),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const bytes = Uint8Array.fromBase64(dataset.value);
      if (bytes.length === 32) return bytes;
    } catch {
      // told below
    }
    addIssue({ message: "base64 of the 32 bytes of an Ed25519 public key" });
    return NEVER;
  }),
);
const name = v.optional(v.pipe(v.string(), v.maxLength(200)), "");
const keyParams = v.object({ id: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "64 hex digits")) });
const KeyView = v.object({
  id: v.string(),
  name: v.string(),
  tier: v.picklist(KEY_TIERS),
  publicKey: v.string(),
  state: v.picklist(["trusted", "expired", "revoked"]),
  addedAt: v.string(),
  until: v.nullable(v.string()),
  revokedAt: v.nullable(v.string()),
  reason: v.nullable(v.string()),
});
const unknown = { description: "No such key" };

/** The routes. `auth`: who may use them. */
export function trustRoutes(trust: TrustStore, auth: Access): Routes {
  const routes = new Routes();
  const shown = (id: string) => keyView(trust.keys().find((key) => key.id === id)!);

  routes.route({
    method: "GET",
    path: "/api/v1/trust",
    summary: "The policy, the keys, and what each tier may ask for",
    tags: TAGS,
    auth,
    unconfined: true, // plug-ins are the same for every gateway
    responses: {
      200: {
        description: "All of it",
        schema: v.object({ requireSigned: v.string(), keys: v.array(KeyView), tiers: v.looseObject({}) }),
      },
    },
  }).handle(() => ({
    status: 200,
    body: {
      requireSigned: trust.requireSigned,
      keys: trust.keys().map(keyView),
      tiers: { ...trust.tiers() },
    },
  }));

  routes.route({
    method: "POST",
    path: "/api/v1/trust/keys",
    summary: "Trusts a key",
    tags: TAGS,
    auth,
    unconfined: true, // plug-ins are the same for every gateway
    body: {
      json: v.strictObject({ publicKey, tier: v.picklist(KEY_TIERS), name, until: v.optional(time) }),
    },
    responses: {
      201: { description: "Trusted", schema: KeyView },
      409: { description: "It is trusted already, or was revoked" },
    },
  }).handle(async ({ body, changed }) => {
    const made = shown(await trust.add(body));
    changed(undefined, made);
    return { status: 201, body: made };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/trust/keys/{id}/rotate",
    summary: "Lets another key take the place of one",
    description: "The new key gets the tier of the old one, which is trusted for the overlap (a week) more.",
    tags: TAGS,
    auth,
    unconfined: true, // plug-ins are the same for every gateway
    params: keyParams,
    body: {
      json: v.strictObject({
        publicKey,
        name: v.optional(v.pipe(v.string(), v.maxLength(200))),
        overlapSeconds: v.optional(
          v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31_622_400)),
          604_800,
        ),
      }),
    },
    responses: { 201: { description: "The new key", schema: KeyView }, 404: unknown },
  }).handle(async ({ params: { id }, body: { overlapSeconds, publicKey, name }, changed }) => {
    const next = { publicKey, ...(name !== undefined && { name }) };
    const made = shown(await trust.rotate(id, next, overlapSeconds * 1000));
    changed({ id }, { ...made, overlapSeconds });
    return { status: 201, body: made };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/trust/keys/{id}/revoke",
    summary: "Revokes a key for good; plug-ins that only it signed are stopped",
    tags: TAGS,
    auth,
    unconfined: true, // plug-ins are the same for every gateway
    params: keyParams,
    body: {
      json: v.strictObject({ reason: v.optional(v.pipe(v.string(), v.maxLength(500)), "") }),
      optional: true,
    },
    responses: { 200: { description: "Revoked", schema: KeyView }, 404: unknown },
  }).handle(async ({ params: { id }, body, changed }) => {
    await trust.revoke(id, body?.reason);
    const { state, reason } = shown(id);
    changed({ id }, { id, state, reason });
    return { status: 200, body: shown(id) };
  });

  routes.route({
    method: "PUT",
    path: "/api/v1/trust/tiers/{tier}",
    summary: "Sets what plug-ins of a tier may ask for; null: whatever the gateway offers",
    tags: TAGS,
    auth,
    unconfined: true, // plug-ins are the same for every gateway
    params: v.object({ tier: v.picklist(TIERS) }),
    body: { json: v.nullable(TIER_CAPS) },
    responses: { 204: { description: "Set" } },
  }).handle(async ({ params: { tier }, body, changed }) => {
    const before = trust.tiers()[tier];
    await trust.setCaps(tier, body ?? undefined);
    changed({ [tier]: before ?? null }, { [tier]: body });
    return { status: 204 };
  });
  return routes;
}

const STATUS: Readonly<Record<TrustErrorCode, number>> = {
  unknown: 404,
  exists: 409,
  revoked: 409,
  key: 400,
  limit: 409,
};

/** The problem for an error about trust; undefined for any other. */
export function trustProblem(error: unknown): ProblemError | undefined {
  if (!(error instanceof TrustError)) return undefined;
  return problem(STATUS[error.code], `trust_${error.code}`, error.message);
}

function keyView({ addedAt, until, revokedAt, reason, ...rest }: TrustedKey): v.InferInput<typeof KeyView> {
  return {
    ...rest,
    addedAt: isoTime(addedAt)!,
    until: isoTime(until),
    revokedAt: isoTime(revokedAt),
    reason: reason ?? null,
  };
}

function isoTime(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
