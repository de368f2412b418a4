import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  pressAction,
  type Stage,
  stageOn,
} from '../command/harness.ts';
import { later, plan, plannedCard, shows, stopsOf, texts } from '../support/planned-stops.ts';
import { until } from '../support/test-clock.ts';

describe.each(['console', 'discord', 'slack-http'] as const)('a planned stop on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name);
  });
  afterAll(() => stage?.close());

  test('after "stop --in", a card tells the channel when the deployment stops, and later shows that it was stopped', async () => {
    const id = await deployReady(stage);
    const asked = await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'stop', { deployment: id, in: '10m', 'log-storage': 'match-logs' }),
    );
    expect(asked.publicly).toEqual([]);
    expect(texts(asked.privately)).toMatch(/in 10 min\?[\s\S]*counted from your answer[\s\S]*match.?-logs/);
    const { privately, publicly } = await effectOf(stage, 'operator', () =>
      stage.driver.press('operator', 'Stop it in 10 min'),
    );
    expect(texts(privately)).toContain('The stop is planned');
    expect(texts(publicly)).toMatch(/stops later[\s\S]*asked for by/);
    expect((await plannedCard(stage, id))?.buttons).toEqual(['Cancel']);
    const status = () => stage.driver.command('operator', 'status', { deployment: id });
    const look = await effectOf(stage, 'operator', status);
    expect(texts(look.privately)).toMatch(/Stops in (?:9|10) min, asked by/);
    expect(phase(stage.simulator, id)).toBe('READY');
    await later(stage, () => shows(stage, id, 'Stopped '), 200);
    expect((await plannedCard(stage, id))?.buttons).toEqual([]);
    expect(phase(stage.simulator, id)).toMatch(/^TERMINAT/);
    expect(stopsOf(stage, id)).toHaveLength(1);
    expect(stage.simulator.deployments.get(id)?.logStorage).toBe('match-logs');
  });

  test('if a planned stop is cancelled with the button of its card, no stop is sent to Edgegap', async () => {
    const id = await deployReady(stage);
    await plan(stage, id);
    const { privately } = await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Cancel'));
    expect(texts(privately)).toContain('Cancelled');
    await shows(stage, id, 'is not stopped');
    expect((await plannedCard(stage, id))?.text).toMatch(/ cancelled the stop that \S+ planned/);
    // A planned stop of a second deployment is the sign that the time has passed.
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await plan(stage, other, { wait: '2m', words: '2 min' });
    await later(stage, () => shows(stage, other, 'Stopped '));
    expect(phase(stage.simulator, id)).toBe('READY');
    expect(stopsOf(stage, id)).toEqual([]);
  });

  test('if a person plans a second stop of a deployment, it replaces the first stop, and both cards say so', async () => {
    const id = await deployReady(stage);
    await plan(stage, id, { wait: '3h', words: '3 h' });
    const first = await plannedCard(stage, id);
    const { privately } = await plan(stage, id);
    expect(texts(privately)).toMatch(/in place of the stop that \S+ planned/);
    await shows(stage, id, 'replaces the stop');
    const old = async () => (await stage.driver.channel()).find((one) => one.id === first?.id);
    await until(
      async () => (await old())?.text.includes('stops at another time'),
      'the first card to change',
    );
    expect((await old())?.buttons).toEqual([]);
    await later(stage, () => shows(stage, id, 'Stopped '));
    expect(stopsOf(stage, id)).toHaveLength(1);
  });

  test('if a deployment ends before its planned stop, the card reports the end, and the bot sends no stop', async () => {
    const id = await deployReady(stage);
    await plan(stage, id);
    stage.simulator.terminate(id);
    await later(stage, () => shows(stage, id, 'has already stopped'), 20);
    expect(stopsOf(stage, id)).toEqual([]);
  });

  // A terminal shows each button only once.
  test.runIf(name !== 'console')(
    'if the question about a stop is already answered, its button changes nothing',
    async () => {
      const id = await deployReady(stage);
      await plan(stage, id);
      for (const [action, answer] of [
        ['confirm', 'That question was answered already'],
        ['revoke', 'That stop is no longer planned'],
      ] as const) {
        const pressed = { command: 'stop', action, arg: `${id}.0123456789ab` };
        const press = () => pressAction(stage, 'operator', pressed);
        const { privately, publicly } = await effectOf(stage, 'operator', press);
        expect(texts(privately)).toContain(answer);
        expect(publicly).toEqual([]);
      }
      expect((await plannedCard(stage, id))?.text).toContain('stops later');
    },
  );
});
