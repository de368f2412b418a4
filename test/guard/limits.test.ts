import { describe, expect, onTestFinished, test } from 'vitest';
import { deployReady, effectOf, type Stage, stageOn } from '../command/harness.ts';
import { type BotOptions, type DriverName, driverNames } from '../support/bot.ts';
import type { Persona, Values } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

const KART = { application: 'kart-racing', version: 'v1.2', near: 'Tokyo' };
const MINUTE = 60_000;

async function stageWith(name: DriverName, environment: Record<string, string>, options: BotOptions = {}) {
  const clock = pacedClock(1);
  const stage = await stageOn(name, { clock, environment, ...options });
  onTestFinished(() => stage.close());
  return Object.assign(stage, {
    /** Lets this many milliseconds pass. */
    async pass(ms: number) {
      const end = clock.now() + ms;
      clock.speed(ms / 100);
      await until(() => clock.now() >= end, 'the time to pass');
      clock.speed(1);
    },
  });
}

const deploy = (stage: Stage, persona: Persona = 'operator', values: Values = {}) =>
  effectOf(stage, persona, () => stage.driver.command(persona, 'deploy', { ...KART, ...values }));
const press = (stage: Stage, label: string) =>
  effectOf(stage, 'operator', () => stage.driver.press('operator', label));
/** The text without the backslashes that escape Discord's markup. */
const textOf = (messages: readonly { readonly text: string }[]) =>
  messages.map(({ text }) => text.replaceAll('\\', '')).join('\n');
const deploys = ({ simulator }: Stage) =>
  simulator.requests.filter(({ endpoint }) => endpoint === 'deploy').length;

describe.each(driverNames)('limits on %s', (name) => {
  test('a deploy over MAX_RUNNING is refused privately, and a new deploy is possible after a deployment ends', async () => {
    const stage = await stageWith(name, { MAX_RUNNING: '2' });
    const ids = [await deployReady(stage), await deployReady(stage)];
    const refused = await deploy(stage);
    expect(refused.publicly).toEqual([]);
    expect(refused.asked).toEqual([]);
    const text = textOf(refused.privately);
    expect(text).toContain('2 servers from chat run, and the limit is 2.');
    for (const id of ids) expect(text).toContain(`${id} (kart-racing v1.2, asked for by `);
    expect(text).toContain('Nothing was deployed.');
    expect(text).toContain('MAX_RUNNING');
    stage.simulator.terminate(ids[0] ?? '');
    await until(async () => textOf(await stage.driver.channel()).includes(' stopped'), 'the end to be told');
    await deployReady(stage);
  });

  test('if a person confirms a deploy, the deploy is carried out once, exactly as requested', async () => {
    const stage = await stageWith(name, { CONFIRM_DEPLOY: '1' });
    await deployReady(stage);
    const asked = await deploy(stage, 'operator', { tag: 'qa' });
    expect(asked.publicly).toEqual([]);
    expect(asked.asked).toEqual([]);
    expect(textOf(asked.privately)).toMatch(
      /Deploy kart-racing v1\.2\?[\s\S]*Tokyo, Japan[\s\S]*qa[\s\S]*1 server from chat runs already/,
    );
    expect(asked.privately.at(-1)?.buttons).toEqual(['Deploy', 'Cancel']);
    stage.speed(20);
    const confirmed = await press(stage, 'Deploy');
    expect(textOf(confirmed.publicly)).toContain('kart-racing v1.2');
    await until(() => deploys(stage) === 2, 'the deploy');
    const [, second] = stage.simulator.deployments.values();
    expect(second?.city.city).toBe('Tokyo');
    expect(second?.tags.map((tag) => tag.name)).toContain('qa');
    await until(
      async () => (await stage.driver.channel()).filter((one) => one.text.includes('is ready')).length === 2,
      'the news',
    );
    await stage.bot.app.settled();
    stage.speed(1);
    await stage.pass(2_000);
    const again = await press(stage, 'Deploy');
    expect(again.publicly).toEqual([]);
    expect(textOf(again.privately)).toContain('answered already');
    expect(deploys(stage)).toBe(2);
  });

  test('if a person cancels the question about a deploy, nothing is deployed', async () => {
    const stage = await stageWith(name, { CONFIRM_DEPLOY: 'always' });
    const asked = await deploy(stage);
    expect(textOf(asked.privately)).toContain('No server from chat runs now.');
    const cancelled = await press(stage, 'Cancel');
    expect(cancelled.publicly).toEqual([]);
    expect(textOf(cancelled.privately)).toContain('Nothing was deployed');
    expect(cancelled.privately.at(-1)?.buttons).toEqual([]);
    expect(deploys(stage)).toBe(0);
    expect(stage.bot.log.join('\n')).toContain('"outcome":"asked"');
  });
});

