// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIPv6 } from 'node:net';

/** Who can reach an address: this machine or its link; a site's own network; everybody. Each is more public than the last. */
export const ADDRESS_KINDS = ['local', 'private', 'public'] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

const LOCAL = new BlockList();
const PRIVATE = new BlockList();
for (const [list, subnets] of [
  // RFC 1122, 3927, 4291; 0.0.0.0 and :: stand for this machine
  [LOCAL, ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '::/128', '::1/128', 'fe80::/10']],
  // RFC 1918, 6598, 4193, and addresses that nobody outside should be asked for: RFC 6890
  [PRIVATE, ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
  [PRIVATE, ['192.0.0.0/24', '198.18.0.0/15', '224.0.0.0/3', 'fec0::/10', 'ff00::/8']],
] as const) {
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/');
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/** @param address IPv4 or IPv6, without brackets or port */
export function addressKind(address: string): AddressKind {
  const plain = embeddedIPv4(address) ?? address;
  const family = isIPv6(plain) ? 'ipv6' : 'ipv4';
  if (LOCAL.check(plain, family)) return 'local';
  return PRIVATE.check(plain, family) ? 'private' : 'public';
}

/** IPv6 has two ways at least of writing an address of IPv4: mapped (::ffff:), and for NAT64 (64:ff9b::). */
function embeddedIPv4(address: string): string | undefined {
  if (!isIPv6(address)) return undefined;
  // The parser of URLs writes all of them in one way.
  const plain = new URL(`http://[${address.split('%')[0]}]`).hostname;
  const [, high = '', low = ''] = /^\[(?:::ffff:|64:ff9b::)([0-9a-f]+):([0-9a-f]+)\]$/.exec(plain) ?? [];
  if (low === '') return undefined;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

export function isMorePrivate(one: AddressKind, than: AddressKind): boolean {
  return ADDRESS_KINDS.indexOf(one) < ADDRESS_KINDS.indexOf(than);
}
