import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  type Stage,
  stageOn,
  stageOnDisk,
  typeLine,
} from '../command/harness.ts';
import { later, plan, plannedCard, shows, stopsOf, texts } from '../support/planned-stops.ts';
import { until } from '../support/test-clock.ts';

describe.each(['discord', 'slack-http'] as const)(
  'a planned stop and the person who planned the stop, on %s',
  (name) => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await stageOnDisk(name);
    });
    afterAll(() => stage?.close());

    test('if the person has lost the right to stop when a planned stop is due, the server is not stopped, and the card says so', async () => {
      const id = await deployReady(stage);
      await plan(stage, id);
      await stage.driver.regroup('operator', ['readers']);
      await later(stage, () => shows(stage, id, 'may no longer stop servers here'));
      const line = await later(stage, () =>
        until(
          async () =>
            (await stage.driver.channel()).find(({ text }) => text.includes(' the planned stop of ')),
          'the line',
        ),
      );
      expect(line.pings).toHaveLength(1);
      expect(stopsOf(stage, id)).toEqual([]);
      expect(phase(stage.simulator, id)).toBe('READY');
      await stage.driver.regroup('operator', ['operators']);
    });

    test('a person who may not stop deployments cannot cancel a planned stop', async () => {
      const id = await deployReady(stage);
      await plan(stage, id);
      const press = () => stage.driver.press('reader', 'Cancel');
      const { privately, publicly } = await effectOf(stage, 'reader', press);
      expect(texts(privately)).toContain('You may not change servers here');
      expect(publicly).toEqual([]);
      await later(stage, () => shows(stage, id, 'Stopped '));
    });

    test('a planned stop survives a restart of the bot, and a stop that became due during the restart is sent at the start', async () => {
      const id = await deployReady(stage);
      await plan(stage, id);
      stage.speed(100);
      stage.bot = await stage.bot.restart();
      await later(stage, () => shows(stage, id, 'Stopped '));
      expect(stopsOf(stage, id)).toHaveLength(1);
    });
  },
);

