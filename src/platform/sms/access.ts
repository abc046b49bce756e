/**
 * Who may use the service's routes: one of these permissions each.
 *
 * @module
 */

/** See accounts, connections, traffic, queues, outlets and alarms; messages without what they say. */
export const MAY_READ = ["sms:read"] as const;
/** Change accounts, end connections, play phones. */
export const MAY_WRITE = ["sms:write"] as const;
/** Read and search what messages say: a permission of its own, which of the roles only the administrators' has. */
export const MAY_READ_CONTENT = ["sms:content"] as const;
