import { describe, expect, test } from 'vitest';
import { driverNames } from '../support/bot.ts';
import { until } from '../support/test-clock.ts';
import { openStage } from './harness.ts';

const DEPLOY = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
const ANSWER = /shutting down|gave up the request to Edgegap|I was restarted in the middle of your/;
/** Longer than a process may take to stop, and longer than each test in this file waits. */
const LONG_MS = 30 * 60_000;

describe.each(driverNames.filter((name) => name !== 'console'))('a stopped process on %s', (name) => {
  test('a process that stops while Edgegap is slow still answers each waiting person once', async () => {
    const stage = await openStage(name);
    const { driver, simulator } = stage;
    const seen = async () => [...(await driver.channel()), ...(await driver.privately('operator'))];
    const first = await stage.start();
    await driver.command('operator', 'deploy', DEPLOY);
    await until(async () => (await seen()).some(({ text }) => text.includes('is ready')), 'a server');
    const [deployment = ''] = simulator.deployments.keys();
    await driver.command('operator', 'stop', { deployment });
    await until(async () => (await seen()).some(({ buttons }) => buttons.includes('Stop it')), 'to be asked');

    const asked = simulator.requests.length;
    const slow = { kind: 'slow', when: 'before', ms: LONG_MS } as const;
    const asks = [
      ['stop', () => driver.press('operator', 'Stop it')],
      ['logs', () => driver.command('operator', 'logs', { deployment })],
      ['deploy', () => driver.command('operator', 'deploy', DEPLOY)],
    ] as const;
    for (const [endpoint, ask] of asks) {
      simulator.faults.next({ endpoint }, slow);
      void ask().catch(() => undefined);
      await until(
        () => simulator.requests.slice(asked).some((request) => request.endpoint === endpoint),
        `Edgegap to be asked to ${endpoint}`,
      );
    }
    await first.app.stop();
    await stage.start();

    // The stopping process answers some of the people, and the next process answers the others.
    const answers = async () => (await seen()).map(({ text }) => text).filter((text) => ANSWER.test(text));
    await until(async () => (await answers()).length >= 2, 'both answers');
    await until(
      async () => !(await driver.channel()).some(({ text }) => text.includes('Requesting')),
      'the card to say how things are',
    );
    expect(await answers()).toHaveLength(2);
    // For a command that changes something, the answer says that the change may have been made.
    expect((await answers()).filter((text) => /may (?:or may not )?have been/.test(text))).toHaveLength(1);
    expect(simulator.requests.filter(({ endpoint }) => endpoint === 'deploy')).toHaveLength(2);
    expect((await seen()).filter(({ text }) => /unexpected/.test(text))).toEqual([]);
  });
});
