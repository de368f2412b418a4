import { StatementSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import { deployReady, effectOf, stageOn, typeLine } from '../command/harness.ts';
import { pacedClock } from '../support/paced-clock.ts';

/** The SQL statements that the bot runs on its SQLite file during `work`. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const run: string[] = [];
  const spies = (['run', 'all'] as const).map((method) => vi.spyOn(StatementSync.prototype, method));
  try {
    await work();
    for (const spy of spies) run.push(...spy.mock.contexts.map((one) => (one as StatementSync).sourceSQL));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return run;
}

test('if a status poll brings no news, the row of the deployment stays unchanged, and few SQL statements are needed', async () => {
  const stage = await stageOn('console', { clock: pacedClock(5) });
  onTestFinished(() => stage.close());
  const id = await deployReady(stage);
  const status = () => effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'status @last'));
  await status();
  const statements = await statementsOf(status);
  expect(statements.some((sql) => sql.startsWith('insert into "invocations"'))).toBe(true);
  expect(statements.filter((sql) => /update "deployments" set "revision"/.test(sql))).toEqual([]);
  expect(statements.length).toBeLessThanOrEqual(20);
  const { privately } = await effectOf(stage, 'operator', async () => {
    stage.simulator.fail(id, 'the disk is full');
    await typeLine(stage, 'operator', 'status @last');
  });
  expect(privately.map(({ text }) => text).join()).toContain('the disk is full');
});
