import { BlockList, isIP, SocketAddress } from 'node:net';
import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import { wordIn } from './checked-text.ts';

/** Parses a public IP address. Throws InputError. */
export function ip(value: string): string {
  const refused = (code: string, problem: string) =>
    new InputError(code, `${quoted(value)} is ${problem}.`, {
      hint: 'Give public IPv4 or IPv6 addresses of players, separated by commas, e.g. 203.0.113.7.',
    });
  const address = bareAddress(value);
  const version = isIP(address);
  if (version === 0) throw refused('not-an-ip', 'not an IP address');
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (privateAddresses.check(address, family))
    throw refused('ip-private', 'a private address, which does not say where a player is');
  if (reservedAddresses.check(address, family)) throw refused('ip-reserved', 'the address of no machine');
  return address;
}

/**
 * The address without protocol, port, brackets and zone (the network interface after `%`). An IPv4 address in IPv6
 * notation, such as `::ffff:203.0.113.7`, becomes a plain IPv4 address.
 */
function bareAddress(value: string): string {
  const whole = wordIn(value, ' *~()<>.,;!?').replace(/^[a-z]{2,8}:\/\//i, '');
  const text = whole.replace(/\/(?:32|128)?$/, '');
  const [, inner] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? /^([\d.]+):\d{1,5}$/.exec(text) ?? [];
  const address = (inner ?? text).trim().replace(/%.*$/s, '');
  if (isIP(address) !== 6) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:(?=.*\.)/, '');
}

/** Multicast and reserved ranges, including the broadcast address (RFC 1112, 4291). */
const reservedAddresses = listOf('224.0.0.0/4', '240.0.0.0/4', 'ff00::/8');

/** The ranges for private networks and for a single machine (RFC 1918, 1122, 3927, 6598; 4291, 4193). */
const privateAddresses = listOf(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.168.0.0/16', '::/127', 'fe80::/10', 'fc00::/7'],
);

function listOf(...networks: string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
