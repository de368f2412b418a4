import { describe, expect, test } from 'vitest';
import { openStage, type Stage } from '../answers/harness.ts';
import { DEPLOY, openStudio } from '../deployments/harness.ts';
import { driverNames } from '../support/bot.ts';
import { until } from '../support/test-clock.ts';

const KART = { application: 'kart-racing', version: 'v1.2', near: 'Tokyo' };

const ask = ({ driver }: Stage, tag: string) =>
  void driver.command('operator', 'deploy', { ...KART, tag }).catch(() => undefined);
const channel = async ({ driver }: Stage) => (await driver.channel()).map(({ text }) => text).join('\n');
const deploys = ({ simulator }: Stage) =>
  simulator.requests.filter(({ endpoint }) => endpoint === 'deploy').length;

describe.each(driverNames.filter((name) => name !== 'console'))('MAX_RUNNING on %s', (name) => {
  test('a deploy that is killed between the limit check and the intent does not count towards MAX_RUNNING', async () => {
    const stage = await openStage(name, undefined, { MAX_RUNNING: '1' });
    const first = await stage.start();
    first.stopAfter('postCard');
    ask(stage, 'first');
    await until(() => first.standing() === 1, 'the card');
    await first.kill();
    await stage.start();
    await until(
      async () => (await channel(stage)).includes('Nothing was deployed; ask again.'),
      'the answer',
    );
    await stage.driver.command('operator', 'deploy', KART);
    await until(async () => (await channel(stage)).includes('is ready'), 'the deployment');
    expect(deploys(stage)).toBe(1);
  });

  test('if two deploys post their cards and the second deploy exceeds MAX_RUNNING, the second card says so', async () => {
    const stage = await openStage(name, undefined, { MAX_RUNNING: '1' });
    const process = await stage.start();
    process.stopAfter('postCard');
    for (const tag of ['a', 'b']) ask(stage, tag);
    await until(() => process.standing() === 2, 'both cards');
    process.stopAfter(undefined);
    process.goOn();
    await until(async () => (await channel(stage)).includes('is ready'), 'a deployment');
    await until(async () => (await channel(stage)).includes('and the limit is 1'), 'the refusal');
    await process.app.settled();
    expect(deploys(stage)).toBe(1);
    const cards = (await stage.driver.channel()).filter(({ text }) => !text.includes('is ready'));
    expect(cards.filter(({ text }) => /Requesting/.test(text))).toEqual([]);
    const [refusal, ...more] = cards.filter(({ text }) => text.includes('and the limit is 1'));
    expect(more).toEqual([]);
    expect(refusal?.text).toMatch(/>.*deploy[\s\S]*Nothing was deployed\./);
  });
});

test('the intent of a killed process counts towards MAX_RUNNING until the search for its server ends', async () => {
  const studio = await openStudio({ factor: 150 });
  const first = await studio.run({ MAX_RUNNING: '1' });
  studio.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'slow', when: 'before', ms: 3_600_000 });
  void first.say(DEPLOY);
  await until(() => studio.deploys() === 1, 'the request');
  first.kill();
  const next = await studio.run({ MAX_RUNNING: '1' });
  await next.say(DEPLOY);
  expect(studio.privately.at(-1)).toContain('the limit is 1');
  await studio.shown('may have started, but Edgegap neither answered nor lists the server');
  await next.say(DEPLOY);
  await studio.shown('is ready');
  expect(studio.deploys()).toBe(2);
});
