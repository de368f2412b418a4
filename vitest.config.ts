import { defineConfig } from 'vitest/config';

/** Whose tests work on a store: they run once more, on PostgreSQL. */
const ON_POSTGRES = [
  'test/store/**',
  'test/answers/**',
  'test/notify/**',
  'test/deployments/**',
  'test/commands/**',
  'test/scenario/**',
  'test/command/invocations.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/support/postgres-server.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'sqlite', include: ['test/**/*.test.ts'], provide: { database: 'sqlite' } },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: ON_POSTGRES.map((path) => path.replace('**', '**/*.test.ts')),
          exclude: ['test/store/{sqlite,postgres}*.test.ts'],
          provide: { database: 'postgres' },
        },
      },
    ],
  },
});
