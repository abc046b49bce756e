/**
 * Sizes that both ends of the protocol keep to.
 *
 * @module
 */

/** The largest datagram in bytes (reference §1). */
export const MAX_DATAGRAM_BYTES = 4096;
