import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployElsewhere, deployReady, effectOf, phase, type Stage, stageOn } from '../command/harness.ts';
import type { FormHands } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { cardOf, deployFor, question } from '../support/lifetimes.ts';
import { later, plan, stopsOf, texts } from '../support/planned-stops.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

describe.each(['console', 'discord', 'slack-http'] as const)('servers without a person on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name, { environment: { MAX_LIFETIME: '4m' } });
  });
  afterAll(() => stage?.close());

  const orphans = async () =>
    (await effectOf(stage, 'operator', () => stage.driver.command('operator', 'orphans'))).privately.at(-1);
  /** In a terminal, each choice of a menu is a button. */
  const choose = async (label: string) => {
    const hands = stage.driver as Partial<FormHands>;
    const act = () => hands.choose?.('operator', label) ?? stage.driver.press('operator', label);
    return await effectOf(stage, 'operator', act);
  };

  test('the command "orphans" lists servers that were deployed outside the chat, except servers with a planned stop', async () => {
    expect((await orphans())?.text).toContain('0 servers without a person');
    const ours = await deployReady(stage);
    const endless = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const limited = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const planned = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await plan(stage, planned, { wait: '3h', words: '3 h' });
    const text = (await orphans())?.text ?? '';
    expect(text).toContain('2 servers without a person');
    expect(text).toMatch(new RegExp(`${endless}[\\s\\S]*never`));
    expect(text).toMatch(new RegExp(`${limited}[\\s\\S]*\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d`));
    expect(text).not.toContain(ours);
    expect(text).not.toContain(planned);
    for (const id of [limited, planned]) stage.simulator.terminate(id);
  });

  test('a server adopted with "orphans" gets a person, a live card and a lifetime, and is stopped when the lifetime ends', async () => {
    const text = (await orphans())?.text ?? '';
    const [id = ''] = [...stage.simulator.deployments.keys()].filter((one) => text.includes(one));
    expect(texts((await choose(id)).privately)).toContain('lobby-chat stable');
    const { privately } = await choose('Adopt for 4 min');
    expect(texts(privately)).toContain('You adopted lobby-chat stable, which ends in 4 min');
    const card = async () => (await cardOf(stage, id))?.text ?? '';
    await until(async () => /deployed elsewhere, adopted by/.test(await card()), 'the live card');
    expect(await card()).toContain('ends');
    expect((await orphans())?.text).toContain('0 servers without a person');
    expect(texts(await stage.driver.channel())).not.toContain(`${id} is ready`);
    const asked = await later(stage, () => question(stage, id));
    expect(asked.buttons).toEqual(['Stop']);
    await later(stage, () => until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end'));
    await later(
      stage,
      () => until(async () => (await card()).includes('Ended by its lifetime'), 'the card'),
      20,
    );
    expect(stopsOf(stage, id)).toHaveLength(1);
  });

  test('after a confirmation, a person can stop a server from the list of "orphans"', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await orphans();
    await choose(id);
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Stop'));
    expect(stopsOf(stage, id)).toEqual([]);
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Stop it'));
    expect(stopsOf(stage, id)).toHaveLength(1);
  });

  test('the button "Details" on a server of "orphans" adds the region, and "Refresh" keeps the region and says when the bot asked', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await orphans();
    expect(texts((await choose(id)).privately)).not.toContain('Quebec');
    for (const button of ['Details', 'Refresh']) {
      const press = () => stage.driver.press('operator', button);
      const shown = texts((await effectOf(stage, 'operator', press)).privately);
      expect(shown, button).toContain('Quebec, North America');
      expect(shown, button).toContain('checked');
    }
    expect(texts((await choose('Adopt for 4 min')).privately)).toContain('You adopted lobby-chat stable');
  });
});

test('without MAX_LIFETIME, a server from the list of "orphans" can be adopted for up to a day', async () => {
  const stage = await stageOn('console');
  try {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const command = () => stage.driver.command('operator', 'orphans');
    await effectOf(stage, 'operator', command);
    const { privately } = await effectOf(stage, 'operator', () => stage.driver.press('operator', id));
    const times = texts(privately).match(/Adopt for \d+ h/g);
    expect(times).toEqual(['Adopt for 1 h', 'Adopt for 2 h', 'Adopt for 8 h', 'Adopt for 24 h']);
  } finally {
    await stage.close();
  }
});

