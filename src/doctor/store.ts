import { AppError, ConfigError } from '../errors.ts';
import { type Finding, ok, warning, wrong } from '../finding.ts';
import type { Logger } from '../log.ts';
import { factsOf, inspectStore, type SchemaFacts, tryFolderOf } from '../store/inspect.ts';
import { isShared, type Store } from '../store/schema.ts';
import { checkDatabase } from '../store/store.ts';

const MIB = 1024 * 1024;
/** If fewer bytes than this are free, the doctor warns that the disk will soon be full. */
const LITTLE_BYTES = 500 * MIB;
const TOO_LITTLE_BYTES = 50 * MIB;

export interface StoreParts {
  readonly log: Logger;
  /** The store of this process. Set only if this process is the running bot. */
  readonly store?: Store | undefined;
  /** Whether the bot is running in a different process. */
  readonly botRuns: boolean;
  /**
   * Tries to write into the folder of the database, and returns the free bytes of its disk. Tests replace this
   * function.
   */
  readonly tryFolder?: typeof tryFolderOf;
}

/**
 * Checks the schema and the size of the database, the free bytes of its disk, and whether the bot can write to the
 * database.
 */
export async function examineStore(database: string, parts: StoreParts): Promise<Finding[]> {
  const shared = isShared(database);
  const found = shared ? [] : await examineFolder(database, parts);
  if (found.some(({ check, state }) => check === 'store.folder' && state === 'wrong')) return found;
  try {
    checkDatabase(database);
    const facts = parts.store
      ? { ...(await factsOf(parts.store)), taken: false }
      : await inspectStore(database, parts.log);
    const size = facts.bytes === undefined ? '' : ` (${sizeText(facts.bytes)})`;
    const name = shared ? 'The PostgreSQL database' : `The database ${database}`;
    if (facts.taken)
      found.push(
        parts.botRuns
          ? ok('store', `${name}${size} is open in the running bot.`)
          : warning(
              'store',
              `${name}${size} is open in another process, which is not a bot with these settings on this port.`,
              'Stop the other process: a second bot on the same file cannot start.',
            ),
      );
    else if (facts.bytes === undefined)
      found.push(ok('store', `${name} does not exist yet. The first start makes it.`));
    else found.push(ok('store', `${name}${size} can be used.`));
    if (facts.schema) found.push(ofSchema(facts.schema));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    found.push(
      wrong(
        'store',
        error instanceof ConfigError ? error.problems.join('; ') : error.userMessage,
        error.hint ?? 'Correct DATABASE_URL.',
      ),
    );
  }
  return found;
}

async function examineFolder(database: string, { tryFolder = tryFolderOf }: StoreParts): Promise<Finding[]> {
  if (database === ':memory:') return [];
  try {
    const { freeBytes } = await tryFolder(database);
    return [ok('store.folder', `The folder of ${database} can be written.`), ofRoom(freeBytes)];
  } catch (error) {
    const { code = '' } = error as { code?: string };
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    return [
      isFull
        ? wrong('store.folder', `The disk of ${database} is full.`, 'Free space on the disk.')
        : wrong(
            'store.folder',
            `The folder of ${database} cannot be written (${code}).`,
            'Let the user that runs the bot write the folder, or set DATABASE_URL to a file in another folder. In a container, mount a volume at /data.',
          ),
    ];
  }
}

function ofRoom(freeBytes: number): Finding {
  const check = 'store.disk';
  const says = `The disk of the database has ${sizeText(freeBytes)} free.`;
  const mend = 'Free space on the disk: without room, the bot stores nothing and refuses every command.';
  if (freeBytes < TOO_LITTLE_BYTES) return wrong(check, says, mend);
  return freeBytes < LITTLE_BYTES ? warning(check, says, mend) : ok(check, says);
}

function ofSchema({ newest, latest, missing, unknown }: SchemaFacts): Finding {
  const check = 'store.schema';
  if (unknown.length > 0)
    return wrong(
      check,
      `A newer version of the bot made or changed the database: this version does not know ${unknown.join(', ')}.`,
      'Run the newer version again, or restore a backup from before that version.',
    );
  if (newest === undefined) return ok(check, `The first start makes the schema, version ${latest}.`);
  return missing > 0
    ? ok(check, `The schema is at ${newest}. The next start brings it to ${latest}; make a backup before.`)
    : ok(check, `The schema is at ${latest}, the newest version.`);
}

function sizeText(bytes: number): string {
  const mib = bytes / MIB;
  return mib >= 1024 ? `${(mib / 1024).toFixed(1)} GiB` : `${mib.toFixed(1)} MiB`;
}
