import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AT_ONCE,
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  pressAction,
  type Stage,
  stageOn,
  typeLine,
} from '../command/harness.ts';
import { until } from '../support/test-clock.ts';

describe('the list command', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn('console');
  });
  afterAll(() => stage?.close());
  const list = async (line = 'list') => {
    const { privately, publicly } = await effectOf(stage, 'operator', () =>
      typeLine(stage, 'operator', line),
    );
    expect(publicly).toEqual([]);
    return privately.at(-1);
  };
  const press = async (label: string) =>
    (await effectOf(stage, 'operator', () => stage.driver.press('operator', label))).privately.at(-1);
  const rows = (text = '') => text.split('\n').filter((line) => /^│ .* [0-9a-f]{12} /.test(line));

  test('if no deployment is active, the command "list" says so', async () => {
    const card = await list();
    expect(card?.text).toContain('No active servers');
    expect(card?.text).toContain('No server is active.');
    expect((await list('list --tag nope'))?.text).toContain('No active server matches.');
    expect((await list('list --page 7'))?.text).toContain('No server is active.');
  });

  test('the command "list" shows all available facts about deployments from chat and about deployments made elsewhere', async () => {
    const ours = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
    const other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const card = await list();
    expect(card?.text).toContain('2 active servers');
    const [first = '', second = ''] = rows(card?.text);
    expect(first).toContain(other);
    expect(first).toContain('lobby-chat stable');
    expect(second).toMatch(
      new RegExp(`kart-racing v1\\.2 .*Ready .*${ours} +qa +${ours}\\.pr\\.edgegap\\.net:\\d+`),
    );
    expect(card?.text).not.toContain('chatops-');
    expect(card?.text).not.toContain('Page');
    expect(card?.buttons).toEqual(['Refresh']);
  });

  test('a page of "list" needs a single call, because the bot caches the statuses of deployments made elsewhere', async () => {
    const { asked } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'list'));
    expect(asked).toEqual(['GET list']);
  });

  test('the command "list" does not show a failed server as active, but a filter by status shows it', async () => {
    const failed = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    stage.simulator.fail(failed, 'The server crashed.');
    const all = await list();
    expect(all?.text).toContain('2 active servers');
    expect(all?.text).not.toContain(failed);
    const errors = await list('list --status error');
    expect(errors?.text).toContain('1 failed server');
    expect(errors?.text).toContain(failed);
    await fetch(`${stage.simulator.url}/v1/stop/${failed}`, {
      method: 'DELETE',
      headers: { authorization: `token ${stage.simulator.token}` },
    });
    await until(() => phase(stage.simulator, failed) === 'TERMINATED', 'it to be gone');
  });

  test('the command "list" says how many failed servers are hidden, and makes no extra call to Edgegap', async () => {
    const id = await deployReady(stage, 'kart-racing', 'v1.2', 'night');
    expect((await list())?.text).not.toContain('failed');
    stage.simulator.fail(id, 'The server crashed.');
    const shown = (text: string) =>
      until(async () => (await stage.driver.channel()).some((one) => one.text.includes(text)), text);
    for (const text of [' failed: ', 'The server crashed.', 'Crash report']) await shown(text);
    await stage.bot.app.settled();
    const { asked, privately } = await effectOf(stage, 'operator', () =>
      typeLine(stage, 'operator', 'list --application kart-racing'),
    );
    expect(asked).toEqual(['GET list']);
    expect(privately.at(-1)?.text).toContain('1 failed server is not shown');
    expect((await list('list --tag night'))?.text).toContain('1 failed server is not shown');
    for (const line of ['list --tag qa', 'list --application lobby-chat', 'list --status error'])
      expect((await list(line))?.text).not.toContain('not shown');
    await effectOf(stage, 'operator', () => typeLine(stage, 'operator', `stop ${id}`));
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Stop it'));
    for (const text of [' stopped', 'Stopped']) await shown(text);
    await stage.bot.app.settled();
    expect((await list())?.text).not.toContain('not shown');
  });

  test('a command accepts the first characters of the request_id of a deployment made outside the chat', async () => {
    const others = [...stage.simulator.deployments.values()];
    const other = others.find(({ application }) => application === 'lobby-chat')?.request_id ?? '';
    expect((await list(`status ${other.slice(0, 8)}`))?.text).toContain(other);
    expect((await list('status 000000'))?.text).toMatch(/knows no server/);
  });

  test('the command "list" can filter by each field and by all fields together', async () => {
    expect(rows((await list('list --application lobby-chat'))?.text)).toHaveLength(1);
    expect(
      rows((await list('list --application kart-racing --version v1.2 --status ready --tag qa'))?.text),
    ).toHaveLength(1);
    expect(rows((await list('list --status ERROR'))?.text)).toEqual([]);
    expect((await list('list --tag qa'))?.text).toContain('1 active server: tag qa');
  });

  test.each(['QA', ' “qa” ', 'qá', 'ＱＡ'])('filtering by the tag %s finds the tag qa', async (tag) => {
    const found = await list(`list --tag '${tag}'`);
    expect(found?.text).toContain('1 active server: tag qa');
    expect(rows(found?.text)).toHaveLength(1);
  });

  test('filtering by a version in capitals finds the version', async () => {
    expect((await list('list --version V1.2'))?.text).toContain('1 active server: version v1.2');
  });

  test('filtering by a tag lists only exact matches, or all similar tags if no tag matches exactly', async () => {
    const night = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['Night']);
    const shift = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['NIGHT']);
    expect(rows((await list('list --tag Night'))?.text)).toHaveLength(1);
    expect((await list('list --tag night'))?.text).toMatch(/2 active servers: tag (Night|NIGHT) or/);
    stage.simulator.terminate(shift);
    expect((await press('Refresh'))?.text).toMatch(/1 active server: tag (Night|NIGHT) or/);
    stage.simulator.terminate(night);
  });

  test('the page buttons of a long list keep the filter', async () => {
    for (let n = 0; n < 21; n++) await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', [`n${n}`]);
    const first = await list('list --application lobby-chat');
    expect(first?.text).toContain('22 active servers: application lobby-chat');
    expect(first?.text).toContain('Page 1 of 3');
    expect(rows(first?.text)).toHaveLength(10);
    expect(first?.buttons).toEqual(['Refresh', 'Next']);
    const second = await press('Next');
    expect(second?.id).toBe(first?.id);
    expect(second?.text).toContain('Page 2 of 3');
    expect(second?.buttons).toEqual(['Previous', 'Refresh', 'Next']);
    const third = await press('Next');
    expect(rows(third?.text)).toHaveLength(2);
    expect(third?.buttons).toEqual(['Previous', 'Refresh']);
    expect(third?.text).not.toContain('kart-racing');
    expect((await press('Previous'))?.text).toContain('Page 2 of 3');
    expect((await list('list --application lobby-chat --page 99'))?.text).toContain(
      'There is no page 99. Page 3 of 3',
    );
    expect((await list('list --tag n0 --page 2'))?.text).toContain('There is no page 2. Page 1 of 1');
  });

  test('a tag that contains a line break or markup stays within its row of the list', async () => {
    await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['a\nb', '`x`', '<!channel>']);
    const [row = ''] = rows((await list('list --tag "`x`"'))?.text);
    expect(row).toContain('`x`, <!channel>');
  });
});

