import { randomBytes, randomInt } from 'node:crypto';
import type { Store } from '../store/schema.ts';
import { addressColumns, type DeployOrder } from './deployment.ts';

export interface Intent extends DeployOrder {
  /** An id from `newId`. Set if the caller must know the id even if the insert seems to fail. */
  readonly id?: string;
  readonly account: string;
  /**
   * The process that sends the request. If this process dies, a different process marks the outcome of the intent as
   * unknown.
   */
  readonly holder?: string;
}

/** Stores an intent. Returns undefined if the invocation already has a deployment. */
export async function insertIntent(tx: Store, intent: Intent & { readonly id: string }, now: number) {
  return await tx
    .insertInto('deployments')
    .values({
      id: intent.id,
      account: intent.account,
      secret: randomBytes(24).toString('base64url'),
      invocation_id: intent.invocationId,
      application: intent.application,
      version: intent.version,
      plan_json: JSON.stringify(intent.plan),
      asker_id: intent.asker.id,
      asker_name: intent.asker.name,
      ...addressColumns(intent.at),
      card_json: JSON.stringify(intent.card),
      phase: 'requesting',
      holder: intent.holder ?? null,
      revision: 0,
      created_at: now,
      heard_at: now,
      checks: 0,
    })
    .onConflict((conflict) => conflict.column('invocation_id').doNothing())
    .returningAll()
    .executeTakeFirst();
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Returns a new id of 12 characters. The id has 62 random bits and is short enough for a tag. */
export function newId(): string {
  return Array.from({ length: 12 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
