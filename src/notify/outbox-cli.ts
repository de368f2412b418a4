/**
 * `npm run outbox`: lists the waiting messages and the messages that were given up, with the reasons. The command only
 * reads the database.
 */
import { existsSync } from 'node:fs';
import { Kysely } from 'kysely';
import { z } from 'zod';
import { addEnvFile } from '../config/env-file.ts';
import { readConfig } from '../config.ts';
import { AppError, StoreError } from '../errors.ts';
import { readFlags } from '../flags.ts';
import { createLog } from '../log.ts';
import { postgresDialect } from '../store/postgres.ts';
import { type Database, isShared } from '../store/schema.ts';
import { sqliteDialect } from '../store/sqlite.ts';
import { isTaken } from '../store/sqlite-errors.ts';
import { reportOutbox } from './report.ts';

/** How PostgreSQL and SQLite report a missing table, or a column that a newer version of the bot adds. */
const NO_TABLE = /(relation|column) .* does not exist|no such (table|column)/;

const usage = {
  text: `Usage: npm run outbox

Lists which messages wait and which ended undelivered, and why. The settings are those of the bot.
`,
  options: {},
  schema: z.object({}),
} as const;
if (!readFlags(usage)) process.exit();

try {
  addEnvFile();
  const { database, secrets } = readConfig(undefined, { edgegap: false });
  if (!isShared(database) && !existsSync(database))
    throw new AppError('no-database', `There is no database at ${database}.`, {
      hint: 'Start the bot: the first start makes the database.',
    });
  // The tables are not updated here. The bot updates them when it starts.
  const store = new Kysely<Database>({
    dialect: isShared(database)
      ? postgresDialect(database, createLog({ level: 'silent', secrets }))
      : sqliteDialect(database, { readOnly: true }),
  });
  try {
    for (const line of await reportOutbox(store)) process.stdout.write(`${line}\n`);
  } catch (error) {
    if (error instanceof StoreError) throw new AppError(error.code, error.problem, { hint: error.remedy });
    if (!(error instanceof AppError) && NO_TABLE.test(String(error)))
      throw new AppError(
        'no-schema',
        `The database ${isShared(database) ? '' : `at ${database} `}lacks tables of this version.`,
        { hint: 'Start the bot: the first start of each version makes the tables that are missing.' },
      );
    if (error instanceof AppError && isTaken(error.cause))
      throw new AppError(error.code, error.userMessage, {
        hint: 'While the bot runs on a SQLite file, no other program can read the file. Stop the bot to see the list. The bot’s log has a line with the reason for each message that failed, and GET /readyz counts these messages.',
      });
    throw error;
  } finally {
    await store.destroy();
  }
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`${[error.userMessage, error.hint].filter(Boolean).join('\n')}\n`);
  process.exitCode = 1;
}
