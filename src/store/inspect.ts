import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Kysely, SqliteAdapter, sql } from 'kysely';
import { AppError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { migrations } from './migrations.ts';
import { postgresDialect } from './postgres.ts';
import { type Database, isShared, type Store } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';
import { isTaken } from './sqlite-errors.ts';

/** How the database's schema differs from the schema of this version of the bot. */
export interface SchemaFacts {
  /** The newest schema change in the database. Undefined for a database without tables. */
  readonly newest: string | undefined;
  /** The newest schema change that this version of the bot contains. */
  readonly latest: string;
  /** The number of schema changes that this version of the bot would still make. */
  readonly missing: number;
  /** The schema changes in the database that this version of the bot does not contain. */
  readonly unknown: readonly string[];
}

export interface StoreFacts {
  /** Undefined if the database cannot be read because a running bot has locked the file. */
  readonly schema: SchemaFacts | undefined;
  /** Whether a different process has locked the file. */
  readonly taken: boolean;
  /** Undefined if there is no database yet. */
  readonly bytes: number | undefined;
}

/** Reads facts about the database without changing it. Throws AppError if the database cannot be used. */
export async function inspectStore(database: string, log: Logger): Promise<StoreFacts> {
  const shared = isShared(database);
  if (!shared && !existsSync(database)) return { schema: await compare([]), taken: false, bytes: undefined };
  const store = new Kysely<Database>({
    dialect: shared
      ? postgresDialect(database, log, { connections: 1 })
      : sqliteDialect(database, { readOnly: true }),
  });
  try {
    return { ...(await factsOf(store)), taken: false };
  } catch (error) {
    if (error instanceof StoreError)
      throw new AppError(error.code, error.problem, { hint: error.remedy, cause: error });
    if (!shared && error instanceof AppError && isTaken(error.cause))
      return { schema: undefined, taken: true, bytes: sizeOf(database) };
    throw error;
  } finally {
    await store.destroy();
  }
}

/** Returns the facts about a store that this process has open. */
export async function factsOf(store: Store): Promise<Pick<StoreFacts, 'schema' | 'bytes'>> {
  const isSqlite = store.getExecutor().adapter instanceof SqliteAdapter;
  const size = isSqlite
    ? sql<{ bytes: number }>`select page_count * page_size as bytes from pragma_page_count, pragma_page_size`
    : sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`;
  const { rows } = await size.execute(store);
  const tables = await store.introspection.getTables({ withInternalKyselyTables: true });
  const done = tables.some(({ name }) => name === 'kysely_migration')
    ? await (store as unknown as Kysely<{ kysely_migration: { name: string } }>)
        .selectFrom('kysely_migration')
        .select('name')
        .execute()
    : [];
  return { schema: await compare(done.map(({ name }) => name)), bytes: Number(rows[0]?.bytes ?? 0) };
}

async function compare(done: readonly string[]): Promise<SchemaFacts> {
  const known = Object.keys(await migrations.getMigrations()).toSorted();
  return {
    newest: done.toSorted().at(-1),
    latest: known.at(-1) ?? '',
    missing: known.filter((name) => !done.includes(name)).length,
    unknown: done.filter((name) => !known.includes(name)),
  };
}

function sizeOf(path: string): number {
  return ['', '-wal'].reduce(
    (sum, end) => sum + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/**
 * Writes a small file next to the database, removes it, and returns the free bytes of the disk. Missing folders are
 * created and removed again. Throws the error of the file system.
 */
export async function tryFolderOf(database: string): Promise<{ freeBytes: number }> {
  const folder = resolve(dirname(database));
  const made: string[] = [];
  try {
    // With the option `recursive`, `mkdir` never returns on a file system that refuses folders with ENOENT, for example
    // /proc.
    for (const missing of missingFolders(folder)) {
      await mkdir(missing);
      made.unshift(missing);
    }
    const trial = join(folder, `.edgegap-chatops-${randomUUID()}`);
    await writeFile(trial, 'trial');
    await rm(trial);
    const { bavail, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize };
  } finally {
    // Only empty folders are removed, because another program may already use a folder.
    for (const folder of made) await rmdir(folder).catch(() => undefined);
  }
}

/** Returns the missing folders on the path to `folder`, outermost first. */
function missingFolders(folder: string): string[] {
  return existsSync(folder) ? [] : [...missingFolders(dirname(folder)), folder];
}
