/**
 * Short messages: the gateway (ISMG) between service providers and a short-message centre, CMPP 3.0 and 2.0.
 *
 * @module
 */
export {
  ALARM_KINDS,
  type AlarmKind,
  type AlarmLimits,
  DEFAULT_ALARM_LIMITS,
  type SmsAlarm,
  type SmsAlarmEvent,
} from "./alarms.ts";
export { openOutlet, type OutletChoice, OutletError } from "./open_outlet.ts";
export type {
  MobileOriginated,
  Outlet,
  OutletAnswer,
  OutletListener,
  OutletMessage,
  OutletStatus,
  Receipt,
  TakenMessage,
} from "./outlet.ts";
export { type Gns, type GnsParts, type GnsSettings, type GnsTables, startGns } from "./gns/mod.ts";
export { smsMigrations } from "./migrations.ts";
export type { SmsTables } from "./schema.ts";
export { SealError } from "../credentials/mod.ts";
export { CMPP_FRAMING, type Sms, type SmsParts, startSms } from "./service.ts";
export { DEFAULT_SMS_SETTINGS, type SmsSettings } from "./settings.ts";
export { parseSmppUrl, SmppOutlet, type SmppSettings } from "./smpp/mod.ts";
export { Simulator, type SimulatorBehaviour } from "./simulator.ts";