describe('the limits of each person', () => {
  test('MAX_RUNNING_PER_PERSON counts only the deployments of that person', async () => {
    const stage = await stageWith('slack-http', { MAX_RUNNING_PER_PERSON: '1' });
    await stage.driver.regroup('reader', ['operators']);
    const id = await deployReady(stage);
    await deploy(stage, 'reader');
    await until(() => deploys(stage) === 2, 'the deploy of another person');
    const { publicly, privately } = await deploy(stage);
    expect(publicly).toEqual([]);
    const text = textOf(privately);
    expect(text).toContain('1 server of yours runs, and the limit for each person is 1.');
    expect(text).toContain(`${id} (kart-racing v1.2, asked for by operator)`);
    expect(text).toContain('MAX_RUNNING_PER_PERSON');
    expect(deploys(stage)).toBe(2);
  });
});

describe('limits and time', () => {
  test('if a person reaches MAX_DEPLOYS_PER_HOUR, the next deploy is possible an hour after the first of the counted deploys', async () => {
    const stage = await stageWith('console', { MAX_DEPLOYS_PER_HOUR: '2' });
    await deployReady(stage);
    await stage.pass(30 * MINUTE);
    const second = await deployReady(stage);
    stage.simulator.terminate(second);
    const refused = await deploy(stage);
    expect(refused.publicly).toEqual([]);
    const text = textOf(refused.privately);
    expect(text).toContain(
      'You have deployed 2 times within the last hour, and the limit for each person is 2.',
    );
    expect(text).toMatch(/Try again in (?:30|29) minutes\..*MAX_DEPLOYS_PER_HOUR/);
    await stage.pass(30 * MINUTE);
    await deployReady(stage);
    expect(textOf((await deploy(stage)).privately)).toContain('Nothing was deployed.');
    expect(deploys(stage)).toBe(3);
  });

  test('if a person confirms a deploy after more than 15 minutes, nothing is deployed', async () => {
    const stage = await stageWith('console', { CONFIRM_DEPLOY: 'always' });
    await deploy(stage);
    await stage.pass(15 * MINUTE + 1_000);
    const late = await press(stage, 'Deploy');
    expect(late.publicly).toEqual([]);
    expect(textOf(late.privately)).toMatch(/more than 15 minutes ago[\s\S]*Nothing more was deployed/);
    expect(deploys(stage)).toBe(0);
  });
});

test('a deploy to a fleet and a deploy with the older API count towards the limits like every deploy', async () => {
  const stage = await stageWith('console', { MAX_RUNNING: '2' });
  const { near: _, ...kart } = KART;
  await deploy(stage, 'operator', { fleet: 'tournament' });
  await effectOf(stage, 'operator', () =>
    stage.driver.command('operator', 'deploy', { ...kart, ip: '203.0.113.7', command: '/bin/server' }),
  );
  await until(() => stage.simulator.deployments.size === 2, 'both deployments');
  expect(textOf((await deploy(stage)).privately)).toContain('the limit is 2');
  expect(textOf((await deploy(stage, 'operator', { fleet: 'tournament' })).privately)).toContain('is 2');
  expect(stage.simulator.deployments.size).toBe(2);
});

test('"Deploy again" asks a question like every deploy, and the confirmed deploy replaces the lost deployment', async () => {
  const stage = await stageWith('console', { CONFIRM_DEPLOY: 'always', MAX_RUNNING: '1' });
  stage.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'before' });
  await deploy(stage, 'operator', { tag: 'qa' });
  await press(stage, 'Deploy');
  // At this speed, the searches for the server take a large part of the time that passes.
  await until(async () => {
    await stage.pass(MINUTE);
    return (await stage.driver.channel()).some(({ buttons }) => buttons.includes('Deploy again'));
  }, 'the button');
  const asked = await press(stage, 'Deploy again');
  expect(textOf(asked.privately)).toMatch(/Deploy kart-racing v1\.2\?[\s\S]*No server from chat runs now/);
  expect(asked.asked).toEqual([]);
  await press(stage, 'Deploy');
  await until(() => stage.simulator.deployments.size === 1, 'the deployment');
  const [second] = stage.simulator.deployments.values();
  expect(second?.tags.map((tag) => tag.name)).toContain('qa');
  await until(
    async () => !(await stage.driver.channel()).some(({ buttons }) => buttons.includes('Deploy again')),
    'the button to be gone',
  );
  const refused = await deploy(stage);
  expect(textOf(refused.privately)).toContain('the limit is 1');
});
