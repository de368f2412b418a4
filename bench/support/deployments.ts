import { randomBytes, randomInt } from 'node:crypto';
import type { Insertable } from 'kysely';
import type { DeploymentsTable, Store } from '../../src/store/schema.ts';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const ROWS_AT_ONCE = 500;

/** Returns rows of deployments that people ordered. `more` returns the columns that differ from row to row. */
export function deploymentRows(
  count: number,
  more: (index: number) => Partial<Insertable<DeploymentsTable>>,
): Insertable<DeploymentsTable>[] {
  return Array.from({ length: count }, (_, index) => {
    const id = Array.from({ length: 12 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
    const at = { platform: 'bench', workspace: 'bench', channel: 'bench' };
    return {
      id,
      account: 'bench',
      secret: randomBytes(24).toString('base64url'),
      invocation_id: id,
      application: 'kart-racing',
      version: 'v1.2',
      plan_json: JSON.stringify({ users: [], place: 'near Montreal', tags: [] }),
      asker_id: 'bench',
      asker_name: 'bench',
      ...at,
      card_json: JSON.stringify({ ...at, message: id }),
      phase: 'requesting',
      revision: 0,
      created_at: Date.now(),
      heard_at: Date.now(),
      checks: 0,
      ...more(index),
    };
  });
}

export async function insertAll(store: Store, rows: readonly Insertable<DeploymentsTable>[]): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE)
    await store
      .insertInto('deployments')
      .values(rows.slice(start, start + ROWS_AT_ONCE))
      .execute();
}
