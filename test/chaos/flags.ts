import { z } from 'zod';

/** Only digits are accepted, because fast-check would round a number with a fraction. */
function count(name: string, min: number, max: number) {
  const error = `--${name} is a whole number from ${min} to ${max}.`;
  return z.string().regex(/^\d+$/, error).transform(Number).pipe(z.number().min(min, error).max(max, error));
}

/** The flags of `npm run chaos`. */
export const usage = {
  text: `Usage: npm run chaos [-- --kills 20 --seed 1 --platform both --database sqlite]

Kills the bot's processes and lets everything around them fail, then compares the ledgers: docs/chaos.md.

  --kills N      how many times a process is ended, up to 10000
  --seed N       the schedule
  --platform P   where people ask: discord, slack or both
  --database D   sqlite or postgres
  --replicas N   processes, up to 20, on PostgreSQL; 3 unless told
  --built        builds JavaScript as the image does, and runs that instead of the sources
  --help         this text
`,
  options: {
    kills: 'string',
    seed: 'string',
    platform: 'string',
    database: 'string',
    replicas: 'string',
    built: 'boolean',
  },
  schema: z
    .object({
      // The number has a limit, because the whole schedule is made at the start and kept in memory.
      kills: count('kills', 0, 10_000).default(20),
      // A seed of fast-check is an integer of 32 bits.
      seed: count('seed', 0, 2 ** 31 - 1).default(1),
      platform: z.enum(['discord', 'slack', 'both'], '--platform is discord, slack or both.').default('both'),
      database: z.enum(['sqlite', 'postgres'], '--database is sqlite or postgres.').default('sqlite'),
      replicas: count('replicas', 1, 20).optional(),
      built: z.boolean().default(false),
    })
    .refine(
      ({ database, replicas = 1 }) => database === 'postgres' || replicas === 1,
      '--replicas is for --database postgres: a SQLite file can have one process.',
    )
    .transform((flags) => ({
      ...flags,
      replicas: flags.database === 'postgres' ? (flags.replicas ?? 3) : 1,
    })),
} as const;
