/**
 * Floor 3: what both roles share of HTTP. Routes are declared once and give checking, types and documentation;
 * errors are problems (RFC 9457); callers prove themselves by bearer tokens.
 *
 * @module
 */
export { loadAdminToken } from "./admin_token.ts";
export { Api, type ApiOptions, type RawHandler } from "./api.ts";
export type { AuditedCall } from "./audit.ts";
export {
  type Access,
  actorOf,
  ADMIN,
  type Authenticator,
  bearerToken,
  type Principal,
  tokenAuthenticator,
  tokenHash,
} from "./auth.ts";
export { type Claim, type IdempotencyStore, type KeptAnswer, type Standing } from "./idempotency.ts";
export { answerWith, changedMeanwhile, etagOf, ifAbsent, ifMatch } from "./preconditions.ts";
export { networkOf } from "./client_address.ts";
export {
  type EndReason,
  type EventReader,
  type EventStreamOptions,
  EventStreams,
  formatEvent,
  lastEventId,
  type ServerEvent,
  type StreamCall,
} from "./event_stream.ts";
export { type BodyPace, DEFAULT_MAX_BODY, parseJson, type StreamBody, type TextBody } from "./body.ts";
export { decodeCursor, encodeCursor, type Page, pageOf, pageQuery, pageSchema } from "./page.ts";
export {
  type Fault,
  nothingAt,
  problem,
  ProblemError,
  type ProblemExtra,
  problemResponse,
} from "./problem.ts";
export {
  type BodyOf,
  type BodySpec,
  type Call,
  type Change,
  type Handler,
  type Method,
  type Reply,
  type Responses,
  type ResponseSpec,
  type Route,
  Routes,
  type RouteSpec,
  type WebhookSpec,
} from "./route.ts";
export {
  documented,
  isoTime,
  macSchema,
  queryBoolean,
  queryInteger,
  queryList,
  timeSchema,
  waitSeconds,
} from "./schemas.ts";
export { type HttpHandler, type HttpService, serveHttp, type ServeOptions } from "./serve.ts";
export type { ClientInfo } from "./passage.ts";
export type { RequestRate } from "./request_rate.ts";
export { type TlsFiles } from "./tls.ts";
export { serviceRoutes } from "./service_routes.ts";
export type { Schema } from "./validate.ts";
