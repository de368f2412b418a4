import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bot, createDriver, type DriverName, startBot } from '../support/bot.ts';
import type { ChatDriver, VisibleMessage } from '../support/chat-driver.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const drivers: readonly DriverName[] = ['console', 'discord', 'slack-socket', 'slack-http'];
const deploy = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };

let driver: ChatDriver;
let bot: Bot;

async function start(name: DriverName): Promise<void> {
  const clock = pacedClock();
  driver = await createDriver(name, clock);
  bot = await startBot(driver, { clock });
}

const card = async (): Promise<VisibleMessage | undefined> => (await driver.channel())[0];

async function deployReady(): Promise<string> {
  await driver.command('operator', 'deploy', deploy);
  await until(async () => (await card())?.buttons.includes('Logs'), 'the server to be ready');
  await until(async () => (await driver.channel()).some(({ text }) => text.includes('is ready')));
  const [id = ''] = bot.simulator.deployments.keys();
  return id;
}

afterEach(async () => {
  await bot?.stop();
  await driver?.close();
});

describe.each(drivers)('the button Refresh on the live card, on %s', (name) => {
  beforeEach(() => start(name));

  test('the button "Refresh" shows the changed status on the live card', async () => {
    const id = await deployReady();
    bot.simulator.faults.next({ callback: 'error' }, { kind: 'drop' });
    bot.simulator.fail(id, 'the game crashed');
    await driver.press('operator', 'Refresh');
    await until(async () => (await card())?.text.includes('the game crashed'), 'the error on the card');
  });

  test('if Edgegap fails after a press of Refresh, the person gets a private answer, and the card stays unchanged', async () => {
    await deployReady();
    const before = await card();
    bot.simulator.faults.next({ endpoint: 'status' }, { kind: 'server-error', when: 'before' }, 3);
    await driver.press('operator', 'Refresh');
    const told = await until(async () => (await driver.privately('operator')).at(-1), 'a private answer');
    expect(told.text).toMatch(/Edgegap/);
    // The test does not compare the whole text, because a terminal shows "just now" and other platforms show a time.
    const after = await card();
    expect(after?.edits).toBe(before?.edits);
    expect(after?.text).toContain('.pr.edgegap.net');
    expect(after?.buttons).toEqual(['Logs', 'Metrics', 'Tags', 'Refresh', 'Stop']);
  });
});

test('in a terminal, the button "Refresh" prints the card again even if nothing has changed', async () => {
  await start('console');
  await deployReady();
  await bot.app.settled();
  const before = (driver as ConsoleDriver).output().length;
  await driver.press('operator', 'Refresh');
  await until(() => /Ready .*request_id/s.test((driver as ConsoleDriver).output().slice(before)), 'the card');
});

test('if Slack delays the edit after Refresh, the late edit does not replace a newer state of the card', async () => {
  await start('slack-http');
  await driver.command('operator', 'deploy', deploy);
  await until(async () => (await card())?.buttons.includes('Refresh'), 'the button');
  const { faults } = (driver as SlackDriver).server;
  faults.inject('chat.update', { kind: 'rate-limit', retryAfter: 1 });
  await driver.press('operator', 'Refresh').catch(() => undefined);
  await until(async () => (await driver.channel()).some(({ text }) => text.includes('is ready')));
  await until(async () => (await card())?.buttons.includes('Logs'), 'the card to say Ready');
  await bot.app.settled();
  expect((await card())?.buttons).toContain('Logs');
});
