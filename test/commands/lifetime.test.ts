import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultCatalog } from '../../src/simulator/catalog.ts';
import { effectOf, phase, type Stage, stageOn } from '../command/harness.ts';
import { cardOf, deployFor, question, questions } from '../support/lifetimes.ts';
import { later, stopsOf, texts } from '../support/planned-stops.ts';
import { until } from '../support/test-clock.ts';

describe.each(['console', 'discord', 'slack-http'] as const)('the lifetime of a server on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name);
  });
  afterAll(() => stage?.close());

  const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));

  test('the bot asks about a short lifetime after half of the time, and without an answer stops the server at the end', async () => {
    const id = await deployFor(stage, { for: '2m' });
    expect((await cardOf(stage, id))?.text).toMatch(/· ends (?:<t:\d+:R>|in \d+ \w+|.*\{time\}.*)/);
    const asked = await later(stage, () => question(stage, id));
    expect(asked.text).toMatch(/ends soon[\s\S]*its lifetime is over then/);
    expect(asked.buttons).toEqual(['Extend by 2 min', 'Keep', 'Stop']);
    if (name !== 'console') expect(asked.pings).toHaveLength(1);
    if (name !== 'console') expect(asked.parent).toBe((await cardOf(stage, id))?.id);
    expect(stopsOf(stage, id)).toEqual([]);
    await later(stage, () => until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end'));
    const shows = async () => (await cardOf(stage, id))?.text.includes('Ended by its lifetime');
    await later(stage, () => until(shows, 'the end on the card'), 20);
    const told = async () => texts(await stage.driver.channel()).includes('because its lifetime has ended');
    await later(stage, () => until(told, 'the line'), 20);
    expect(stopsOf(stage, id)).toHaveLength(1);
    expect(await questions(stage, id)).toHaveLength(1);
  });

  test('the button "Extend" adds the same time to the lifetime of a server, and the bot asks again before the new end', async () => {
    const id = await deployFor(stage, { for: '2m' });
    await later(stage, () => question(stage, id));
    const { privately } = await press('Extend by 2 min');
    expect(texts(privately)).toContain('now ends');
    const answered = async () => (await question(stage, id)).text;
    await until(async () => (await answered()).includes('gave the server more time'), 'the answer');
    expect((await question(stage, id)).buttons).toEqual([]);
    const again = await later(stage, () => question(stage, id, 2));
    expect(again.text).toMatch(/ends soon/);
    expect(stopsOf(stage, id)).toEqual([]);
    await later(stage, () => until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end'));
    expect(stopsOf(stage, id)).toHaveLength(1);
  });

  test('if a person presses Keep, the server has no lifetime any more and keeps running', async () => {
    const id = await deployFor(stage, { for: '1m' });
    await later(stage, () => question(stage, id));
    const { privately } = await press('Keep');
    expect(texts(privately)).toContain('I do not stop the server any more');
    const other = await deployFor(stage, { for: '2m' });
    await later(stage, () => until(() => phase(stage.simulator, other) === 'TERMINATED', 'the other end'));
    expect(phase(stage.simulator, id)).toBe('READY');
    expect((await cardOf(stage, id))?.text).not.toContain('ends');
  });
});

describe.each(['console', 'discord', 'slack-http'] as const)('the time limit of a version on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    const applications = defaultCatalog.applications.map((application) => ({
      ...application,
      versions: application.versions.map((version) => ({ ...version, max_duration: 2 })),
    }));
    stage = await stageOn(name, { simulator: { catalog: { ...defaultCatalog, applications } } });
  });
  afterAll(() => stage?.close());

  test('before a server reaches the time limit of its version, the bot warns the person and offers only a stop', async () => {
    const id = await deployFor(stage, { for: '1h' });
    const asked = await later(stage, () => question(stage, id));
    expect(asked.text).toMatch(/its version limits the time/);
    expect(asked.buttons).toEqual(['Stop']);
    await later(stage, () => until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end'));
    const shows = async () => (await cardOf(stage, id))?.text.includes('Stopped');
    await later(stage, () => until(shows, 'the end on the card'), 20);
    expect((await cardOf(stage, id))?.text).not.toContain('Ended by its lifetime');
    expect(stopsOf(stage, id)).toEqual([]);
  });
});