test('"orphans" connects a server with its deploy of unknown outcome, so that the server cannot be adopted', async () => {
  const stage = await stageOn('console');
  try {
    stage.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'before' });
    const values = { application: 'lobby-chat', version: 'stable', near: 'Montreal' };
    await effectOf(stage, 'operator', () => stage.driver.command('operator', 'deploy', values));
    const says = async (words: string) => texts(await stage.driver.channel()).includes(words);
    const lost = () => says('may have started, but Edgegap neither answered');
    await later(stage, () => until(lost, 'the end of the search'));
    const { body } = stage.simulator.requests.findLast(({ endpoint }) => endpoint === 'deploy') ?? {};
    const [own = ''] = /chatops-[0-9a-z]{12}/.exec(JSON.stringify(body)) ?? [];
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', [own]);
    const command = () => stage.driver.command('operator', 'orphans');
    const { privately } = await effectOf(stage, 'operator', command);
    expect(texts(privately)).toContain('0 servers without a person');
    expect((await cardOf(stage, id))?.buttons).not.toContain('Deploy again');
  } finally {
    await stage.close();
  }
});

test('if a person deploys an adopted server again, the new server is treated like every server from chat', async () => {
  const stage = await stageOn('console');
  try {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));
    await effectOf(stage, 'operator', () => stage.driver.command('operator', 'orphans'));
    for (const label of [id, 'Adopt for 8 h']) await press(label);
    stage.simulator.terminate(id);
    const hasButton = async () => (await cardOf(stage, id))?.buttons.includes('Deploy again');
    await later(stage, () => until(hasButton, 'the button'));
    await press('Deploy again');
    await press('Deploy');
    const other = await until(() => [...stage.simulator.deployments.keys()].find((one) => one !== id));
    await until(async () => (await cardOf(stage, other))?.buttons.includes('Logs'), 'the card to be ready');
    expect((await cardOf(stage, other))?.text).not.toContain('adopted');
    await until(async () => texts(await stage.driver.channel()).includes(' is ready'), 'the event');
  } finally {
    await stage.close();
  }
});

/** On Discord, the operator leaves the server. On Slack, an admin deactivates the operator's account. */
function operatorLeaves({ driver }: Stage): void {
  if (driver.platform === 'slack') {
    const { server, userIds } = driver as SlackDriver;
    server.world.facts.set(userIds.operator, { deleted: true });
  } else {
    const { server } = driver as DiscordDriver;
    server.rest.people.splice(
      server.rest.people.findIndex(({ name }) => name === 'Olga'),
      1,
    );
  }
}

describe.each(['discord', 'slack-http'] as const)('the server of a person who left, on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name);
    await stage.driver.regroup('admin', ['operators']);
  });
  afterAll(() => stage?.close());

  const orphans = async () =>
    texts((await effectOf(stage, 'admin', () => stage.driver.command('admin', 'orphans'))).privately);
  const choose = async (label: string) => {
    const { choose: chosen } = stage.driver as Partial<FormHands>;
    return texts((await effectOf(stage, 'admin', async () => await chosen?.('admin', label))).privately);
  };

  test('"orphans" shows a server without a lifetime after its person has left, and another person can adopt the server', async () => {
    const id = await deployReady(stage);
    const limited = await deployFor(stage, { for: '2h' });
    expect(await orphans()).toContain('0 servers without a person');
    operatorLeaves(stage);
    stage.speed(20);
    const text = await until(async () => {
      const shown = await orphans();
      return shown.includes('1 server without a person') ? shown : undefined;
    }, 'the server of the person who left');
    expect(text).toContain('(left)');
    expect(text).not.toContain(limited);
    await choose(id);
    expect(await choose('Adopt for 2 h')).toContain('You adopted kart-racing v1.2, which ends in 2 h');
    const card = async () => (await cardOf(stage, id))?.text ?? '';
    await until(async () => /ends/.test(await card()), 'the end on the card');
    expect(await orphans()).toContain('0 servers without a person');
  });
});
