import { createHash } from 'node:crypto';

/** The n-th request_id: 12 hex characters that share no prefix with the ids before and after. The same in every run. */
export function requestId(seed: string, n: number): string {
  return digest(`${seed}:deployment:${n}`).toString('hex').slice(0, 12);
}

/** An address from the blocks reserved for documentation, so that no real host is ever shown. */
export function publicAddress(id: string): string {
  const bytes = digest(`${id}:address`);
  const block = ['192.0.2', '198.51.100', '203.0.113'][bytes.readUInt8(0) % 3];
  return `${block}.${1 + (bytes.readUInt8(1) % 254)}`;
}

export function externalPort(id: string, name: string): number {
  return 30_000 + (digest(`${id}:port:${name}`).readUInt16BE(0) % 2768);
}

/** A number made from the text; the same text always gives the same number. */
export function hashNumber(text: string): number {
  return digest(text).readUInt32BE(0);
}

/** The last part of the address with which a deployment stops itself. */
export function accessPoint(id: string): number {
  return hashNumber(id) % 10_000;
}

/** The token with which a deployment stops itself. */
export function selfStopToken(id: string): string {
  return [1, 2, 3, 4].map((part) => hashNumber(`${id}:token:${part}`).toString(16).padStart(8, '0')).join('');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
