import { expect, inject, test, vi } from 'vitest';
import { runChaos } from './chaos.ts';
import { digestOf, drawSchedule } from './schedule.ts';
import { summaryOf } from './verdict.ts';

/** On a busy machine, each start of a process takes long. */
vi.setConfig({ testTimeout: 10 * 60_000 });

test.each([
  { database: 'sqlite', replicas: 1, kills: 4, title: '' },
  { database: 'postgres', replicas: 2, kills: 2, title: '' },
  {
    database: 'postgres',
    replicas: 3,
    kills: 2,
    title: ', and at most 3 deployments run at a time',
    maxRunning: 3,
  },
] as const)(
  'after $kills kills of the bot on $database, no work is lost and no work is done twice$title',
  async ({ database, replicas, kills, title: _, ...limit }) => {
    const said: string[] = [];
    const { verdict, problems } = await runChaos({
      schedule: drawSchedule(1, { kills, replicas }),
      platform: 'both',
      database,
      replicas,
      ...limit,
      postgres: inject('postgres'),
      say: (line) => void said.push(line),
    });
    expect(problems, [...said, summaryOf(verdict)].join('\n')).toEqual([]);
    expect(verdict.deployments).toBeGreaterThan(0);
  },
);

test('the same seed gives the same schedule of chaos, and a different seed gives a different schedule', () => {
  const digest = (seed: number) => digestOf(drawSchedule(seed, { kills: 20, replicas: 3 }));
  expect(digest(7)).toBe(digest(7));
  expect(digest(7)).not.toBe(digest(8));
});
