/**
 * Command_Ids (reference §3). A response has its request's id with the highest bit set.
 *
 * @module
 */

/** The bit that makes a Command_Id that of a response. */
export const RESPONSE_BIT = 0x8000_0000;

/** Ids of requests by name. `GET_ROUTE` is what 2.0 has in the place of `GET_MT_ROUTE`. */
export const COMMAND_IDS = {
  CONNECT: 0x01,
  TERMINATE: 0x02,
  SUBMIT: 0x04,
  DELIVER: 0x05,
  QUERY: 0x06,
  CANCEL: 0x07,
  ACTIVE_TEST: 0x08,
  FWD: 0x09,
  MT_ROUTE: 0x10,
  MO_ROUTE: 0x11,
  GET_MT_ROUTE: 0x12,
  GET_ROUTE: 0x12,
  MT_ROUTE_UPDATE: 0x13,
  MO_ROUTE_UPDATE: 0x14,
  PUSH_MT_ROUTE_UPDATE: 0x15,
  PUSH_MO_ROUTE_UPDATE: 0x16,
  GET_MO_ROUTE: 0x17,
} as const;

/** The name of a request. */
export type RequestName = keyof typeof COMMAND_IDS;
/** The name of any message. */
export type CommandName = RequestName | `${RequestName}_RESP`;

/** The Command_Id of a message by its name. */
export function commandIdOf(name: CommandName): number {
  if (name.endsWith("_RESP")) {
    return (COMMAND_IDS[name.slice(0, -"_RESP".length) as RequestName] | RESPONSE_BIT) >>> 0;
  }
  return COMMAND_IDS[name as RequestName];
}
