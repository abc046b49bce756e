/**
 * What can be asked of rollouts over HTTP.
 *
 * @module
 */
import * as v from "valibot";
import { parseHostPort } from "../../base/mod.ts";
import { documented, timeSchema } from "../../control/mod.ts";
import { MAX_FILTER } from "../fleet/mod.ts";

const DAY = 86_400_000;
const percent = () => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100));
const clockTime = v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, "Invalid time: Expected HH:MM"));
const word = (max: number) => v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(max));

const Window = v.strictObject({
  days: v.pipe(
    v.array(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7))),
    v.minLength(1),
    v.maxLength(7),
  ),
  from: clockTime,
  to: clockTime,
  utcOffsetMinutes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-840), v.maxValue(840)), 480),
});
const maxInFlight = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5000));
const perMinute = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));

const Stage = v.strictObject({
  // Left out: its number.
  name: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(64)), ""),
  percent: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  successThreshold: v.optional(percent(), 90),
  errorThreshold: v.optional(percent(), 10),
});

/** A rollout to be made. */
export const NewRolloutBody = v.strictObject({
  name: word(200),
  description: v.optional(v.pipe(v.string(), v.maxLength(2000)), ""),
  action: v.variant("kind", [
    v.strictObject({
      kind: v.literal("install"),
      plugin: word(128),
      version: word(64),
    }),
    v.strictObject({ kind: v.literal("uninstall"), plugin: word(128) }),
    v.strictObject({
      kind: v.literal("configure"),
      plugin: word(128),
      parameter: v.record(v.string(), v.unknown()),
    }),
    v.strictObject({
      kind: v.literal("post"),
      plugin: v.optional(v.pipe(v.string(), v.maxLength(128)), ""),
      parameter: v.pipe(
        v.record(v.string(), v.unknown()),
        v.check(
          (fields) => typeof fields.CmdType === "string" && fields.CmdType !== "",
          '"CmdType" is missing',
        ),
      ),
    }),
    v.strictObject({
      kind: v.literal("redistribute"),
      /** 0: the address becomes the gateway's distribution platform; 1: its operations platform. */
      mode: v.optional(v.picklist([0, 1]), 1),
      address: v.pipe(
        documented(v.string(), { type: "string", examples: ["ops1.example:12113"] }),
        v.maxLength(300),
        v.check((text) => parseHostPort(text) !== undefined, 'must be "host:port"'),
      ),
    }),
  ]),
  /** RSQL; neither this nor a group: every gateway. */
  filter: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(MAX_FILTER))),
  group: v.optional(word(64)),
  stages: v.optional(v.pipe(v.array(Stage), v.minLength(1), v.maxLength(20)), [{ percent: 100 }]),
  maxInFlight: v.optional(maxInFlight, 100),
  perMinute: v.optional(perMinute, 600),
  /** How long one gateway has, being away included. */
  commandTimeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1000), v.maxValue(30 * DAY)), DAY),
  maxAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)), 1),
  window: v.optional(Window),
  needsApproval: v.optional(v.boolean(), false),
  startAt: v.optional(timeSchema),
});

/** Other brakes; what is left out stays. */
export const Brakes = v.strictObject({
  maxInFlight: v.optional(maxInFlight),
  perMinute: v.optional(perMinute),
  /** null: at any time. */
  window: v.optional(v.nullable(Window)),
  /** One for each stage, in their order. */
  stages: v.optional(v.pipe(
    v.array(
      v.strictObject({ successThreshold: v.optional(percent()), errorThreshold: v.optional(percent()) }),
    ),
    v.maxLength(20),
  )),
});
