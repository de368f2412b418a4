import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployElsewhere, deployReady, effectOf, phase, type Stage, stageOn } from '../command/harness.ts';
import type { FormHands } from '../support/chat-driver.ts';
import { cardOf, question } from '../support/lifetimes.ts';
import { later, plan, stopsOf, texts } from '../support/planned-stops.ts';
import { until } from '../support/test-clock.ts';

describe.each(['console', 'discord', 'slack-http'] as const)('servers without a person on %s', (name) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(name, { environment: { MAX_LIFETIME: '4m' } });
  });
  afterAll(() => stage?.close());

  const orphans = async () =>
    (await effectOf(stage, 'operator', () => stage.driver.command('operator', 'orphans'))).privately.at(-1);
  /** A terminal shows each choice of a menu as a button. */
  const choose = async (label: string) => {
    const hands = stage.driver as Partial<FormHands>;
    const act = () => hands.choose?.('operator', label) ?? stage.driver.press('operator', label);
    return await effectOf(stage, 'operator', act);
  };

  test('the command "orphans" lists servers that were deployed outside the chat, except those whose stop is planned', async () => {
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
    await until(async () => /Deployed elsewhere, adopted by/.test(await card()), 'the live card');
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

  test('a server in the list of "orphans" can be stopped after a person has confirmed the stop', async () => {
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    await orphans();
    await choose(id);
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Stop'));
    expect(stopsOf(stage, id)).toEqual([]);
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Stop it'));
    expect(stopsOf(stage, id)).toHaveLength(1);
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
