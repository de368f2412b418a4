import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AppError } from '../errors.ts';
import { migrations } from './migrations.ts';
import { UnlockedAdapter } from './postgres.ts';
import type { Store } from './schema.ts';

/**
 * Updates the schema. If several processes start at once, only one of them updates the schema. Throws AppError, or the
 * error of the database.
 */
export async function migrate(store: Store): Promise<void> {
  const { adapter } = store.getExecutor();
  if (!(adapter instanceof UnlockedAdapter)) return await bringUpToDate(store);
  await adapter.check(store);
  // Usually the schema is already up to date. In this case, the process does not wait for other processes.
  if (await isUpToDate(store)) return;
  await adapter.alone(bringUpToDate);
}

async function bringUpToDate(db: Store): Promise<void> {
  if (await isUpToDate(db)) return;
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest();
  if (error) throw error;
}

/**
 * Whether the schema is up to date. Throws if the schema is newer than this version of the bot, because this version
 * could write rows that the newer version cannot read.
 */
async function isUpToDate(db: Store): Promise<boolean> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) return false;
  const rows = await (db as unknown as Kysely<{ kysely_migration: { name: string } }>)
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  const done = rows.map(({ name }) => name);
  const known = Object.keys(await migrations.getMigrations());
  const unknown = done.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new AppError(
      'store-newer',
      `The database was made or changed by a newer version of me: I do not know ${unknown.toSorted().join(', ')}.`,
      { hint: 'Run that version again, or restore a backup from before that version.' },
    );
  return known.every((name) => done.includes(name));
}
