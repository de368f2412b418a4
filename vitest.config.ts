import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Tests that start processes of their own: bots, the demo, command lines, chaos, a browser. */
const PROCESSES = [
  'test/chaos/{bulk-stop,chaos,follow,safeguards,stopped}.test.ts',
  'test/contract/openapi/command.test.ts',
  'test/demo/demo.test.ts',
  'test/gallery/screenshots.test.ts',
  'test/main.test.ts',
  'test/process/**/*.test.ts',
  'test/scripts.test.ts',
];

/** Tests of several processes on one database, which only PostgreSQL can be. */
const POSTGRES_ONLY = [
  'test/adapters/receiving.test.ts',
  'test/answers/shared.test.ts',
  'test/doctor/postgres.test.ts',
  'test/notify/replicas.test.ts',
  'test/replicas/{membership,rate-places}.test.ts',
  'test/store/postgres*.test.ts',
];

/**
 * Tests that run on PostgreSQL too, because a second database can break what they show: locks, transactions, claims, time,
 * types, the order of rows. Where only the chat platform or the wording differs, SQLite is enough.
 */
const ALSO_POSTGRES = [
  'test/answers/burst.test.ts',
  'test/bulk/*.test.ts',
  'test/command/{invocations,presets}.test.ts',
  'test/deployments/{any-order,callbacks,clocks,inbox,lifetimes,many-processes,planned-stops,reconciler,stopping,two-accounts,unknown}.test.ts',
  'test/guard/at-once.test.ts',
  'test/notify/{delivery,digest,forget,held-up,once,person,report,undelivered}.test.ts',
  'test/recorder/recorder.test.ts',
  'test/replicas/leases.test.ts',
  'test/scenario/main-job.test.ts',
  'test/store/{purge,schema,text,transact}.test.ts',
  'test/tail/killed.test.ts',
  'test/work/{purges,tasks}.test.ts',
];

export default defineConfig({
  test: {
    // Where processes that tests start keep their compiled modules for the next one.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compile') },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...PROCESSES, ...POSTGRES_ONLY],
          provide: { database: 'sqlite' },
          // Each worker loads a module once, not once for each test file.
          isolate: false,
          // The tests wait for sockets, SDKs and clocks half of the time: two workers for each of two processors.
          maxWorkers: 4,
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: [...POSTGRES_ONLY, ...ALSO_POSTGRES],
          globalSetup: ['test/support/postgres-server.ts'],
          provide: { database: 'postgres' },
          isolate: false,
          // The tests wait for the server half of the time.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: PROCESSES,
          globalSetup: ['test/support/postgres-server.ts'],
          provide: { database: 'sqlite' },
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
