import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deployElsewhere, effectOf, type Stage, stageOn } from '../command/harness.ts';
import { rowsIn } from '../support/rows.ts';
import { until } from '../support/test-clock.ts';

const KART = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
let folder: string;
let stage: Stage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  stage = await stageOn('console', { environment: { DATABASE_URL: join(folder, 'bot.db') } });
});
afterAll(async () => {
  await stage?.simulator.close();
  await stage?.driver.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * All texts that people saw, and all texts in the store and the log. The bot must be stopped first, because a running
 * bot locks the store.
 */
async function everything(): Promise<string> {
  const { driver, bot } = stage;
  const shown = [...(await driver.channel()), ...(await driver.privately('operator'))];
  await bot.app.stop();
  return JSON.stringify([shown, rowsIn(join(folder, 'bot.db')), bot.log]);
}

test('secrets in answers from Edgegap appear neither in the chat nor in the store nor in the log', async () => {
  const { simulator, driver } = stage;
  const quote = `registry said password=hunter2, token ${simulator.token}, and no more`;
  simulator.faults.next({ endpoint: 'deploy' }, { kind: 'cannot-allocate', message: quote });
  await effectOf(stage, 'operator', () => driver.command('operator', 'deploy', KART));
  simulator.faults.next({ endpoint: 'deploy' }, { kind: 'image-cannot-be-pulled', detail: quote });
  stage.speed(20);
  await driver.command('operator', 'deploy', KART);
  await until(
    async () => (await driver.channel()).some(({ text }) => text.includes(' failed: registry')),
    'the failure',
  );
  await stage.bot.app.settled();
  const other = await deployElsewhere(simulator, 'lobby-chat', 'stable', ['pw=hunter2']);
  await effectOf(stage, 'operator', () => driver.command('operator', 'status', { deployment: other }));
  await effectOf(stage, 'operator', () => driver.command('operator', 'tags list', { deployment: other }));
  await effectOf(stage, 'operator', () => driver.command('operator', 'list'));
  const all = await everything();
  expect(all).toContain('registry said password=[masked]');
  expect(all).toContain('and no more');
  expect(all).not.toContain('hunter2');
  expect(all).not.toContain(simulator.token);
});