test('for a deployment from chat that is still starting, the command "list" makes no status call', async () => {
  const stage = await stageOn('console', {
    simulator: { durations: { ...AT_ONCE.durations, deploying: 3_600_000 } },
  });
  try {
    await effectOf(stage, 'operator', () =>
      stage.driver.command('operator', 'deploy', {
        application: 'kart-racing',
        version: 'v1.2',
        near: 'Montreal',
      }),
    );
    // From now on, the bot rarely polls the status of the deployment.
    stage.speed(0.001);
    const { asked, privately } = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'list'));
    expect(asked).toEqual(['GET list']);
    expect(privately.at(-1)?.text).toMatch(/kart-racing v1\.2/);
    await fetch(`${stage.simulator.url}/v2/deployments`, {
      method: 'POST',
      headers: { authorization: `token ${stage.simulator.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        application: 'lobby-chat',
        version: 'stable',
        users: [{ user_type: 'ip_address', user_data: { ip_address: '1.2.3.4' } }],
      }),
    });
    const both = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', 'list'));
    expect(both.asked.toSorted()).toEqual(['GET list', 'GET status']);
    expect(both.privately.at(-1)?.text).toContain('lobby-chat stable');
  } finally {
    await stage.close();
  }
});

test.each(['discord', 'slack-http'] as const)(
  'a page button of a list is refused on %s if the button is too old or was tampered with',
  async (name) => {
    const stage = await stageOn(name);
    try {
      await effectOf(stage, 'operator', () =>
        stage.driver.command('operator', 'logs', { deployment: 'ffffffffffff' }),
      );
      await deployReady(stage);
      for (const arg of ['2.no-such-key', 'x', '', '-1.', '../..']) {
        const effect = await effectOf(stage, 'operator', () =>
          pressAction(stage, 'operator', { command: 'list', action: 'page', arg }),
        );
        expect(effect.publicly).toEqual([]);
        expect(effect.privately.at(-1)?.text).toContain('too old to turn its pages');
      }
      for (const [command, action] of [
        ['stop', 'confirm'],
        ['status', 'refresh'],
        ['logs', 'show'],
      ] as const) {
        const effect = await effectOf(stage, 'operator', () =>
          pressAction(stage, 'operator', { command, action, arg: '../../v1/deployments' }),
        );
        expect(effect.asked).toEqual([]);
        expect(effect.publicly).toEqual([]);
        expect(effect.privately.at(-1)?.text).toMatch(/is not a request/);
      }
    } finally {
      await stage.close();
    }
  },
);
