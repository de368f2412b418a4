import { createHash } from 'node:crypto';

/**
 * Returns the n-th request_id. It has 12 hex characters, and its beginning differs from the ids before and after it. It
 * is the same in every run.
 */
export function requestId(seed: string, n: number): string {
  return digest(`${seed}:deployment:${n}`).toString('hex').slice(0, 12);
}

/** Returns an address from the blocks that are reserved for documentation. No real host has such an address. */
export function publicAddress(id: string): string {
  const bytes = digest(`${id}:address`);
  const block = ['192.0.2', '198.51.100', '203.0.113'][bytes.readUInt8(0) % 3];
  return `${block}.${1 + (bytes.readUInt8(1) % 254)}`;
}

export function externalPort(id: string, name: string): number {
  return 30_000 + (digest(`${id}:port:${name}`).readUInt16BE(0) % 2768);
}

/** Computes a number from the text. The same text always results in the same number. */
export function hashNumber(text: string): number {
  return digest(text).readUInt32BE(0);
}

/** Returns the last part of the URL that a deployment calls to stop itself. */
export function accessPoint(id: string): number {
  return hashNumber(id) % 10_000;
}

/** Returns the token that a deployment uses to stop itself. */
export function selfStopToken(id: string): string {
  return [1, 2, 3, 4].map((part) => hashNumber(`${id}:token:${part}`).toString(16).padStart(8, '0')).join('');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
