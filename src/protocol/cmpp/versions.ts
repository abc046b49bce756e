/**
 * Versions of the protocol: the octet on the wire, and which field widths it stands for.
 *
 * @module
 */

/** The Version octet: high nibble major, low nibble minor (reference §4). */
export const VERSION_2_0 = 0x20;
/** The 2.1 that some service providers announce; its SP-ISMG messages are those of 2.0. */
export const VERSION_2_1 = 0x21;
/** The newest version there is. */
export const VERSION_3_0 = 0x30;

/** Which set of widths is spoken: 2 for versions 2.x, 3 for 3.0. */
export type Dialect = 2 | 3;

/** The dialect of a Version octet; undefined for one that nobody has defined. */
export function dialectOf(version: number): Dialect | undefined {
  if (version === VERSION_3_0) return 3;
  return version === VERSION_2_0 || version === VERSION_2_1 ? 2 : undefined;
}
