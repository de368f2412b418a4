import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { administer, startPostgres } from '../support/postgres-server.ts';
import { Relay } from '../support/relay.ts';

/** The database of the run, and a separate connection to it for each process. */
export interface Database {
  /** The DATABASE_URL for the process with this number. */
  url(place: number): string;
  /** A URL of the same database whose connection never breaks. */
  readonly direct: string;
  /** Breaks the database connection of a process for `awayMs` real milliseconds. */
  cut(place: number, how: 'drop' | 'ask', awayMs: number): Promise<void>;
  mend(): void;
  close(): Promise<void>;
}

export function openFile(folder: string): Database {
  const direct = join(folder, 'bot.db');
  const nothing = async () => undefined;
  return { url: () => direct, direct, cut: nothing, mend: nothing, close: nothing };
}

/**
 * Creates a database on the PostgreSQL server `server`, a URL without a database. If `server` is absent, starts a
 * server, which ends with `signal`.
 */
export async function openPostgres(
  places: number,
  server: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Database> {
  const own = server === undefined ? await startPostgres({ signal }) : undefined;
  const base = server ?? own?.url ?? '';
  const name = `chaos_${randomBytes(8).toString('hex')}`;
  try {
    await administer(base, `create database ${name}`);
  } catch (error) {
    await own?.stop();
    throw error;
  }
  const direct = `${base}/${name}`;
  const relays = await Promise.all(Array.from({ length: places }, () => Relay.to(direct)));
  let mended = false;
  return {
    url: (place) => relays[place]?.through(direct) ?? direct,
    direct,
    async cut(place, how, awayMs) {
      const relay = relays[place];
      if (mended || !relay) return;
      if (how === 'drop') relay.cut();
      else relay.silence();
      await setTimeout(awayMs, undefined, { ref: false });
      // After it has been silenced, a connection never works again, so the relay closes it.
      relay.cut();
      relay.mend();
    },
    mend() {
      mended = true;
    },
    async close() {
      await Promise.all(relays.map((relay) => relay.close()));
      if (own) await own.stop();
      else await administer(base, `drop database ${name} with (force)`);
    },
  };
}
