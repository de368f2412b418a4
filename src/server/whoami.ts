import { createHmac, timingSafeEqual } from 'node:crypto';

/** The path at which the bot identifies itself. The request has the parameter `nonce`. */
export const WHOAMI_PATH = '/whoami';
const SERVICE = 'edgegap-chatops';
const NONCE = /^[A-Za-z0-9_-]{16,64}$/;

/** The answer to a nonce. Undefined if the text is not a valid nonce. */
export type WhoAmI = (nonce: string) => { readonly service: string; readonly proof: string } | undefined;

/**
 * Returns a function that proves the identity of this bot. Only a process with the same secrets can check the proof,
 * and the proof does not reveal the secrets.
 */
export function createWhoAmI(secrets: readonly string[]): WhoAmI {
  const key = createHmac('sha256', WHOAMI_PATH).update(JSON.stringify(secrets.toSorted())).digest();
  return (nonce) =>
    NONCE.test(nonce)
      ? { service: SERVICE, proof: createHmac('sha256', key).update(nonce).digest('hex') }
      : undefined;
}

/** Tells whether this bot, a bot with other settings, or an unknown service sent this answer to the nonce. */
export function recognise(whoAmI: WhoAmI, nonce: string, answer: unknown): 'this' | 'another' | 'stranger' {
  const { service, proof } = (answer ?? {}) as { service?: unknown; proof?: unknown };
  if (service !== SERVICE || typeof proof !== 'string') return 'stranger';
  const own = Buffer.from(whoAmI(nonce)?.proof ?? '');
  const given = Buffer.from(proof);
  return own.length === given.length && timingSafeEqual(own, given) ? 'this' : 'another';
}
