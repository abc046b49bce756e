/**
 * Who may use the service's routes: one of these permissions each.
 *
 * @module
 */

/** See accounts, connections, traffic, queues, outlets and alarms; messages without what they say. */
export const MAY_READ = ["admin", "sms:read"] as const;
/** Change accounts, end connections, play phones. */
export const MAY_WRITE = ["admin", "sms:write"] as const;
/** Read and search what messages say: not even an administrator without being given it in so many words. */
export const MAY_READ_CONTENT = ["sms:content"] as const;
