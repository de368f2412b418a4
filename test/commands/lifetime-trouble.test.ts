import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { effectOf, phase, type Stage, stageOn, stageOnDisk, typeLine } from '../command/harness.ts';
import { startBot } from '../support/bot.ts';
import { cardOf, deployFor, question, questions } from '../support/lifetimes.ts';
import { later, stopsOf, texts } from '../support/planned-stops.ts';
import { until } from '../support/test-clock.ts';

const terminated = (stage: Stage, id: string) =>
  later(stage, () => until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end'));
const says = async (stage: Stage, words: string) =>
  await until(
    async () => (await stage.driver.channel()).find(({ text }) => text.includes(words)),
    `“${words}”`,
  );

describe.each(['discord', 'slack-http'] as const)('a lifetime and the person who deployed on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOnDisk(name);
  });
  afterAll(() => stage?.close());

  test('a lifetime ends even if the person who deployed has lost the permission, but a different operator can extend the lifetime', async () => {
    const id = await deployFor(stage, { for: '2m' });
    await later(stage, () => question(stage, id));
    await stage.driver.regroup('operator', []);
    await stage.driver.regroup('reader', ['operators']);
    const press = (persona: 'operator' | 'reader') =>
      effectOf(stage, persona, () => stage.driver.press(persona, 'Extend by 2 min'));
    expect(texts((await press('operator')).privately)).toContain('You may not change servers here');
    expect(texts((await press('reader')).privately)).toContain('The server now ends');
    await terminated(stage, id);
    expect(stopsOf(stage, id)).toHaveLength(1);
    await stage.driver.regroup('operator', ['operators']);
    await stage.driver.regroup('reader', ['readers']);
  });

  test('if the bot restarts after asking about a lifetime, it stops the server once and does not ask again', async () => {
    const id = await deployFor(stage, { for: '2m' });
    await later(stage, () => question(stage, id));
    stage.bot = await stage.bot.restart();
    await terminated(stage, id);
    expect(stopsOf(stage, id)).toHaveLength(1);
    expect(await questions(stage, id)).toHaveLength(1);
  });
});

describe('trouble with a lifetime', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn('console', { environment: { DEFAULT_LIFETIME: '2m', MAX_LIFETIME: '5m' } });
  });
  afterAll(() => stage?.close());

  const answer = async (line: string) =>
    texts((await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line))).privately);
  const press = async (label: string) =>
    texts((await effectOf(stage, 'operator', () => stage.driver.press('operator', label))).privately);

  test.each([
    ['0', /for must be a length of time, not “0”/],
    ['0m', /for must be at least one minute, not “0m”/],
    ['400d', /for may be at most 365 days, not “400d”/],
    ['yesterday', /for must be a length of time, not “yesterday”/],
    ['6m', /A server may run for at most 5 min[\s\S]*MAX_LIFETIME/],
  ])('the command "deploy --for %s" is refused, and nothing is deployed', async (length, words) => {
    const before = stage.simulator.deployments.size;
    expect(await answer(`deploy lobby-chat stable --near Montreal --for=${length}`)).toMatch(words);
    expect(stage.simulator.deployments.size).toBe(before);
  });

  test('a deploy without the option --for gets DEFAULT_LIFETIME, and the button "Keep" extends the lifetime up to MAX_LIFETIME', async () => {
    const id = await deployFor(stage, {});
    const asked = await later(stage, () => question(stage, id));
    expect(asked.text).toContain('as long as MAX_LIFETIME allows');
    expect(await press('Keep')).toContain('The server now ends');
    const again = await later(stage, () => question(stage, id, 2));
    expect(again.text).toContain('MAX_LIFETIME is reached');
    expect(again.buttons).toEqual(['Stop']);
    await terminated(stage, id);
  });

  test('if Edgegap wrongly answers the stop at the end of a lifetime with "no such deployment", the server is still stopped', async () => {
    const id = await deployFor(stage, { for: '1m' });
    stage.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before', status: 404 });
    await terminated(stage, id);
    expect(stopsOf(stage, id)).toHaveLength(2);
  });

  test('below the question about a lifetime, the button "Stop" asks for confirmation, and then stops the server early', async () => {
    const id = await deployFor(stage, { for: '4m' });
    await later(stage, () => question(stage, id));
    await press('Stop');
    expect(await press('Stop it')).toContain('Stopping');
    await until(async () => (await cardOf(stage, id))?.text.includes('Stopped'), 'the end on the card');
    expect((await cardOf(stage, id))?.text).not.toContain('Ended by its lifetime');
  });

  test('a preset can contain a lifetime, and too long a lifetime is refused when the preset is used', async () => {
    await answer('preset save short lobby-chat stable --near Montreal --for 3m');
    await answer('preset save long lobby-chat stable --near Montreal --for 3h');
    expect(await answer('deploy @long')).toContain('A server may run for at most 5 min');
    const had = new Set(stage.simulator.deployments.keys());
    await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'deploy @short'));
    const id = await until(() => [...stage.simulator.deployments.keys()].find((one) => !had.has(one)));
    const asked = await later(stage, () => question(stage, id));
    expect(asked.buttons).toContain('Extend by 2 min');
    stage.simulator.terminate(id);
  });

  test('if Edgegap is unreachable for 15 minutes at the end of a lifetime, the person learns that the server possibly still runs', async () => {
    const id = await deployFor(stage, { for: '1m' });
    stage.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before' }, 1_000);
    const told = await later(stage, () => says(stage, 'the stop at the end of the lifetime of'), 200);
    expect(told.text).toContain('The server may run on');
    stage.simulator.faults.clear();
    const card = async () => (await cardOf(stage, id))?.text ?? '';
    await later(stage, () => until(async () => !(await card()).includes('ends'), 'the card'), 20);
    expect(phase(stage.simulator, id)).toBe('READY');
  });
});

test('while the bot is read-only, a server is not stopped at the end of its lifetime, and the bot informs the person', async () => {
  const stage = await stageOnDisk('discord');
  try {
    const id = await deployFor(stage, { for: '2m' });
    await stage.bot.app.stop();
    stage.bot = await startBot(stage.driver, {
      edgegap: stage.simulator,
      environment: { DATABASE_URL: stage.database, READ_ONLY: '1' },
    });
    const told = await says(stage, 'the stop at the end of the lifetime of');
    expect(told.text).toContain('I am set to read-only');
    expect(stopsOf(stage, id)).toEqual([]);
  } finally {
    await stage.close();
  }
});