describe('trouble with a stop', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn('console');
  });
  afterAll(() => stage?.close());

  const answer = async (line: string) => {
    const { privately, publicly } = await effectOf(stage, 'operator', () =>
      typeLine(stage, 'operator', line),
    );
    expect(publicly).toEqual([]);
    return texts(privately);
  };
  const press = async (label: string) => {
    const { privately } = await effectOf(stage, 'operator', () => stage.driver.press('operator', label));
    return texts(privately);
  };

  test.each(['0', 'yesterday', '-5m'])(
    'the command "stop --in %s" is refused, and the answer names the longest time',
    async (wait) => {
      const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
      const text = await answer(`stop ${id} --in=${wait}`);
      expect(text).toMatch(/in must be a length of time, not “.*from one minute to 7 days/s);
    },
  );

  test.each([
    ['0m', 'in must be at least one minute'],
    ['30s', 'in must be at least one minute'],
    ['8d', 'in may be at most 7 days'],
    ['3w', 'in may be at most 7 days'],
  ])('"stop --in %s" is refused because the wait is too short or too long', async (wait, reason) => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    expect(await answer(`stop ${id} --in ${wait}`)).toContain(`${reason}, not “${wait}”`);
  });

  test('if a duration is typed in two words, the answer shows how to write the duration', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    expect(await answer(`stop ${id} --in 1h 30m`)).toMatch(/what to do with “30m”.*--in "1h 30m"/s);
    expect(await answer(`stop ${id} --in "1h 30m"`)).toContain('Stop lobby-chat stable in 1 h 30 min?');
  });

  test('if the server ends by itself before the time of a planned stop, the confirmation question says so', async () => {
    // Servers of kart-racing v1.2 have a time limit of one hour. Servers of lobby-chat have no time limit.
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    expect(await answer(`stop ${id} --in 2h`)).toMatch(/ends this server by itself before that: in /);
    expect(await answer(`stop ${id} --in 30m`)).not.toContain('by itself');
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    expect(await answer(`stop ${other} --in 2h`)).not.toContain('by itself');
  });

  test('the answer to "stop" shows how long the server ran, according to Edgegap', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    for (const phase of stage.simulator.deployments.get(id)?.history ?? [])
      Object.assign(phase, { at: phase.at - 125_000 });
    await answer(`stop ${id}`);
    expect(await press('Stop it')).toMatch(/Stopping[\s\S]*The server ran for 2 min \d+ s\./);
    await until(() => phase(stage.simulator, id) === 'TERMINATED');
    const ended = /has already stopped[\s\S]*The server ran for 2 min \d+ s, and ended /;
    expect(await answer(`stop ${id}`)).toMatch(ended);
    expect(await answer(`stop ${id} --in 10m`)).toMatch(ended);
  });

  test('the live card of a stopped deployment shows when the server stopped, and how long it ran', async () => {
    const id = await deployReady(stage);
    await answer(`stop ${id}`);
    await press('Stop it');
    const card = async () => (await stage.driver.channel()).find(({ text }) => text.includes(id));
    await until(async () => (await card())?.text.includes('Stopped'), 'the end on the card');
    expect((await card())?.text).toMatch(/Stopped .* · ran for /);
    const hasLog = async () =>
      (await stage.driver.channel()).some(({ text }) => text.includes('Last log of'));
    await until(hasLog, 'the last log');
  });

  test.each([
    ['yes', 'kept in the log storage of the version', undefined],
    ['no', 'deleted', undefined],
    ['match-logs', 'kept in match-logs', 'match-logs'],
  ])(
    'the option "--log-storage %s" of "stop" is shown in the question and sent to Edgegap',
    async (given, words, kept) => {
      const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
      expect(await answer(`stop ${id} --log-storage ${given}`)).toMatch(new RegExp(`log ${words}`));
      expect(await press('Stop it')).toContain('Stopping');
      expect(stopsOf(stage, id)[0]?.path).toContain(id);
      expect(stage.simulator.deployments.get(id)?.logStorage).toBe(kept);
    },
  );

  test('if Edgegap refuses the log storage of a stop, the answer gives the reason, and the server keeps running', async () => {
    const id = await deployReady(stage);
    await answer(`stop ${id} --log-storage no-such-logs`);
    expect(await press('Stop it')).toContain('Endpoint storage no-such-logs not found');
    await plan(stage, id, { logStorage: 'no-such-logs' });
    await later(stage, () => shows(stage, id, 'was not stopped'));
    expect((await plannedCard(stage, id))?.text).toContain('Endpoint storage no-such-logs not found');
    const line = async () =>
      (await stage.driver.channel()).some(({ text }) => text.includes('the planned stop of'));
    await until(line, 'the person to be told');
    expect(phase(stage.simulator, id)).toBe('READY');
    expect(await answer(`status ${id}`)).toMatch(/Ready /);
  });

  test('if Edgegap is unavailable for some minutes when a planned stop is due, the stop is carried out afterwards', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await plan(stage, id);
    stage.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before' }, 12);
    await later(stage, () => shows(stage, id, 'Stopped '));
    expect(stopsOf(stage, id).length).toBeGreaterThan(12);
  });

  test('if Edgegap is unavailable for 15 minutes when a planned stop is due, the card says that the deployment possibly still runs', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await plan(stage, id);
    stage.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before' }, 1_000);
    await later(stage, () => shows(stage, id, 'was not stopped'), 200);
    stage.simulator.faults.clear();
    expect((await plannedCard(stage, id))?.text).toContain('The server may run on');
  });

  test('if a deployment made outside the chat ends before its planned stop, the card says so at the time of the stop', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await plan(stage, id);
    stage.simulator.terminate(id);
    await later(stage, () => shows(stage, id, 'has already stopped'));
  });

  test('if Edgegap no longer has a deployment when its planned stop is due, the card says that the deployment has probably stopped', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await plan(stage, id);
    stage.simulator.terminate(id);
    stage.simulator.forget(id);
    await later(stage, () => shows(stage, id, 'has probably stopped'));
  });

  test('if Edgegap wrongly answers a planned stop with "no such deployment", the server is still stopped', async () => {
    const id = await deployReady(stage);
    await plan(stage, id);
    stage.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before', status: 404 });
    await later(stage, () => shows(stage, id, 'Stopped '));
    expect(stopsOf(stage, id)).toHaveLength(2);
    await later(stage, () => until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end'));
  });

  test('if the bot wrongly assumes that a server has ended, a planned stop stays scheduled and stops the server on time', async () => {
    const id = await deployReady(stage);
    await plan(stage, id, { wait: '30m', words: '30 min' });
    const deployments = stage.simulator.deployments as Map<string, unknown>;
    const server = deployments.get(id);
    const said = async (words: string) =>
      (await stage.driver.channel()).some(({ text }) => text.includes(id) && text.includes(words));
    deployments.delete(id);
    await later(stage, () => until(() => said(' stopped'), 'the end'));
    deployments.set(id, server);
    await later(stage, () => until(() => said('is still running after all'), 'the correction'));
    expect((await plannedCard(stage, id))?.text).toContain('stops later');
    await later(stage, () => shows(stage, id, 'Stopped '));
    expect(stopsOf(stage, id)).toHaveLength(1);
  });

  test('if a person cancels a planned stop while the bot sends the stop, the card shows only one outcome: the stop', async () => {
    const id = await deployReady(stage);
    await plan(stage, id);
    stage.simulator.faults.next({ endpoint: 'stop' }, { kind: 'slow', when: 'before', ms: 20_000 });
    await later(stage, () => until(() => stopsOf(stage, id).length > 0, 'the stop'));
    expect(await press('Cancel')).toContain('is being carried out at this moment');
    await later(stage, () => shows(stage, id, 'Stopped '), 20);
    const edits = (await plannedCard(stage, id))?.edits;
    await stage.bot.app.settled();
    expect((await plannedCard(stage, id))?.edits).toBe(edits);
    expect(stopsOf(stage, id)).toHaveLength(1);
  });
});
