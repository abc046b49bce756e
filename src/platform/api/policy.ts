/**
 * The distribution policy over HTTP: the one in force, its earlier versions, and where a policy would send the fleet.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  answerWith,
  decodeCursor,
  isoTime,
  macSchema,
  pageOf,
  pageQuery,
  pageSchema,
  problem,
  queryInteger,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import {
  destinationOf,
  dryRun,
  type Policy,
  PolicySchema,
  PolicyScriptError,
  type PolicyScripts,
  type PolicyStore,
} from "../distribution/mod.ts";
import type { Fleet } from "../fleet/mod.ts";
import type { GatewayStore } from "../registry/mod.ts";

const VersionView = v.object({
  version: v.number(),
  note: v.string(),
  madeAt: timeSchema,
  madeBy: v.string(),
  policy: PolicySchema,
});
const FlowsView = v.object({
  gateways: v.number(),
  /** Gateways that it would send elsewhere than the policy in force does. */
  moved: v.number(),
  flows: v.array(
    v.object({ rule: v.nullable(v.string()), to: v.nullable(v.string()), gateways: v.number() }),
  ),
});
const Note = v.optional(v.pipe(v.string(), v.maxLength(500)), "");
/** Gateways looked at in one turn of a dry run, and the dry runs that may wait for the one under way. */
const PAGE = 1000;
const MAX_WAITING = 8;

/** What the routes lean on. */
export interface PolicyRouteParts {
  readonly policy: PolicyStore;
  readonly scripts: PolicyScripts;
  readonly gateways: GatewayStore;
  readonly fleet: Fleet;
}

