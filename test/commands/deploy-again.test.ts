import { afterEach, describe, expect, test } from 'vitest';
import { effectOf, type Stage, stageOn } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import { until } from '../support/test-clock.ts';

const HOST = 'tournament-montreal-0';
const ORDER: Values = {
  application: 'kart-racing',
  near: 'Montreal',
  tag: 'qa',
  env: 'MODE=race',
  cpu: 512,
  memory: 512,
  fleet: 'tournament',
  host: HOST,
};

let stage: Stage;
afterEach(() => stage?.close());

const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));
const deploys = () => stage.simulator.requests.filter(({ endpoint }) => endpoint?.startsWith('deploy'));
/** The text without the backslashes that escape Discord's markup. */
const textOf = (messages: readonly { readonly text: string }[]) =>
  messages.map(({ text }) => text.replaceAll('\\', '')).join('\n');

/** Deploys a server that becomes ready, ends it, and waits until a message in the channel reports the end. */
async function deployAndEnd(values: Values, end: (id: string) => void, says: string): Promise<void> {
  stage.speed(20);
  await stage.driver.command('operator', 'deploy', values);
  const told = (text: string) =>
    until(async () => textOf(await stage.driver.channel()).includes(text), `the line ${text}`);
  await told('is ready');
  const [id = ''] = stage.simulator.deployments.keys();
  end(id);
  await told(says);
  await until(async () => (await stage.driver.channel())[0]?.buttons.includes('Deploy again'), 'the button');
  await stage.bot.app.settled();
  stage.speed(1);
}

describe.each(driverNames)('Deploy again on %s', (name) => {
  test('"Deploy again" on the card of an ended server asks first, lists what the new deploy leaves out, and repeats the deploy', async () => {
    stage = await stageOn(name);
    await deployAndEnd(ORDER, (id) => stage.simulator.terminate(id), ' stopped');
    const asked = await press('Deploy again');
    expect(asked.publicly).toEqual([]);
    expect(deploys()).toHaveLength(1);
    const question = textOf(asked.privately);
    expect(question).toMatch(
      /Deploy kart-racing v1\.3\?[\s\S]*Montreal, Canada[\s\S]*qa[\s\S]*0\.5 vCPU, 512 MB/,
    );
    expect(question).toContain(HOST);
    expect(question).toContain('these variables are left out: MODE');
    expect(question).not.toContain('newest active');
    await press('Deploy');
    await until(() => deploys().length === 2, 'the deploy');
    const [first, second] = deploys().map(({ endpoint, body }) => ({ endpoint, ...(body as object) }));
    const { environment_variables: _, ...sent } = first as Record<string, unknown>;
    expect(second).toMatchObject({
      endpoint: 'deployToFleet',
      version: 'v1.3',
      private_host_ids: [HOST],
      users: sent.users,
      resources: { cpu_units: 512, memory_mib: 512 },
    });
    expect(second).not.toHaveProperty('environment_variables');
  });
});

test('"Deploy again" on the card of a failed server repeats the deploy, with Edgegap\'s older API if necessary', async () => {
  stage = await stageOn('console');
  const legacy = { application: 'kart-racing', version: 'v1.2', ip: '203.0.113.7', command: '/bin/server' };
  await deployAndEnd(
    legacy,
    (id) => stage.simulator.fail(id, 'the game crashed'),
    'failed: the game crashed',
  );
  const asked = await press('Deploy again');
  expect(textOf(asked.privately)).toMatch(/Deploy kart-racing v1\.2\?[\s\S]*1 player[\s\S]*older API/);
  await press('Deploy');
  await until(() => deploys().length === 2, 'the deploy');
  expect(deploys().at(-1)).toMatchObject({
    endpoint: 'deployLegacy',
    body: { ip_list: ['203.0.113.7'], command: '/bin/server' },
  });
});
