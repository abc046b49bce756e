// deno-fmt-ignore-file
/**
 * Every operation of the platform's HTTP API with its types. Made from the OpenAPI document by
 * `scripts/client_types.ts`: change the routes, not this file.
 *
 * @module
 */
import type { RawBody } from "./raw_body.ts";

/** What each operation takes and answers. `reply` is `Response` where the answer is no JSON. */
export interface Operations {
  /** The platform's version, and its settings in force, without secrets */
  "GET /api/v1/about": {
    input: Record<never, never>;
    reply: { version: string; runtime: string; settings: Record<string, string> };
  };
  /** The rules that raise alarms */
  "GET /api/v1/alarm-rules": {
    input: Record<never, never>;
    reply: { items: Array<{ id: string; kind: "offline_share" | "registration_failures" | "queue_age" | "rollout_paused" | "service" | "short_messages" | "webhooks"; description: string; enabled: boolean; severity: "info" | "warning" | "critical"; raiseAt: number; clearBelow: number; holdSeconds: number; least: number; group: string | null; updatedAt: string; updatedBy: string }> };
  };
  /** Remove a rule, and clear what it had raised */
  "DELETE /api/v1/alarm-rules/{id}": {
    input: { params: { id: string }; ifMatch?: string };
    reply: undefined;
  };
  /** One rule */
  "GET /api/v1/alarm-rules/{id}": {
    input: { params: { id: string } };
    reply: { id: string; kind: "offline_share" | "registration_failures" | "queue_age" | "rollout_paused" | "service" | "short_messages" | "webhooks"; description: string; enabled: boolean; severity: "info" | "warning" | "critical"; raiseAt: number; clearBelow: number; holdSeconds: number; least: number; group: string | null; updatedAt: string; updatedBy: string };
  };
  /** Make or change a rule */
  "PUT /api/v1/alarm-rules/{id}": {
    input: { params: { id: string }; ifMatch?: string; body: { kind: "offline_share" | "registration_failures" | "queue_age" | "rollout_paused" | "service" | "short_messages" | "webhooks"; description?: string; enabled?: boolean; severity: "info" | "warning" | "critical"; raiseAt: number; clearBelow: number; holdSeconds: number; least?: number; group?: string | null } };
    reply: { id: string; kind: "offline_share" | "registration_failures" | "queue_age" | "rollout_paused" | "service" | "short_messages" | "webhooks"; description: string; enabled: boolean; severity: "info" | "warning" | "critical"; raiseAt: number; clearBelow: number; holdSeconds: number; least: number; group: string | null; updatedAt: string; updatedBy: string };
  };
  /** Alarms that are raised, or were, newest first */
  "GET /api/v1/alarms": {
    input: { query?: { state?: "raised" | "cleared"; severity?: "info" | "warning" | "critical"; rule?: string; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; rule: string; kind: "offline_share" | "registration_failures" | "queue_age" | "rollout_paused" | "service" | "short_messages" | "webhooks"; subject: string; severity: "info" | "warning" | "critical"; group: string | null; detail: string; value: number; raisedAt: string; clearedAt: string | null; acknowledgedAt: string | null; acknowledgedBy: string | null; note: string | null }>; next?: string };
  };
  /** One alarm */
  "GET /api/v1/alarms/{id}": {
    input: { params: { id: string } };
    reply: { id: string; rule: string; kind: "offline_share" | "registration_failures" | "queue_age" | "rollout_paused" | "service" | "short_messages" | "webhooks"; subject: string; severity: "info" | "warning" | "critical"; group: string | null; detail: string; value: number; raisedAt: string; clearedAt: string | null; acknowledgedAt: string | null; acknowledgedBy: string | null; note: string | null };
  };
  /** Say that somebody sees to an alarm */
  "POST /api/v1/alarms/{id}/acknowledge": {
    input: { params: { id: string }; key?: string; body?: { note?: string | null } };
    reply: { id: string; rule: string; kind: "offline_share" | "registration_failures" | "queue_age" | "rollout_paused" | "service" | "short_messages" | "webhooks"; subject: string; severity: "info" | "warning" | "critical"; group: string | null; detail: string; value: number; raisedAt: string; clearedAt: string | null; acknowledgedAt: string | null; acknowledgedBy: string | null; note: string | null };
  };
  /** Alarms as they are raised, cleared and acknowledged */
  "GET /api/v1/alarms/stream": {
    input: Record<never, never>;
    reply: Response;
  };
  /** The phone app's users, by name */
  "GET /api/v1/app-users": {
    input: { query?: { search?: string; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; name: string; createdAt: string; lockedAt: string | null }>; next?: string };
  };
  /** One app user: the gateways that they may use, the devices on which they are signed in */
  "GET /api/v1/app-users/{id}": {
    input: { params: { id: string } };
    reply: { id: string; name: string; createdAt: string; lockedAt: string | null; gateways: Array<{ mac: string; role: "owner" | "member"; rights: "use" | "view"; since: string }>; devices: Array<{ id: string; device: string; createdAt: string; renewedAt: string }> };
  };
  /** Keep an app user from signing in, and sign them out everywhere */
  "POST /api/v1/app-users/{id}/lock": {
    input: { params: { id: string }; key?: string };
    reply: { id: string; name: string; createdAt: string; lockedAt: string | null; gateways: Array<{ mac: string; role: "owner" | "member"; rights: "use" | "view"; since: string }>; devices: Array<{ id: string; device: string; createdAt: string; renewedAt: string }> };
  };
  /** Sign an app user out on every device */
  "DELETE /api/v1/app-users/{id}/sessions": {
    input: { params: { id: string } };
    reply: undefined;
  };
  /** Sign an app user out on one device */
  "DELETE /api/v1/app-users/{id}/sessions/{session}": {
    input: { params: { id: string; session: string } };
    reply: undefined;
  };
  /** Let an app user sign in again */
  "POST /api/v1/app-users/{id}/unlock": {
    input: { params: { id: string }; key?: string };
    reply: { id: string; name: string; createdAt: string; lockedAt: string | null; gateways: Array<{ mac: string; role: "owner" | "member"; rights: "use" | "view"; since: string }>; devices: Array<{ id: string; device: string; createdAt: string; renewedAt: string }> };
  };
  /** Who changed what, the newest first */
  "GET /api/v1/audit": {
    input: { query?: { actor?: string; action?: string; target?: string; from?: string; until?: string; cursor?: string; limit?: number } };
    reply: { items: Array<{ seq: number; at: string; actor: string; actorName: string; action: string; target: string; status: number; address: string; requestId: string; before: unknown; after: unknown; hash: string }>; next?: string };
  };
  /** The whole audit log, one JSON object a line, the oldest first */
  "GET /api/v1/audit/export": {
    input: Record<never, never>;
    reply: Response;
  };
  /** Whether the audit log is whole */
  "GET /api/v1/audit/verify": {
    input: Record<never, never>;
    reply: { entries: number; intact: boolean; brokenAt: number | null; head: string };
  };
  /** The backups that are kept, the newest first */
  "GET /api/v1/backups": {
    input: Record<never, never>;
    reply: { items: Array<{ id: string; size: number; createdAt: string }> };
  };
  /** Back the embedded database up while it is in use */
  "POST /api/v1/backups": {
    input: { key?: string };
    reply: { id: string; size: number; createdAt: string; sha256: string };
  };
  /** Remove a backup */
  "DELETE /api/v1/backups/{id}": {
    input: { params: { id: string } };
    reply: undefined;
  };
  /** A backup's file */
  "GET /api/v1/backups/{id}/content": {
    input: { params: { id: string } };
    reply: Response;
  };
  /** Commands of all gateways, newest first */
  "GET /api/v1/commands": {
    input: { query?: { mac?: string | readonly string[]; status?: string | readonly string[]; kind?: string | readonly string[]; plugin?: string; actor?: string; error?: string; since?: string; until?: string; group?: string; filter?: string; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null }>; next?: string };
  };
  /** One command, at once or when it has ended */
  "GET /api/v1/commands/{id}": {
    input: { params: { id: string }; query?: { wait?: number } };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** Take back a command that still waits, or give up an installation that is under way */
  "POST /api/v1/commands/{id}/cancel": {
    input: { params: { id: string }; key?: string };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** How a command goes on, as server-sent events */
  "GET /api/v1/commands/{id}/events": {
    input: { params: { id: string } };
    reply: Response;
  };
  /** What happened to a command, step by step */
  "GET /api/v1/commands/{id}/timeline": {
    input: { params: { id: string } };
    reply: { items: Array<{ at: string; event: "created" | "sent" | "acked" | "again" | "ended"; attempt: number; reason: string | null; detail: string | null }> };
  };
  /** Send nobody to an operations address any more: its weight becomes 0 in every rule */
  "POST /api/v1/distribution/drain": {
    input: { ifMatch?: string; key?: string; body: { address: string } };
    reply: { rules: Array<{ name: string; match?: { vendor?: string; model?: string; oui?: string; macFrom?: string; macTo?: string; firmware?: string; region?: string; percent?: number }; targets?: Array<{ address: string; weight?: number }>; redirect?: string }>; script?: string };
  };
  /** Where a policy would send the whole fleet, without sending anybody */
  "POST /api/v1/distribution/dry-run": {
    input: { key?: string; body?: { rules: Array<{ name: string; match?: { vendor?: string; model?: string; oui?: string; macFrom?: string; macTo?: string; firmware?: string; region?: string; percent?: number }; targets?: Array<{ address: string; weight?: number }>; redirect?: string }>; script?: string } };
    reply: { gateways: number; moved: number; flows: Array<{ rule: string | null; to: string | null; gateways: number }> };
  };
  /** The distribution policy in force */
  "GET /api/v1/distribution/policy": {
    input: Record<never, never>;
    reply: { rules: Array<{ name: string; match?: { vendor?: string; model?: string; oui?: string; macFrom?: string; macTo?: string; firmware?: string; region?: string; percent?: number }; targets?: Array<{ address: string; weight?: number }>; redirect?: string }>; script?: string };
  };
  /** Put another distribution policy into force */
  "PUT /api/v1/distribution/policy": {
    input: { query?: { note?: string }; ifMatch?: string; body: { rules: Array<{ name: string; match?: { vendor?: string; model?: string; oui?: string; macFrom?: string; macTo?: string; firmware?: string; region?: string; percent?: number }; targets?: Array<{ address: string; weight?: number }>; redirect?: string }>; script?: string } };
    reply: { rules: Array<{ name: string; match?: { vendor?: string; model?: string; oui?: string; macFrom?: string; macTo?: string; firmware?: string; region?: string; percent?: number }; targets?: Array<{ address: string; weight?: number }>; redirect?: string }>; script?: string };
  };
  /** Every policy that was ever in force, the newest first */
  "GET /api/v1/distribution/policy/versions": {
    input: { query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ version: number; note: string; madeAt: string; madeBy: string; policy: { rules: Array<{ name: string; match?: { vendor?: string; model?: string; oui?: string; macFrom?: string; macTo?: string; firmware?: string; region?: string; percent?: number }; targets?: Array<{ address: string; weight?: number }>; redirect?: string }>; script?: string } }>; next?: string };
  };
  /** Put an earlier policy into force again, as a new version */
  "POST /api/v1/distribution/policy/versions/{version}/restore": {
    input: { params: { version: number }; ifMatch?: string; key?: string };
    reply: { rules: Array<{ name: string; match?: { vendor?: string; model?: string; oui?: string; macFrom?: string; macTo?: string; firmware?: string; region?: string; percent?: number }; targets?: Array<{ address: string; weight?: number }>; redirect?: string }>; script?: string };
  };
  /** Where the policy would send a gateway */
  "GET /api/v1/distribution/preview": {
    input: { query: { mac: string; vendor?: string; model?: string; firmware?: string; region?: string } };
    reply: { rule: string | null; operations: string | null; redirect: string | null };
  };
  /** List gateways */
  "GET /api/v1/gateways": {
    input: { query?: { vendor?: string; model?: string; region?: string; loid?: string; online?: boolean; search?: string; filter?: string; group?: string; removed?: boolean; cursor?: string; limit?: number } };
    reply: { items: Array<{ mac: string; sn: string; loid: string; vendor: string | null; model: string | null; region: string | null; online: boolean; address: string | null; wanIp: string | null; firmware: string | null; hardware: string | null; osVersion: string | null; appVersion: string | null; card: string | null; pinnedOperations: string | null; renew: boolean; tags: string[]; registeredAt: string | null; lastSeenAt: string | null; createdAt: string; updatedAt: string }>; next?: string };
  };
  /** Preset one gateway, or many */
  "POST /api/v1/gateways": {
    input: { key?: string; body: { mac: string; sn: string; loid: string; vendor?: string; model?: string; region?: string } | Array<{ mac: string; sn: string; loid: string; vendor?: string; model?: string; region?: string }> | RawBody };
    reply: { created: number; unchanged: number; refused: number; lines: Array<{ line: number; mac: string; outcome: "created" | "unchanged" | "refused"; message: string }>; taken: string[]; faults: Array<{ line: number; message: string }> } | { mac: string; sn: string; loid: string; vendor: string | null; model: string | null; region: string | null; online: boolean; address: string | null; wanIp: string | null; firmware: string | null; hardware: string | null; osVersion: string | null; appVersion: string | null; card: string | null; pinnedOperations: string | null; renew: boolean; tags: string[]; registeredAt: string | null; lastSeenAt: string | null; createdAt: string; updatedAt: string };
  };
  /** Remove a gateway's preset */
  "DELETE /api/v1/gateways/{mac}": {
    input: { params: { mac: string }; ifMatch?: string };
    reply: undefined;
  };
  /** One gateway */
  "GET /api/v1/gateways/{mac}": {
    input: { params: { mac: string } };
    reply: { mac: string; sn: string; loid: string; vendor: string | null; model: string | null; region: string | null; online: boolean; address: string | null; wanIp: string | null; firmware: string | null; hardware: string | null; osVersion: string | null; appVersion: string | null; card: string | null; pinnedOperations: string | null; renew: boolean; tags: string[]; registeredAt: string | null; lastSeenAt: string | null; createdAt: string; updatedAt: string };
  };
  /** Change a gateway's entry */
  "PATCH /api/v1/gateways/{mac}": {
    input: { params: { mac: string }; ifMatch?: string; body: { loid?: string; vendor?: string | null; model?: string | null; region?: string | null; pinnedOperations?: string | null; renew?: boolean } };
    reply: { mac: string; sn: string; loid: string; vendor: string | null; model: string | null; region: string | null; online: boolean; address: string | null; wanIp: string | null; firmware: string | null; hardware: string | null; osVersion: string | null; appVersion: string | null; card: string | null; pinnedOperations: string | null; renew: boolean; tags: string[]; registeredAt: string | null; lastSeenAt: string | null; createdAt: string; updatedAt: string };
  };
  /** End an app user's ownership of a gateway, with all its members */
  "DELETE /api/v1/gateways/{mac}/binding": {
    input: { params: { mac: string } };
    reply: undefined;
  };
  /** The app user who owns a gateway, and with whom they share it */
  "GET /api/v1/gateways/{mac}/binding": {
    input: { params: { mac: string } };
    reply: { userId: string; name: string; boundAt: string; members: Array<{ userId: string; name: string; rights: "use" | "view"; since: string }> };
  };
  /** A gateway's commands, newest first */
  "GET /api/v1/gateways/{mac}/commands": {
    input: { params: { mac: string }; query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null }>; next?: string };
  };
  /** Ask a plug-in on a gateway something */
  "POST /api/v1/gateways/{mac}/commands": {
    input: { params: { mac: string }; query?: { wait?: number }; key?: string; body: { plugin?: string; version?: string; parameter: Record<string, unknown>; timeoutMs?: number; concurrent?: boolean; repeatable?: boolean; retry?: { attempts: number; delayMs?: number } } };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** What happened to a gateway, the newest first */
  "GET /api/v1/gateways/{mac}/history": {
    input: { params: { mac: string }; query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; at: string; kind: "registered" | "online" | "offline" | "changed" | "removed" | "restored" | "bound" | "unbound" | "reset" | "plugin"; detail: Record<string, unknown> }>; next?: string };
  };
  /** What a gateway has pushed, newest first */
  "GET /api/v1/gateways/{mac}/messages": {
    input: { params: { mac: string }; query?: { plugin?: string; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; mac: string; plugin: string; time: string; receivedAt: string; base64: string; text: string | null }>; next?: string };
  };
  /** What a gateway pushes, as it comes */
  "GET /api/v1/gateways/{mac}/messages/stream": {
    input: { params: { mac: string }; query?: { plugin?: string; after?: number } };
    reply: Response;
  };
  /** A gateway's parameters as they were last read or written, without asking it */
  "GET /api/v1/gateways/{mac}/parameters/seen": {
    input: { params: { mac: string }; query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ name: string; value: string; seenAt: string }>; next?: string };
  };
  /** The plug-ins on a gateway, asked of itself */
  "GET /api/v1/gateways/{mac}/plugins": {
    input: { params: { mac: string }; query?: { wait?: number } };
    reply: { items: Array<{ name: string; version: string; run: boolean }> };
  };
  /** Install a plug-in of the repository on a gateway, and run it */
  "POST /api/v1/gateways/{mac}/plugins": {
    input: { params: { mac: string }; query?: { wait?: number }; key?: string; body: { name: string; version?: string; channel?: "stable" | "beta"; from?: { url: string; size: number; sha256: string }; timeoutMs?: number } };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** Remove a plug-in from a gateway */
  "DELETE /api/v1/gateways/{mac}/plugins/{name}": {
    input: { params: { mac: string; name: string }; query?: { wait?: number; version?: string } };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** Restore a plug-in as it left the factory */
  "POST /api/v1/gateways/{mac}/plugins/{name}/factory": {
    input: { params: { mac: string; name: string }; query?: { wait?: number; version?: string }; key?: string };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** Give a plug-in on a gateway its parameters */
  "PUT /api/v1/gateways/{mac}/plugins/{name}/parameters": {
    input: { params: { mac: string; name: string }; query?: { wait?: number; version?: string }; body: Record<string, unknown> };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** Run a plug-in on a gateway */
  "POST /api/v1/gateways/{mac}/plugins/{name}/run": {
    input: { params: { mac: string; name: string }; query?: { wait?: number; version?: string }; key?: string };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** Stop a plug-in on a gateway */
  "POST /api/v1/gateways/{mac}/plugins/{name}/stop": {
    input: { params: { mac: string; name: string }; query?: { wait?: number; version?: string }; key?: string };
    reply: { id: string; mac: string; kind: "post" | "install" | "uninstall" | "run" | "stop" | "list" | "factory" | "configure" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; actor: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null; progress: number | null; attempt: number; concurrent: boolean; repeatable: boolean; maxAttempts: number; retryDelayMs: number | null; outcomeUnknown: boolean; createdAt: string; deadlineAt: string; sentAt: string | null; ackedAt: string | null; finishedAt: string | null };
  };
  /** A gateway's plug-ins as they were last seen, without asking it */
  "GET /api/v1/gateways/{mac}/plugins/seen": {
    input: { params: { mac: string } };
    reply: { items: Array<{ name: string; version: string; running: boolean; seenAt: string }> };
  };
  /** Send a gateway to another platform (RequestDistri) */
  "POST /api/v1/gateways/{mac}/redistribute": {
    input: { params: { mac: string }; key?: string; body: { mode: 0 | 1; address: string } };
    reply: undefined;
  };
  /** Take a gateway's removal back */
  "POST /api/v1/gateways/{mac}/restore": {
    input: { params: { mac: string }; key?: string };
    reply: { mac: string; sn: string; loid: string; vendor: string | null; model: string | null; region: string | null; online: boolean; address: string | null; wanIp: string | null; firmware: string | null; hardware: string | null; osVersion: string | null; appVersion: string | null; card: string | null; pinnedOperations: string | null; renew: boolean; tags: string[]; registeredAt: string | null; lastSeenAt: string | null; createdAt: string; updatedAt: string };
  };
  /** Give a gateway exactly these tags */
  "PUT /api/v1/gateways/{mac}/tags": {
    input: { params: { mac: string }; body: { tags: string[] } };
    reply: { tags: string[] };
  };
  /** What happened with a gateway, the newest first: its history, its commands, what it pushed */
  "GET /api/v1/gateways/{mac}/timeline": {
    input: { params: { mac: string }; query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; at: string; kind: "registered" | "online" | "offline" | "changed" | "removed" | "restored" | "bound" | "unbound" | "reset" | "plugin" | "command" | "message"; detail: Record<string, unknown> }>; next?: string };
  };
  /** How many gateways a filter and a group find */
  "GET /api/v1/gateways/count": {
    input: { query?: { filter?: string; group?: string } };
    reply: { gateways: number };
  };
  /** Every gateway that a filter finds, as CSV that can be imported again */
  "GET /api/v1/gateways/export": {
    input: { query?: { filter?: string } };
    reply: Response;
  };
  /** Changes of routes, the oldest first */
  "GET /api/v1/gns/changes": {
    input: { query?: { cursor?: string; limit?: number; state?: "waiting" | "valid" | "refused" } };
    reply: { items: Array<{ id: number; change: "add" | "delete" | "update"; state: "waiting" | "valid" | "refused"; source: string; decidedBy: string | null; createdAt: string; kind: "mt" | "mo"; routeId: number; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode: string; userType: number; spId: string; spCode: string; spAccessType: number; serviceId: string; startCode: number; endCode: number; timeStamp: string }>; next?: string };
  };
  /** Let a change that waits count; gateways are told */
  "POST /api/v1/gns/changes/{id}/approve": {
    input: { params: { id: string }; key?: string };
    reply: { id: number; change: "add" | "delete" | "update"; state: "waiting" | "valid" | "refused"; source: string; decidedBy: string | null; createdAt: string; kind: "mt" | "mo"; routeId: number; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode: string; userType: number; spId: string; spCode: string; spAccessType: number; serviceId: string; startCode: number; endCode: number; timeStamp: string };
  };
  /** Refuse a change that waits */
  "POST /api/v1/gns/changes/{id}/refuse": {
    input: { params: { id: string }; key?: string };
    reply: { id: number; change: "add" | "delete" | "update"; state: "waiting" | "valid" | "refused"; source: string; decidedBy: string | null; createdAt: string; kind: "mt" | "mo"; routeId: number; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode: string; userType: number; spId: string; spCode: string; spAccessType: number; serviceId: string; startCode: number; endCode: number; timeStamp: string };
  };
  /** All gateways of this name server */
  "GET /api/v1/gns/gateways": {
    input: Record<never, never>;
    reply: { items: Array<{ code: string; address: string | null; trusted: boolean; version: string; told: number; createdAt: string; updatedAt: string; updatedBy: string }> };
  };
  /** Create a gateway of this name server, or change it */
  "POST /api/v1/gns/gateways": {
    input: { key?: string; body: { code: string; secret: string; address?: string; trusted?: boolean; version?: "2.0" | "3.0" } };
    reply: { code: string; address: string | null; trusted: boolean; version: string; told: number; createdAt: string; updatedAt: string; updatedBy: string };
  };
  /** Remove a gateway: it is not let in any more */
  "DELETE /api/v1/gns/gateways/{code}": {
    input: { params: { code: string } };
    reply: undefined;
  };
  /** Routes of this name server by Route_Id */
  "GET /api/v1/gns/routes": {
    input: { query: { cursor?: string; limit?: number; kind: "mt" | "mo" } };
    reply: { items: Array<{ kind: "mt" | "mo"; routeId: number; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode: string; userType: number; spId: string; spCode: string; spAccessType: number; serviceId: string; startCode: number; endCode: number; timeStamp: string; updatedBy: string }>; next?: string };
  };
  /** Create a route; gateways are told */
  "POST /api/v1/gns/routes": {
    input: { key?: string; body: { kind: "mt"; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode?: string; userType?: number } | { kind: "mo"; destinationId: string; gatewayIp: string; gatewayPort: number; spCode: string; spId?: string; spAccessType?: number; serviceId?: string; startCode?: number; endCode?: number } };
    reply: { kind: "mt" | "mo"; routeId: number; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode: string; userType: number; spId: string; spCode: string; spAccessType: number; serviceId: string; startCode: number; endCode: number; timeStamp: string; updatedBy: string };
  };
  /** Remove a route; gateways are told */
  "DELETE /api/v1/gns/routes/{kind}/{routeId}": {
    input: { params: { kind: "mt" | "mo"; routeId: string } };
    reply: undefined;
  };
  /** Change a route; gateways are told */
  "PUT /api/v1/gns/routes/{kind}/{routeId}": {
    input: { params: { kind: "mt" | "mo"; routeId: string }; body: { kind: "mt"; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode?: string; userType?: number } | { kind: "mo"; destinationId: string; gatewayIp: string; gatewayPort: number; spCode: string; spId?: string; spAccessType?: number; serviceId?: string; startCode?: number; endCode?: number } };
    reply: { kind: "mt" | "mo"; routeId: number; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode: string; userType: number; spId: string; spCode: string; spAccessType: number; serviceId: string; startCode: number; endCode: number; timeStamp: string; updatedBy: string };
  };
  /** List groups of gateways */
  "GET /api/v1/groups": {
    input: { query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ name: string; description: string; filter: string | null; gateways: number; createdAt: string; createdBy: string; updatedAt: string }>; next?: string };
  };
  /** Make a group of gateways */
  "POST /api/v1/groups": {
    input: { key?: string; body: { name: string; description?: string; filter?: string | null } };
    reply: { name: string; description: string; filter: string | null; gateways: number; createdAt: string; createdBy: string; updatedAt: string };
  };
  /** Remove a group; its gateways stay */
  "DELETE /api/v1/groups/{name}": {
    input: { params: { name: string }; ifMatch?: string };
    reply: undefined;
  };
  /** One group */
  "GET /api/v1/groups/{name}": {
    input: { params: { name: string } };
    reply: { name: string; description: string; filter: string | null; gateways: number; createdAt: string; createdBy: string; updatedAt: string };
  };
  /** Change a group's description or filter */
  "PATCH /api/v1/groups/{name}": {
    input: { params: { name: string }; ifMatch?: string; body: { description?: string; filter?: string } };
    reply: { name: string; description: string; filter: string | null; gateways: number; createdAt: string; createdBy: string; updatedAt: string };
  };
  /** Put gateways into a group, and take others out */
  "POST /api/v1/groups/{name}/members": {
    input: { params: { name: string }; key?: string; body: { add?: string[]; remove?: string[] } };
    reply: { added: number; removed: number };
  };
  /** List API keys */
  "GET /api/v1/keys": {
    input: { query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; name: string; hint: string; permissions: string[]; groups: string[] | null; createdAt: string; createdBy: string; expiresAt: string | null; lastUsedAt: string | null; revokedAt: string | null }>; next?: string };
  };
  /** Make an API key */
  "POST /api/v1/keys": {
    input: { body: { name: string; permissions: ("gateways:read" | "gateways:write" | "commands:read" | "commands:run" | "plugins:read" | "plugins:write" | "plugins:install" | "policies:read" | "policies:write" | "rollouts:read" | "rollouts:write" | "rollouts:approve" | "messages:read" | "sms:read" | "sms:write" | "sms:content" | "alarms:read" | "alarms:write" | "webhooks:write" | "trust:write" | "people:write" | "audit:read" | "app_users:read" | "app_users:write" | "system:write")[]; groups?: string[] | null; expiresAt?: string } };
    reply: { key: string; id: string; name: string; hint: string; permissions: string[]; groups: string[] | null; createdAt: string; createdBy: string; expiresAt: string | null; lastUsedAt: string | null; revokedAt: string | null };
  };
  /** Revoke an API key */
  "DELETE /api/v1/keys/{id}": {
    input: { params: { id: string } };
    reply: undefined;
  };
  /** Who asks, and what they may */
  "GET /api/v1/me": {
    input: Record<never, never>;
    reply: { kind: string; id: string; name: string; permissions: string[]; groups: string[] | null };
  };
  /** Change one's own password */
  "PUT /api/v1/me/password": {
    input: { body: { current: string; password: string } };
    reply: { token: string; expiresAt: string };
  };
  /** What gateways have pushed, newest first */
  "GET /api/v1/messages": {
    input: { query?: { mac?: string | readonly string[]; group?: string; filter?: string; plugin?: string; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; mac: string; plugin: string; time: string; receivedAt: string; base64: string; text: string | null }>; next?: string };
  };
  /** What gateways push, as it comes */
  "GET /api/v1/messages/stream": {
    input: { query?: { mac?: string | readonly string[]; group?: string; filter?: string; plugin?: string; after?: number } };
    reply: Response;
  };
  /** List operators */
  "GET /api/v1/operators": {
    input: { query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; name: string; role: "admin" | "operator" | "support" | "viewer" | "app_service"; groups: string[] | null; disabled: boolean; createdAt: string; createdBy: string; updatedAt: string; signedInAt: string | null }>; next?: string };
  };
  /** Add an operator */
  "POST /api/v1/operators": {
    input: { key?: string; body: { name: string; password: string; role: "admin" | "operator" | "support" | "viewer" | "app_service"; groups?: string[] | null } };
    reply: { id: string; name: string; role: "admin" | "operator" | "support" | "viewer" | "app_service"; groups: string[] | null; disabled: boolean; createdAt: string; createdBy: string; updatedAt: string; signedInAt: string | null };
  };
  /** Remove an operator */
  "DELETE /api/v1/operators/{id}": {
    input: { params: { id: string }; ifMatch?: string };
    reply: undefined;
  };
  /** One operator */
  "GET /api/v1/operators/{id}": {
    input: { params: { id: string } };
    reply: { id: string; name: string; role: "admin" | "operator" | "support" | "viewer" | "app_service"; groups: string[] | null; disabled: boolean; createdAt: string; createdBy: string; updatedAt: string; signedInAt: string | null };
  };
  /** Change an operator */
  "PATCH /api/v1/operators/{id}": {
    input: { params: { id: string }; ifMatch?: string; body: { role?: "admin" | "operator" | "support" | "viewer" | "app_service"; groups?: string[] | null; disabled?: boolean; password?: string } };
    reply: { id: string; name: string; role: "admin" | "operator" | "support" | "viewer" | "app_service"; groups: string[] | null; disabled: boolean; createdAt: string; createdBy: string; updatedAt: string; signedInAt: string | null };
  };
  /** The whole fleet in figures, some seconds old */
  "GET /api/v1/overview": {
    input: Record<never, never>;
    reply: { preset: number; registered: number; online: number; regions: Array<{ name: string | null; total: number; online: number }>; models: Array<{ name: string | null; total: number; online: number }>; firmware: Array<{ name: string | null; total: number; online: number }>; commands: Record<string, number>; history: { stepSeconds: number; until: string; series: Record<string, number[]> } };
  };
  /** The plug-ins in the repository: by name, each in the order of its uploads */
  "GET /api/v1/plugins": {
    input: { query?: { cursor?: string; limit?: number; name?: string; channel?: "stable" | "beta" | "none"; uploadedBy?: string; signedBy?: string } };
    reply: { items: Array<{ name: string; version: string; size: number; sha256: string; manifest: Record<string, unknown>; format: "script" | "package"; signedBy: string[]; trust: { tier: "carrier" | "vendor" | "community" | "unsigned" | "refused"; key: string | null; reason: string | null }; channel: "stable" | "beta" | null; channelAt: string; channelBy: string; notes: string; uploadedAt: string; uploadedBy: string }>; next?: string };
  };
  /** Add a plug-in to the repository */
  "POST /api/v1/plugins": {
    input: { query?: { channel?: "stable" | "beta" | "none"; notes?: string }; body: RawBody };
    reply: { name: string; version: string; size: number; sha256: string; manifest: Record<string, unknown>; format: "script" | "package"; signedBy: string[]; trust: { tier: "carrier" | "vendor" | "community" | "unsigned" | "refused"; key: string | null; reason: string | null }; channel: "stable" | "beta" | null; channelAt: string; channelBy: string; notes: string; uploadedAt: string; uploadedBy: string };
  };
  /** Remove a version from the repository */
  "DELETE /api/v1/plugins/{name}/{version}": {
    input: { params: { name: string; version: string }; query?: { force?: boolean }; ifMatch?: string };
    reply: undefined;
  };
  /** One version of a plug-in */
  "GET /api/v1/plugins/{name}/{version}": {
    input: { params: { name: string; version: string } };
    reply: { name: string; version: string; size: number; sha256: string; manifest: Record<string, unknown>; format: "script" | "package"; signedBy: string[]; trust: { tier: "carrier" | "vendor" | "community" | "unsigned" | "refused"; key: string | null; reason: string | null }; channel: "stable" | "beta" | null; channelAt: string; channelBy: string; notes: string; uploadedAt: string; uploadedBy: string };
  };
  /** Change a version's notes or channel */
  "PATCH /api/v1/plugins/{name}/{version}": {
    input: { params: { name: string; version: string }; ifMatch?: string; body: { notes?: string; channel?: "stable" | "beta" | "none" } };
    reply: { name: string; version: string; size: number; sha256: string; manifest: Record<string, unknown>; format: "script" | "package"; signedBy: string[]; trust: { tier: "carrier" | "vendor" | "community" | "unsigned" | "refused"; key: string | null; reason: string | null }; channel: "stable" | "beta" | null; channelAt: string; channelBy: string; notes: string; uploadedAt: string; uploadedBy: string };
  };
  /** Offer a version to fewer gateways: from stable back to beta, from there to nobody */
  "POST /api/v1/plugins/{name}/{version}/demote": {
    input: { params: { name: string; version: string }; key?: string };
    reply: { name: string; version: string; size: number; sha256: string; manifest: Record<string, unknown>; format: "script" | "package"; signedBy: string[]; trust: { tier: "carrier" | "vendor" | "community" | "unsigned" | "refused"; key: string | null; reason: string | null }; channel: "stable" | "beta" | null; channelAt: string; channelBy: string; notes: string; uploadedAt: string; uploadedBy: string };
  };
  /** Offer a version to more gateways: into beta, from there to stable */
  "POST /api/v1/plugins/{name}/{version}/promote": {
    input: { params: { name: string; version: string }; key?: string };
    reply: { name: string; version: string; size: number; sha256: string; manifest: Record<string, unknown>; format: "script" | "package"; signedBy: string[]; trust: { tier: "carrier" | "vendor" | "community" | "unsigned" | "refused"; key: string | null; reason: string | null }; channel: "stable" | "beta" | null; channelAt: string; channelBy: string; notes: string; uploadedAt: string; uploadedBy: string };
  };
  /** The manifests of the plug-ins that gateways of this version ship with */
  "GET /api/v1/plugins/shipped": {
    input: Record<never, never>;
    reply: { items: Array<{ name: string; manifest: Record<string, unknown> }> };
  };
  /** The roles, and what each may do */
  "GET /api/v1/roles": {
    input: Record<never, never>;
    reply: { roles: Array<{ name: string; permissions: string[] }>; permissions: Array<{ name: string; lets: string }> };
  };
  /** List rollouts, the newest first */
  "GET /api/v1/rollouts": {
    input: { query?: { status?: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null }>; next?: string };
  };
  /** Make a rollout: one action on many gateways, stage by stage */
  "POST /api/v1/rollouts": {
    input: { key?: string; body: { name: string; description?: string; action: { kind: "install"; plugin: string; version: string } | { kind: "uninstall"; plugin: string } | { kind: "configure"; plugin: string; parameter: Record<string, unknown> } | { kind: "post"; plugin?: string; parameter: Record<string, unknown> } | { kind: "redistribute"; mode?: 0 | 1; address: string }; filter?: string; group?: string; stages?: Array<{ name?: string; percent: number; successThreshold?: number; errorThreshold?: number }>; maxInFlight?: number; perMinute?: number; commandTimeoutMs?: number; maxAttempts?: number; window?: { days: number[]; from: string; to: string; utcOffsetMinutes?: number }; needsApproval?: boolean; startAt?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Remove a rollout that is not under way */
  "DELETE /api/v1/rollouts/{id}": {
    input: { params: { id: string } };
    reply: undefined;
  };
  /** One rollout, and how far it is */
  "GET /api/v1/rollouts/{id}": {
    input: { params: { id: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Give a rollout that does not run other brakes: its rate, its window, its thresholds */
  "PATCH /api/v1/rollouts/{id}": {
    input: { params: { id: string }; ifMatch?: string; body: { maxInFlight?: number; perMinute?: number; window?: { days: number[]; from: string; to: string; utcOffsetMinutes?: number } | null; stages?: Array<{ successThreshold?: number; errorThreshold?: number }> } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** End a rollout for good */
  "POST /api/v1/rollouts/{id}/abort": {
    input: { params: { id: string }; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Approve a rollout that somebody else made */
  "POST /api/v1/rollouts/{id}/approve": {
    input: { params: { id: string }; ifMatch?: string; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** How a rollout goes on, as server-sent events */
  "GET /api/v1/rollouts/{id}/events": {
    input: { params: { id: string } };
    reply: Response;
  };
  /** The gateways of a rollout, and how each ended */
  "GET /api/v1/rollouts/{id}/gateways": {
    input: { params: { id: string }; query?: { status?: "waiting" | "issued" | "succeeded" | "failed" | "skipped"; cursor?: string; limit?: number } };
    reply: { items: Array<{ mac: string; stage: number; status: "waiting" | "issued" | "succeeded" | "failed" | "skipped"; commandId: string | null; attempt: number; error: { code: string; message: string } | null; previousVersion: string | null; finishedAt: string | null }>; next?: string };
  };
  /** Begin with no more gateways for now */
  "POST /api/v1/rollouts/{id}/pause": {
    input: { params: { id: string }; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Go on with a paused rollout */
  "POST /api/v1/rollouts/{id}/resume": {
    input: { params: { id: string }; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Try the gateways again on which it failed */
  "POST /api/v1/rollouts/{id}/retry": {
    input: { params: { id: string }; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Make the rollout that takes back what this one did where it succeeded; it is a draft */
  "POST /api/v1/rollouts/{id}/rollback": {
    input: { params: { id: string }; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Start a draft: at once, at its time, or when it is approved */
  "POST /api/v1/rollouts/{id}/start": {
    input: { params: { id: string }; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; description: string; kind: "install" | "uninstall" | "configure" | "post" | "redistribute"; plugin: string; version: string; parameter: Record<string, unknown>; filter: string | null; group: string | null; status: "draft" | "approval" | "scheduled" | "running" | "paused" | "finished" | "aborted"; reason: string | null; stage: number; stages: Array<{ name: string; total: number; successThreshold: number; errorThreshold: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number } }>; total: number; counts: { waiting: number; issued: number; succeeded: number; failed: number; skipped: number }; maxInFlight: number; perMinute: number; commandTimeoutMs: number; maxAttempts: number; window: { days: number[]; from: string; to: string; utcOffsetMinutes: number } | null; needsApproval: boolean; approvedAt: string | null; approvedBy: string | null; startAt: string | null; createdAt: string; createdBy: string; startedAt: string | null; finishedAt: string | null; reverts: string | null };
  };
  /** Emergency stop: pause every rollout */
  "POST /api/v1/rollouts/stop": {
    input: { key?: string; body?: { reason?: string } };
    reply: { paused: string[] };
  };
  /** Sign in as an operator */
  "POST /api/v1/sessions": {
    input: { body: { name: string; password: string } };
    reply: { token: string; expiresAt: string };
  };
  /** Sign out */
  "DELETE /api/v1/sessions/current": {
    input: Record<never, never>;
    reply: undefined;
  };
  /** All service providers */
  "GET /api/v1/sms/accounts": {
    input: Record<never, never>;
    reply: { items: Array<{ spId: string; spCode: string; serviceIds: string[]; addresses: string[]; version: string; maxConnections: number; ratePerSecond: number; window: number; times: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null; connections: number; createdAt: string; updatedAt: string }> };
  };
  /** Create a service provider, or set it anew */
  "POST /api/v1/sms/accounts": {
    input: { key?: string; body: { spId: string; secret: string; spCode: string; serviceIds?: string[]; addresses?: string[]; version?: "2.0" | "2.1" | "3.0"; maxConnections?: number; ratePerSecond?: number; window?: number; times?: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null } };
    reply: { spId: string; spCode: string; serviceIds: string[]; addresses: string[]; version: string; maxConnections: number; ratePerSecond: number; window: number; times: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null; connections: number; createdAt: string; updatedAt: string };
  };
  /** Remove a service provider and end its connections */
  "DELETE /api/v1/sms/accounts/{spId}": {
    input: { params: { spId: string }; ifMatch?: string };
    reply: undefined;
  };
  /** A service provider */
  "GET /api/v1/sms/accounts/{spId}": {
    input: { params: { spId: string } };
    reply: { spId: string; spCode: string; serviceIds: string[]; addresses: string[]; version: string; maxConnections: number; ratePerSecond: number; window: number; times: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null; connections: number; createdAt: string; updatedAt: string };
  };
  /** Change a service provider */
  "PATCH /api/v1/sms/accounts/{spId}": {
    input: { params: { spId: string }; ifMatch?: string; body: { secret?: string; spCode?: string; serviceIds?: string[]; addresses?: string[]; version?: "2.0" | "2.1" | "3.0"; maxConnections?: number; ratePerSecond?: number; window?: number; times?: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null } };
    reply: { spId: string; spCode: string; serviceIds: string[]; addresses: string[]; version: string; maxConnections: number; ratePerSecond: number; window: number; times: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null; connections: number; createdAt: string; updatedAt: string };
  };
  /** Alarms: those that are raised, then the last ones that are over */
  "GET /api/v1/sms/alarms": {
    input: { query?: { state?: "raised" | "cleared" } };
    reply: { items: Array<{ id: number; kind: "outlet_down" | "queue_age" | "provider_away" | "flow_control" | "ids_ahead" | "unreadable"; subject: string; detail: string; raisedAt: string; clearedAt: string | null }> };
  };
  /** Connections that are there now */
  "GET /api/v1/sms/connections": {
    input: Record<never, never>;
    reply: { items: Array<{ id: string; spId: string | null; address: string; kind: "long" | "short"; version: string | null; connectedAt: string; submitted: number; delivered: number; working: number; unanswered: number }> };
  };
  /** End a connection: its provider may come again */
  "DELETE /api/v1/sms/connections/{id}": {
    input: { params: { id: string } };
    reply: undefined;
  };
  /** Messages to phones, the newest first, without what they say */
  "GET /api/v1/sms/messages": {
    input: { query?: { cursor?: string; limit?: number; spId?: string; state?: "scheduled" | "waiting" | "sent" | "delivered" | "failed" | "cancelled"; destination?: string } };
    reply: { items: Array<{ msgId: string; spId: string; serviceId: string; destination: string; state: "scheduled" | "waiting" | "sent" | "delivered" | "failed" | "cancelled"; stat: string | null; submittedAt: string; dueAt: string; expiresAt: string; doneAt: string | null }>; next?: string };
  };
  /** A message with what it says */
  "GET /api/v1/sms/messages/{msgId}": {
    input: { params: { msgId: string } };
    reply: { msgId: string; spId: string; serviceId: string; destination: string; state: "scheduled" | "waiting" | "sent" | "delivered" | "failed" | "cancelled"; stat: string | null; submittedAt: string; dueAt: string; expiresAt: string; doneAt: string | null; source: string; msgFmt: number; text: string | null; content: string };
  };
  /** Messages that say something, the newest first */
  "POST /api/v1/sms/messages/search": {
    input: { body: { text: string; cursor?: string; limit?: number; spId?: string; state?: "scheduled" | "waiting" | "sent" | "delivered" | "failed" | "cancelled"; destination?: string } };
    reply: { items: Array<{ msgId: string; spId: string; serviceId: string; destination: string; state: "scheduled" | "waiting" | "sent" | "delivered" | "failed" | "cancelled"; stat: string | null; submittedAt: string; dueAt: string; expiresAt: string; doneAt: string | null; source: string; msgFmt: number; text: string | null; content: string }>; nextCursor: string | null };
  };
  /** The name server that this gateway asks */
  "GET /api/v1/sms/name-server": {
    input: Record<never, never>;
    reply: { address: string; code: string | null; version: string | null; proveAnswer: boolean; refreshedAt: string | null; lastError: string | null };
  };
  /** Say who the name server is */
  "PUT /api/v1/sms/name-server": {
    input: { body: { code: string; secret: string; version?: "2.0" | "3.0"; proveAnswer?: boolean } };
    reply: { address: string; code: string | null; version: string | null; proveAnswer: boolean; refreshedAt: string | null; lastError: string | null };
  };
  /** Take the name server's whole table over now */
  "POST /api/v1/sms/name-server/refresh": {
    input: { key?: string };
    reply: { address: string; code: string | null; version: string | null; proveAnswer: boolean; refreshedAt: string | null; lastError: string | null };
  };
  /** Tell the name server of a route: add, change or delete it there */
  "POST /api/v1/sms/name-server/routes": {
    input: { key?: string; body: { kind: "mt"; destinationId: string; gatewayIp: string; gatewayPort: number; startId: string; endId: string; areaCode?: string; userType?: number; change?: "add" | "delete" | "update"; routeId?: number } | { kind: "mo"; destinationId: string; gatewayIp: string; gatewayPort: number; spCode: string; spId?: string; spAccessType?: number; serviceId?: string; startCode?: number; endCode?: number; change?: "add" | "delete" | "update"; routeId?: number } };
    reply: { routeId: number; timeStamp: string };
  };
  /** The ways to short-message centres, and how they are */
  "GET /api/v1/sms/outlets": {
    input: Record<never, never>;
    reply: { items: Array<{ name: string; connected: boolean; since: string; unanswered: number; unreported: number; lastError: string | null }> };
  };
  /** All gateways that messages are exchanged with */
  "GET /api/v1/sms/peers": {
    input: Record<never, never>;
    reply: { items: Array<{ code: string; address: string | null; version: string; window: number; times: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null; proveAnswer: boolean; connected: boolean; lastError: string | null; waiting: number; createdAt: string; updatedAt: string; updatedBy: string }> };
  };
  /** Create another gateway to exchange messages with, or change it */
  "POST /api/v1/sms/peers": {
    input: { key?: string; body: { code: string; secret: string; address?: string; version?: "2.0" | "3.0"; window?: number; times?: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null; proveAnswer?: boolean } };
    reply: { code: string; address: string | null; version: string; window: number; times: { responseSeconds?: number; activeTestSeconds?: number; attempts?: number } | null; proveAnswer: boolean; connected: boolean; lastError: string | null; waiting: number; createdAt: string; updatedAt: string; updatedBy: string };
  };
  /** Remove a gateway and end its connections */
  "DELETE /api/v1/sms/peers/{code}": {
    input: { params: { code: string } };
    reply: undefined;
  };
  /** Connections with gateways that are there now */
  "GET /api/v1/sms/peers/connections": {
    input: Record<never, never>;
    reply: { items: Array<{ peer: string | null; address: string; direction: "in" | "out"; version: string | null; connectedAt: string; sent: number; received: number; working: number; unanswered: number }> };
  };
  /** What is kept on disk for gateways: reports and phones' messages */
  "GET /api/v1/sms/peers/queues": {
    input: Record<never, never>;
    reply: { items: Array<{ peer: string; state: string; count: number }> };
  };
  /** What waits for each provider */
  "GET /api/v1/sms/queues": {
    input: Record<never, never>;
    reply: { items: Array<{ spId: string; kind: string; count: number; oldestAt: string }> };
  };
  /** Messages from phones, the newest first, without what they say */
  "GET /api/v1/sms/received": {
    input: { query?: { cursor?: string; limit?: number; spId?: string; state?: "waiting" | "delivered" | "failed"; source?: string } };
    reply: { items: Array<{ id: number; msgId: string; spId: string; serviceId: string; source: string; destination: string; state: "waiting" | "delivered" | "failed"; result: number | null; receivedAt: string; doneAt: string | null }>; next?: string };
  };
  /** A message from a phone with what it says */
  "GET /api/v1/sms/received/{id}": {
    input: { params: { id: string } };
    reply: { id: number; msgId: string; spId: string; serviceId: string; source: string; destination: string; state: "waiting" | "delivered" | "failed"; result: number | null; receivedAt: string; doneAt: string | null; msgFmt: number; text: string | null; content: string };
  };
  /** Messages from phones that say something, the newest first */
  "POST /api/v1/sms/received/search": {
    input: { body: { text: string; cursor?: string; limit?: number; spId?: string; state?: "waiting" | "delivered" | "failed"; source?: string } };
    reply: { items: Array<{ id: number; msgId: string; spId: string; serviceId: string; source: string; destination: string; state: "waiting" | "delivered" | "failed"; result: number | null; receivedAt: string; doneAt: string | null; msgFmt: number; text: string | null; content: string }>; nextCursor: string | null };
  };
  /** Routes, the operators' and those that the name server told, by id */
  "GET /api/v1/sms/routes": {
    input: { query?: { cursor?: string; limit?: number; kind?: "mt" | "mo"; origin?: "operator" | "name_server" } };
    reply: { items: Array<{ id: string; kind: "mt" | "mo"; first: string; last: string; target: string; origin: "operator" | "name_server"; address: string | null; timeStamp: string; updatedAt: string; updatedBy: string }>; next?: string };
  };
  /** Create a route */
  "POST /api/v1/sms/routes": {
    input: { key?: string; body: { kind: "mt" | "mo"; first: string; last?: string; target: "local" | "none" | string } };
    reply: { id: string; kind: "mt" | "mo"; first: string; last: string; target: string; origin: "operator" | "name_server"; address: string | null; timeStamp: string; updatedAt: string; updatedBy: string };
  };
  /** Remove a route */
  "DELETE /api/v1/sms/routes/{id}": {
    input: { params: { id: string }; ifMatch?: string };
    reply: undefined;
  };
  /** One route */
  "GET /api/v1/sms/routes/{id}": {
    input: { params: { id: string } };
    reply: { id: string; kind: "mt" | "mo"; first: string; last: string; target: string; origin: "operator" | "name_server"; address: string | null; timeStamp: string; updatedAt: string; updatedBy: string };
  };
  /** Change a route */
  "PUT /api/v1/sms/routes/{id}": {
    input: { params: { id: string }; ifMatch?: string; body: { kind: "mt" | "mo"; first: string; last?: string; target: "local" | "none" | string } };
    reply: { id: string; kind: "mt" | "mo"; first: string; last: string; target: string; origin: "operator" | "name_server"; address: string | null; timeStamp: string; updatedAt: string; updatedBy: string };
  };
  /** Which way a message to a number would go now */
  "GET /api/v1/sms/routes/way": {
    input: { query: { kind: "mt" | "mo"; number: string } };
    reply: { way: string; route: { id: string; kind: "mt" | "mo"; first: string; last: string; target: string; origin: "operator" | "name_server"; address: string | null; timeStamp: string; updatedAt: string; updatedBy: string } | null };
  };
  /** Have the simulated short-message centre behave as it was started */
  "DELETE /api/v1/sms/simulator": {
    input: Record<never, never>;
    reply: { latencyMs: unknown[]; outcomes: Record<string, number>; silent: number; refused: { share: number; stat: string }; busy: boolean };
  };
  /** How the simulated short-message centre behaves */
  "GET /api/v1/sms/simulator": {
    input: Record<never, never>;
    reply: { latencyMs: unknown[]; outcomes: Record<string, number>; silent: number; refused: { share: number; stat: string }; busy: boolean };
  };
  /** Have the simulated short-message centre behave so, also after a restart */
  "PUT /api/v1/sms/simulator": {
    input: { body: { latencyMs?: unknown[]; outcomes?: Record<string, number>; silent?: number; refused?: { share: number; stat?: string }; busy?: boolean } };
    reply: { latencyMs: unknown[]; outcomes: Record<string, number>; silent: number; refused: { share: number; stat: string }; busy: boolean };
  };
  /** A simulated phone writes to a provider */
  "POST /api/v1/sms/simulator/mo": {
    input: { key?: string; body: { from: string; to: string; text: string } };
    reply: { parts: number };
  };
  /** How much is under way */
  "GET /api/v1/sms/status": {
    input: Record<never, never>;
    reply: { connections: number; backlog: number; oldestWaitingAt: string | null; writesWaiting: number; results: Record<string, number>; utcOffsetMinutes: number };
  };
  /** What QUERY counts, by day and provider */
  "GET /api/v1/sms/traffic": {
    input: { query: { from: string; to?: string; spId?: string; by?: "provider" | "service" } };
    reply: { items: Array<{ day: string; spId: string; serviceId: string | null; mtMessages: number; mtUsers: number; mtSent: number; mtFailed: number; moTaken: number; moDelivered: number; moFailed: number }> };
  };
  /** What passed in the last 120 minutes or 48 hours */
  "GET /api/v1/sms/traffic/live": {
    input: { query?: { by?: "minute" | "hour" } };
    reply: { items: Array<{ at: string; submitted: number; delivered: number; failed: number; mo: number }> };
  };
  /** The tags in use */
  "GET /api/v1/tags": {
    input: Record<never, never>;
    reply: { items: Array<{ tag: string; gateways: number }> };
  };
  /** Put tags on, and take tags from, every gateway that a filter finds */
  "POST /api/v1/tags": {
    input: { key?: string; body: { filter: string; add?: string[]; remove?: string[] } };
    reply: { added: number; removed: number };
  };
  /** The policy, the keys, and what each tier may ask for */
  "GET /api/v1/trust": {
    input: Record<never, never>;
    reply: { requireSigned: string; keys: Array<{ id: string; name: string; tier: "carrier" | "vendor" | "community"; publicKey: string; state: "trusted" | "expired" | "revoked"; addedAt: string; until: string | null; revokedAt: string | null; reason: string | null }>; tiers: Record<string, unknown> };
  };
  /** Trusts a key */
  "POST /api/v1/trust/keys": {
    input: { key?: string; body: { publicKey: string; tier: "carrier" | "vendor" | "community"; name?: string; until?: string } };
    reply: { id: string; name: string; tier: "carrier" | "vendor" | "community"; publicKey: string; state: "trusted" | "expired" | "revoked"; addedAt: string; until: string | null; revokedAt: string | null; reason: string | null };
  };
  /** Revokes a key for good; plug-ins that only it signed are stopped */
  "POST /api/v1/trust/keys/{id}/revoke": {
    input: { params: { id: string }; key?: string; body?: { reason?: string } };
    reply: { id: string; name: string; tier: "carrier" | "vendor" | "community"; publicKey: string; state: "trusted" | "expired" | "revoked"; addedAt: string; until: string | null; revokedAt: string | null; reason: string | null };
  };
  /** Lets another key take the place of one */
  "POST /api/v1/trust/keys/{id}/rotate": {
    input: { params: { id: string }; key?: string; body: { publicKey: string; name?: string; overlapSeconds?: number } };
    reply: { id: string; name: string; tier: "carrier" | "vendor" | "community"; publicKey: string; state: "trusted" | "expired" | "revoked"; addedAt: string; until: string | null; revokedAt: string | null; reason: string | null };
  };
  /** Sets what plug-ins of a tier may ask for; null: whatever the gateway offers */
  "PUT /api/v1/trust/tiers/{tier}": {
    input: { params: { tier: "carrier" | "vendor" | "community" | "unsigned" }; body: { capabilities?: string[]; limits?: Record<string, number>; peers?: string[]; hosts?: string[]; parameters?: { read?: string[]; write?: string[] } } | null };
    reply: undefined;
  };
  /** What webhooks can hear of, and the permission that each needs */
  "GET /api/v1/webhook-events": {
    input: Record<never, never>;
    reply: { items: Array<{ type: string; summary: string; permission: string }> };
  };
  /** List webhooks */
  "GET /api/v1/webhooks": {
    input: { query?: { cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; url: string; description: string; events: ("gateway.registered" | "gateway.online" | "gateway.offline" | "command.ended" | "rollout.changed" | "alarm.raised" | "alarm.cleared" | "alarm.acknowledged" | "message.pushed" | "plugin.uploaded")[]; groups: string[] | null; enabled: boolean; disabledReason: "gone" | "failing" | null; failingSince: string | null; waiting: number; dropped: number; oldSecretUntil: string | null; createdAt: string; createdBy: string; updatedAt: string }>; next?: string };
  };
  /** Add a webhook */
  "POST /api/v1/webhooks": {
    input: { body: { url: string; events: ("gateway.registered" | "gateway.online" | "gateway.offline" | "command.ended" | "rollout.changed" | "alarm.raised" | "alarm.cleared" | "alarm.acknowledged" | "message.pushed" | "plugin.uploaded")[]; description?: string; groups?: string[] | null; enabled?: boolean } };
    reply: { secret: string; id: string; url: string; description: string; events: ("gateway.registered" | "gateway.online" | "gateway.offline" | "command.ended" | "rollout.changed" | "alarm.raised" | "alarm.cleared" | "alarm.acknowledged" | "message.pushed" | "plugin.uploaded")[]; groups: string[] | null; enabled: boolean; disabledReason: "gone" | "failing" | null; failingSince: string | null; waiting: number; dropped: number; oldSecretUntil: string | null; createdAt: string; createdBy: string; updatedAt: string };
  };
  /** Remove a webhook, and what waits for it */
  "DELETE /api/v1/webhooks/{id}": {
    input: { params: { id: string }; ifMatch?: string };
    reply: undefined;
  };
  /** One webhook */
  "GET /api/v1/webhooks/{id}": {
    input: { params: { id: string } };
    reply: { id: string; url: string; description: string; events: ("gateway.registered" | "gateway.online" | "gateway.offline" | "command.ended" | "rollout.changed" | "alarm.raised" | "alarm.cleared" | "alarm.acknowledged" | "message.pushed" | "plugin.uploaded")[]; groups: string[] | null; enabled: boolean; disabledReason: "gone" | "failing" | null; failingSince: string | null; waiting: number; dropped: number; oldSecretUntil: string | null; createdAt: string; createdBy: string; updatedAt: string };
  };
  /** Change a webhook, or have it go on after the platform disabled it */
  "PATCH /api/v1/webhooks/{id}": {
    input: { params: { id: string }; ifMatch?: string; body: { url?: string; events?: ("gateway.registered" | "gateway.online" | "gateway.offline" | "command.ended" | "rollout.changed" | "alarm.raised" | "alarm.cleared" | "alarm.acknowledged" | "message.pushed" | "plugin.uploaded")[]; description?: string; groups?: string[] | null; enabled?: boolean } };
    reply: { id: string; url: string; description: string; events: ("gateway.registered" | "gateway.online" | "gateway.offline" | "command.ended" | "rollout.changed" | "alarm.raised" | "alarm.cleared" | "alarm.acknowledged" | "message.pushed" | "plugin.uploaded")[]; groups: string[] | null; enabled: boolean; disabledReason: "gone" | "failing" | null; failingSince: string | null; waiting: number; dropped: number; oldSecretUntil: string | null; createdAt: string; createdBy: string; updatedAt: string };
  };
  /** What a webhook was told or is to be told, newest first */
  "GET /api/v1/webhooks/{id}/deliveries": {
    input: { params: { id: string }; query?: { state?: "waiting" | "delivered" | "failed"; type?: "gateway.registered" | "gateway.online" | "gateway.offline" | "command.ended" | "rollout.changed" | "alarm.raised" | "alarm.cleared" | "alarm.acknowledged" | "message.pushed" | "plugin.uploaded" | "webhook.test"; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; event: string; type: string; state: "waiting" | "delivered" | "failed"; attempts: number; createdAt: string; deadlineAt: string; nextTryAt: string | null; lastStatus: number | null; lastError: string | null; lastMs: number | null; endedAt: string | null; body: string }>; next?: string };
  };
  /** One delivery */
  "GET /api/v1/webhooks/{id}/deliveries/{delivery}": {
    input: { params: { id: string; delivery: string } };
    reply: { id: string; event: string; type: string; state: "waiting" | "delivered" | "failed"; attempts: number; createdAt: string; deadlineAt: string; nextTryAt: string | null; lastStatus: number | null; lastError: string | null; lastMs: number | null; endedAt: string | null; body: string };
  };
  /** Tell it again, or at once: the same event under the same id */
  "POST /api/v1/webhooks/{id}/deliveries/{delivery}/redeliver": {
    input: { params: { id: string; delivery: string }; key?: string };
    reply: { id: string; event: string; type: string; state: "waiting" | "delivered" | "failed"; attempts: number; createdAt: string; deadlineAt: string; nextTryAt: string | null; lastStatus: number | null; lastError: string | null; lastMs: number | null; endedAt: string | null; body: string };
  };
  /** Give a webhook a new secret */
  "POST /api/v1/webhooks/{id}/secret": {
    input: { params: { id: string }; body?: { graceSeconds?: number } };
    reply: { secret: string; oldSecretUntil: string | null };
  };
  /** Send a webhook an event that means nothing */
  "POST /api/v1/webhooks/{id}/test": {
    input: { params: { id: string }; key?: string };
    reply: { id: string; event: string; type: string; state: "waiting" | "delivered" | "failed"; attempts: number; createdAt: string; deadlineAt: string; nextTryAt: string | null; lastStatus: number | null; lastError: string | null; lastMs: number | null; endedAt: string | null; body: string };
  };
  /** The user's bindings */
  "GET /app/v1/bindings": {
    input: Record<never, never>;
    reply: { items: Array<{ mac: string; boundAt: string }> };
  };
  /** Bind a gateway that the app stands beside */
  "POST /app/v1/bindings": {
    input: { key?: string; body: { sn: string; loid: string } };
    reply: { mac: string; boundAt: string };
  };
  /** Give a gateway up */
  "DELETE /app/v1/bindings/{mac}": {
    input: { params: { mac: string } };
    reply: undefined;
  };
  /** The user's gateways */
  "GET /app/v1/gateways": {
    input: Record<never, never>;
    reply: { items: Array<{ mac: string; vendor: string | null; model: string | null; firmware: string | null; online: boolean; lastSeenAt: string | null; boundAt: string; role: "owner" | "member"; rights: "use" | "view" }> };
  };
  /** One of the user's gateways */
  "GET /app/v1/gateways/{mac}": {
    input: { params: { mac: string } };
    reply: { mac: string; vendor: string | null; model: string | null; firmware: string | null; online: boolean; lastSeenAt: string | null; boundAt: string; role: "owner" | "member"; rights: "use" | "view" };
  };
  /** What the gateway's plug-ins can be asked, and from where */
  "GET /app/v1/gateways/{mac}/capabilities": {
    input: { params: { mac: string } };
    reply: { items: Array<{ plugin: string; version: string; running: boolean; commands: Array<{ cmdType: string; right: "local" | "remote" | "both" | "none" }> | null }> };
  };
  /** Call the gateway to its plug-in channel */
  "POST /app/v1/gateways/{mac}/connect": {
    input: { params: { mac: string }; key?: string };
    reply: { state: "idle" | "connecting" | "connected" | "failed"; reason?: { code: "gateway_offline" | "timed_out"; message: string }; retryAfterMs?: number };
  };
  /** Whether the gateway is on its plug-in channel */
  "GET /app/v1/gateways/{mac}/connection": {
    input: { params: { mac: string } };
    reply: { state: "idle" | "connecting" | "connected" | "failed"; reason?: { code: "gateway_offline" | "timed_out"; message: string }; retryAfterMs?: number };
  };
  /** How the gateway's connection goes on, as it happens */
  "GET /app/v1/gateways/{mac}/connection/stream": {
    input: { params: { mac: string } };
    reply: Response;
  };
  /** A gateway's invitations that wait for an answer */
  "GET /app/v1/gateways/{mac}/invitations": {
    input: { params: { mac: string } };
    reply: { items: Array<{ id: string; name: string | null; rights: "use" | "view"; createdAt: string; expiresAt: string }> };
  };
  /** Invite somebody to use a gateway */
  "POST /app/v1/gateways/{mac}/invitations": {
    input: { params: { mac: string }; body: { name?: string; rights?: "use" | "view" } };
    reply: { id: string; name: string | null; rights: "use" | "view"; createdAt: string; expiresAt: string; code?: string };
  };
  /** Take an invitation back */
  "DELETE /app/v1/gateways/{mac}/invitations/{id}": {
    input: { params: { mac: string; id: string } };
    reply: undefined;
  };
  /** Who may use a gateway, its owner first */
  "GET /app/v1/gateways/{mac}/members": {
    input: { params: { mac: string } };
    reply: { items: Array<{ userId: string; name: string; role: "owner" | "member"; rights: "use" | "view"; since: string }> };
  };
  /** Remove a member, or leave (`me`) */
  "DELETE /app/v1/gateways/{mac}/members/{userId}": {
    input: { params: { mac: string; userId: string } };
    reply: undefined;
  };
  /** Change what a member may */
  "PATCH /app/v1/gateways/{mac}/members/{userId}": {
    input: { params: { mac: string; userId: string }; body: { rights: "use" | "view" } };
    reply: undefined;
  };
  /** What one of the user's gateways has pushed, newest first */
  "GET /app/v1/gateways/{mac}/messages": {
    input: { params: { mac: string }; query?: { plugin?: string; cursor?: string; limit?: number } };
    reply: { items: Array<{ id: string; mac: string; plugin: string; time: string; receivedAt: string; base64: string; text: string | null }>; next?: string };
  };
  /** What one of the user's gateways pushes, as it comes */
  "GET /app/v1/gateways/{mac}/messages/stream": {
    input: { params: { mac: string }; query?: { plugin?: string; after?: number } };
    reply: Response;
  };
  /** Ask a plug-in on the gateway, and wait for its answer */
  "POST /app/v1/gateways/{mac}/post": {
    input: { params: { mac: string }; key?: string; body: { plugin?: string; version?: string; parameter: Record<string, unknown>; timeoutMs?: number; concurrent?: boolean } };
    reply: { id: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null };
  };
  /** One of the user's posts, at once or when it has ended */
  "GET /app/v1/gateways/{mac}/posts/{id}": {
    input: { params: { mac: string; id: string }; query?: { wait?: number } };
    reply: { id: string; status: "queued" | "sent" | "acked" | "succeeded" | "failed" | "timed_out" | "cancelled"; result: number | null; reply: Record<string, unknown> | null; error: { code: string; message: string } | null };
  };
  /** What the user is invited to by name */
  "GET /app/v1/invitations": {
    input: Record<never, never>;
    reply: { items: Array<{ id: string; from: string; vendor: string | null; model: string | null; rights: "use" | "view"; expiresAt: string }> };
  };
  /** Turn an invitation down */
  "DELETE /app/v1/invitations/{id}": {
    input: { params: { id: string } };
    reply: undefined;
  };
  /** Accept an invitation */
  "POST /app/v1/invitations/{id}/accept": {
    input: { params: { id: string }; key?: string };
    reply: { mac: string };
  };
  /** Accept an invitation by its code */
  "POST /app/v1/invitations/codes": {
    input: { key?: string; body: { code: string } };
    reply: { mac: string };
  };
  /** Sign out everywhere */
  "DELETE /app/v1/sessions": {
    input: Record<never, never>;
    reply: undefined;
  };
  /** The devices on which the user is signed in */
  "GET /app/v1/sessions": {
    input: Record<never, never>;
    reply: { items: Array<{ id: string; device: string; current: boolean; createdAt: string; renewedAt: string; expiresAt: string }> };
  };
  /** Sign in */
  "POST /app/v1/sessions": {
    input: { body: { name: string; password: string; device?: string } };
    reply: { id: string; token: string; expiresAt: string; refreshToken: string; refreshExpiresAt: string };
  };
  /** Sign out on another device */
  "DELETE /app/v1/sessions/{id}": {
    input: { params: { id: string } };
    reply: undefined;
  };
  /** Sign out on this device */
  "DELETE /app/v1/sessions/current": {
    input: Record<never, never>;
    reply: undefined;
  };
  /** Renew a device's tokens */
  "POST /app/v1/sessions/refresh": {
    input: { body: { refreshToken: string } };
    reply: { id: string; token: string; expiresAt: string; refreshToken: string; refreshExpiresAt: string };
  };
  /** Sign up */
  "POST /app/v1/users": {
    input: { body: { name: string; password: string } };
    reply: { id: string; name: string; createdAt: string };
  };
  /** Delete the account */
  "DELETE /app/v1/users/me": {
    input: { body: { password: string } };
    reply: undefined;
  };
  /** The user who asks */
  "GET /app/v1/users/me": {
    input: Record<never, never>;
    reply: { id: string; name: string; createdAt: string };
  };
  /** Change the password */
  "PUT /app/v1/users/me/password": {
    input: { body: { password: string; newPassword: string } };
    reply: undefined;
  };
  /** The same for people, as a page */
  "GET /docs": {
    input: Record<never, never>;
    reply: Response;
  };
  /** What a gateway fetches to install a plug-in */
  "GET /downloads/{file}": {
    input: { params: { file: string } };
    reply: Response;
  };
  /** Whether all services are up */
  "GET /healthz": {
    input: Record<never, never>;
    reply: { status: "up" | "degraded" | "down"; services: Array<{ name: string; status: "up" | "degraded" | "down"; detail?: string }> };
  };
  /** Metrics in Prometheus' text format */
  "GET /metrics": {
    input: Record<never, never>;
    reply: Response;
  };
  /** This document */
  "GET /openapi.json": {
    input: Record<never, never>;
    reply: Response;
  };
}

/** Posts that take an `Idempotency-Key`. */
export const KEYED: ReadonlySet<string> = new Set([
  "POST /api/v1/alarms/{id}/acknowledge",
  "POST /api/v1/app-users/{id}/lock",
  "POST /api/v1/app-users/{id}/unlock",
  "POST /api/v1/backups",
  "POST /api/v1/commands/{id}/cancel",
  "POST /api/v1/distribution/drain",
  "POST /api/v1/distribution/dry-run",
  "POST /api/v1/distribution/policy/versions/{version}/restore",
  "POST /api/v1/gateways",
  "POST /api/v1/gateways/{mac}/commands",
  "POST /api/v1/gateways/{mac}/plugins",
  "POST /api/v1/gateways/{mac}/plugins/{name}/factory",
  "POST /api/v1/gateways/{mac}/plugins/{name}/run",
  "POST /api/v1/gateways/{mac}/plugins/{name}/stop",
  "POST /api/v1/gateways/{mac}/redistribute",
  "POST /api/v1/gateways/{mac}/restore",
  "POST /api/v1/gns/changes/{id}/approve",
  "POST /api/v1/gns/changes/{id}/refuse",
  "POST /api/v1/gns/gateways",
  "POST /api/v1/gns/routes",
  "POST /api/v1/groups",
  "POST /api/v1/groups/{name}/members",
  "POST /api/v1/operators",
  "POST /api/v1/plugins/{name}/{version}/demote",
  "POST /api/v1/plugins/{name}/{version}/promote",
  "POST /api/v1/rollouts",
  "POST /api/v1/rollouts/{id}/abort",
  "POST /api/v1/rollouts/{id}/approve",
  "POST /api/v1/rollouts/{id}/pause",
  "POST /api/v1/rollouts/{id}/resume",
  "POST /api/v1/rollouts/{id}/retry",
  "POST /api/v1/rollouts/{id}/rollback",
  "POST /api/v1/rollouts/{id}/start",
  "POST /api/v1/rollouts/stop",
  "POST /api/v1/sms/accounts",
  "POST /api/v1/sms/name-server/refresh",
  "POST /api/v1/sms/name-server/routes",
  "POST /api/v1/sms/peers",
  "POST /api/v1/sms/routes",
  "POST /api/v1/sms/simulator/mo",
  "POST /api/v1/tags",
  "POST /api/v1/trust/keys",
  "POST /api/v1/trust/keys/{id}/revoke",
  "POST /api/v1/trust/keys/{id}/rotate",
  "POST /api/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
  "POST /api/v1/webhooks/{id}/test",
  "POST /app/v1/bindings",
  "POST /app/v1/gateways/{mac}/connect",
  "POST /app/v1/gateways/{mac}/post",
  "POST /app/v1/invitations/{id}/accept",
  "POST /app/v1/invitations/codes",
]);