/** The routes of the policy. */
export function policyRoutes({ policy, scripts, gateways, fleet }: PolicyRouteParts): Routes {
  const routes = new Routes();
  /** Whether a script is being tried on the fleet: one at a time. */
  /** `"7"`: the version in force; a PUT that names another one in If-Match changes nothing. */
  const etag = () => `"${policy.version}"`;
  const oneAtATime = queued(MAX_WAITING);

  routes.route({
    method: "GET",
    path: "/api/v1/distribution/policy",
    summary: "The distribution policy in force",
    description: "Its version is the ETag.",
    tags: ["distribution"],
    auth: ["policies:read"],
    etag: true,
    responses: { 200: { description: "The policy", schema: PolicySchema } },
  }).handle(async ({ request }) => {
    await policy.refresh();
    return answerWith(request, etag(), policy.current);
  });

  routes.route({
    method: "PUT",
    path: "/api/v1/distribution/policy",
    summary: "Put another distribution policy into force",
    description:
      "The first rule that matches decides. Weights share gateways out; a gateway stays where it is sent. With " +
      "If-Match it is refused where somebody else was quicker. `note` says why, for those who look at the versions.",
    tags: ["distribution"],
    auth: ["policies:write"],
    unconfined: true,
    query: v.object({ note: Note }),
    body: { json: PolicySchema },
    etag: true,
    responses: {
      200: { description: "The policy in force", schema: PolicySchema },
      412: { description: "Another version is in force than If-Match says" },
      422: { description: "The script can't be loaded" },
    },
  }).handle(async ({ body, query, principal, request, changed }) => {
    await refusing(() => scripts.check(body));
    const from = versionOf(request.headers.get("if-match"));
    changed(policy.current, body);
    await policy.replace(body, actorOf(principal), query.note, from);
    return { status: 200, body: policy.current, headers: { etag: etag() } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/distribution/policy/versions",
    summary: "Every policy that was ever in force, the newest first",
    tags: ["distribution"],
    auth: ["policies:read"],
    query: v.object(pageQuery(20, 100)),
    responses: { 200: { description: "A page of versions", schema: pageSchema(VersionView) } },
  }).handle(async ({ query: { cursor, limit } }) => {
    const before = decodeCursor(cursor, v.number());
    const rows = await policy.versions(limit + 1, before);
    return {
      status: 200,
      body: pageOf(rows, limit, (row) => row.version, (row) => ({
        version: row.version,
        note: row.note,
        madeAt: isoTime(row.made_at),
        madeBy: row.made_by,
        policy: v.parse(PolicySchema, JSON.parse(row.body)),
      })),
    };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/distribution/policy/versions/{version}/restore",
    summary: "Put an earlier policy into force again, as a new version",
    tags: ["distribution"],
    auth: ["policies:write"],
    unconfined: true,
    params: v.object({ version: queryInteger(1, 1_000_000) }),
    etag: true,
    responses: {
      200: { description: "The policy in force", schema: PolicySchema },
      404: { description: "There is no such version" },
    },
  }).handle(async ({ params: { version }, principal, request, changed }) => {
    const from = versionOf(request.headers.get("if-match"));
    const row = await policy.find(version);
    if (!row) throw problem(404, "version_not_found", `there is no version ${version} of the policy`);
    const body = v.parse(PolicySchema, JSON.parse(row.body));
    changed(policy.current, body);
    await policy.replace(body, actorOf(principal), `version ${version} again`, from);
    return { status: 200, body: policy.current, headers: { etag: etag() } };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/distribution/drain",
    summary: "Send nobody to an operations address any more: its weight becomes 0 in every rule",
    description:
      "Gateways that are there stay until they are distributed anew. The answer says where all would go.",
    tags: ["distribution"],
    auth: ["policies:write"],
    unconfined: true,
    body: { json: v.strictObject({ address: v.pipe(v.string(), v.maxLength(300)) }) },
    etag: true,
    responses: {
      200: { description: "The policy in force", schema: PolicySchema },
      409: { description: "A rule would be left without an address" },
      422: { description: "No rule names that address" },
    },
  }).handle(async ({ body: { address }, principal, request, changed }) => {
    const from = versionOf(request.headers.get("if-match"));
    await policy.refresh();
    const before = policy.current, after = drained(before, address);
    changed(before, after);
    await policy.replace(after, actorOf(principal), `drained ${address}`, from ?? policy.version);
    return { status: 200, body: policy.current, headers: { etag: etag() } };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/distribution/preview",
    summary: "Where the policy would send a gateway",
    tags: ["distribution"],
    auth: ["policies:read"],
    query: v.object({
      mac: macSchema,
      vendor: v.optional(v.string(), ""),
      model: v.optional(v.string(), ""),
      firmware: v.optional(v.string(), ""),
      region: v.optional(v.string()),
    }),
    responses: {
      200: {
        description: "The rule that decides, and its answer; neither where none matches",
        schema: v.object({
          rule: v.nullable(v.string()),
          operations: v.nullable(v.string()),
          redirect: v.nullable(v.string()),
        }),
      },
    },
  }).handle(async ({ query }) => {
    const { rule, to } = destinationOf(
      await scripts.choose(policy.current, { ...query, region: query.region }),
    );
    const away = policy.current.rules.some(({ name, redirect }) => name === rule && redirect !== undefined);
    return { status: 200, body: { rule, operations: away ? null : to, redirect: away ? to : null } };
  });

  routes.route({
    method: "POST",
    path: "/api/v1/distribution/dry-run",
    summary: "Where a policy would send the whole fleet, without sending anybody",
    description: "Without a body: the policy in force. Judged by what each gateway's last registration told.",
    tags: ["distribution"],
    auth: ["policies:read"],
    audited: false,
    body: { json: PolicySchema, optional: true },
    responses: {
      200: { description: "Rules, addresses and numbers of gateways", schema: FlowsView },
      403: { description: "A script of one's own is for those who may put policies into force" },
      422: { description: "The script fails, or takes too long" },
      429: { description: "Others wait for theirs already: one is done at a time" },
    },
  }).handle(async ({ body, principal, signal }) => {
    const candidate = body ?? policy.current, { script } = candidate;
    if (
      script !== undefined && script !== policy.current.script &&
      !principal.permissions.includes("policies:write")
    ) {
      throw problem(403, "forbidden", '"policies:write" is needed to try a script');
    }
    const where = await fleet.scopeOf(principal);
    const pages = async function* () {
      for (let after = ""; !signal.aborted;) {
        const rows = await gateways.list({ where, after, limit: PAGE });
        if (rows.length === 0) return;
        yield rows;
        after = rows.at(-1)!.mac;
      }
    };
    const { flows, ...counts } = await oneAtATime(() =>
      refusing(async () => {
        using tried = new DisposableStack();
        await scripts.check(candidate);
        const [wanted, now] = [candidate, policy.current].map((one) => tried.use(scripts.trial(one)));
        return await dryRun(wanted!, now!, pages());
      })
    );
    return { status: 200, body: { ...counts, flows: flows.map((flow) => ({ ...flow })) } };
  });
  return routes;
}

/** Does what takes long one after the other, for a few who wait. */
function queued(maxWaiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve(), waiting = 0;
  return async (work) => {
    if (waiting > maxWaiting) {
      throw problem(429, "too_many_dry_runs", "others wait for their dry runs already", {
        retryAfterSeconds: 5,
      });
    }
    waiting++;
    const done = last.then(work).finally(() => waiting--);
    last = done.catch(() => {}); // whoever asked for it hears of it
    return await done;
  };
}

/** Says what is wrong with a script. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PolicyScriptError)) throw error;
    throw problem(422, "script_failed", `the script can't be used: ${error.message}`);
  }
}

function versionOf(header: string | null): number | undefined {
  if (header === null || header === "*") return undefined;
  const [, text] = /^(?:W\/)?"(\d{1,9})"$/.exec(header.trim()) ?? [];
  if (text === undefined) throw problem(412, "precondition_failed", "If-Match is not the ETag of a policy");
  return Number(text);
}

function drained(policy: Policy, address: string): Policy {
  let found = false;
  const rules = policy.rules.map((rule) => {
    if (!rule.targets.some((target) => target.address === address)) return rule;
    found = true;
    const targets = rule.targets.map((target) =>
      target.address === address ? { ...target, weight: 0 } : target
    );
    if (targets.every(({ weight }) => weight === 0)) {
      throw problem(
        409,
        "no_target_left",
        `rule "${rule.name}" would have nowhere to send gateways: add an address`,
      );
    }
    return { ...rule, targets };
  });
  if (!found) throw problem(422, "unknown_address", `no rule sends gateways to "${address}"`);
  return { ...policy, rules };
}
