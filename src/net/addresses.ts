/**
 * Telling IP addresses from host names.
 *
 * @module
 */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** Whether `host` is an IPv4 or IPv6 address (without brackets) and not a name. */
export function isIpAddress(host: string): boolean {
  return IPV4.test(host) || (host.includes(":") && isIpv6(host));
}

function isIpv6(host: string): boolean {
  const [, address] = /^([\da-f:.]{2,45})(?:%[\w.-]{1,15})?$/i.exec(host) ?? []; // a zone may follow: fe80::1%eth0
  return address !== undefined && URL.canParse(`http://[${address}]/`);
}

/** An IPv4 address that an IPv6 socket reports as `::ffff:1.2.3.4`, in its own notation; others as they are. */
export function plainAddress(host: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return mapped ? mapped[1]! : host;
}
