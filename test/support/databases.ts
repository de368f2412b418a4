import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

export type DatabaseName = 'sqlite' | 'postgres';

/** What every test of the store runs on. */
export const databaseNames: readonly DatabaseName[] = ['sqlite', 'postgres'];

/** The `DATABASE_URL` of a new and empty database. */
export async function freshDatabase(name: DatabaseName): Promise<string> {
  if (name === 'sqlite') return ':memory:';
  const server = inject('postgres');
  const database = `test_${randomBytes(8).toString('hex')}`;
  const client = new Client({ connectionString: `${server}/postgres` });
  await client.connect();
  await client.query(`create database ${database}`);
  await client.end();
  return `${server}/${database}`;
}
