import { afterEach, describe, expect, test } from 'vitest';
import {
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  type Stage,
  stageOn,
  stageOnDisk,
} from '../command/harness.ts';
import type { DriverName } from '../support/bot.ts';
import type { ChatDriver, MenuHands, Persona, VisibleMessage } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { shortcutPayload } from '../support/slack-payloads.ts';
import { SLACK_TOKENS } from '../support/slack-world.ts';
import { until } from '../support/test-clock.ts';

const platforms = ['discord', 'slack-socket', 'slack-http'] as const satisfies readonly DriverName[];

let stage: Stage;
afterEach(() => stage?.close());

const hands = () => stage.driver as ChatDriver & MenuHands;
const textOf = (messages: readonly { readonly text: string }[]) =>
  messages.map(({ text }) => text.replaceAll('\\', '')).join('\n');
const choose = (persona: Persona, message: string, entry: string) =>
  effectOf(stage, persona, () => hands().fromMenu(persona, message, entry));

/** The live card of a deployment. */
async function cardOf(id: string): Promise<VisibleMessage> {
  const card = (await stage.driver.channel()).find(
    ({ text, parent, buttons }) => parent === undefined && buttons.length > 0 && text.includes(id),
  );
  if (!card) throw new Error(`There is no card of ${id}`);
  return card;
}

/** Posts a message of the bot below another message. Resolves with the id of the new message. */
async function posted(text: string, under: string): Promise<string> {
  if (stage.driver.platform === 'discord') {
    const { rest } = (stage.driver as DiscordDriver).server;
    const body = { content: text, message_reference: { message_id: under } };
    return rest.messages.create(ids.channel, body).id;
  }
  const { world } = (stage.driver as SlackDriver).server;
  const { team: channel } = world.channels;
  const post = { channel, text, thread_ts: under };
  return String((await world.call(SLACK_TOKENS.bot, 'chat.postMessage', post)).ts);
}

/** Makes Edgegap report that the server became ready this many milliseconds ago. */
function readySince(id: string, ms: number): void {
  const { history = [] } = stage.simulator.deployments.get(id) ?? {};
  history.splice(0, history.length, ...history.map(({ phase, at }) => ({ phase, at: at - ms })));
}

/** Ends the deployment, and waits until its card has the button to deploy again. */
async function ended(id: string): Promise<VisibleMessage> {
  stage.speed(20);
  stage.simulator.terminate(id);
  const card = await until(async () => {
    const found = await cardOf(id).catch(() => undefined);
    return found?.buttons.includes('Deploy again') ? found : undefined;
  }, 'the card of the ended server');
  await stage.bot.app.settled();
  stage.speed(1);
  return card;
}

describe.each(platforms)('the menu of a message on %s', (name) => {
  test('in the menu of a card, Logs, Metrics and Stop do what the buttons of the card do', async () => {
    stage = await stageOn(name);
    const id = await deployReady(stage);
    const { id: card } = await cardOf(id);
    const logs = await choose('reader', card, 'Logs');
    expect(logs.publicly).toEqual([]);
    expect(textOf(logs.privately)).toContain(
      `Log of ${stage.driver.platform === 'slack' ? id : `\`${id}\``}`,
    );
    readySince(id, 120 * 60_000);
    const metrics = await choose('reader', card, 'Metrics');
    expect(metrics.privately).toEqual([]);
    expect(textOf(metrics.publicly)).toContain('Metrics of kart-racing v1.2');
    const stop = await choose('operator', card, 'Stop');
    expect(stop.publicly).toEqual([]);
    expect(textOf(stop.privately)).toContain('Stop kart-racing v1.2');
    expect(phase(stage.simulator, id)).toBe('READY');
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Stop it'));
    await until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end of the server');
  });

  test('a person without the right gets a refusal from the menu of a card, and nothing happens', async () => {
    stage = await stageOn(name);
    const id = await deployReady(stage);
    const { id: card } = await cardOf(id);
    for (const [persona, entry] of [
      ['member', 'Logs'],
      ['guest', 'Metrics'],
      ['reader', 'Stop'],
      ['reader', 'Deploy again'],
    ] as const) {
      const { privately, publicly, asked } = await choose(persona, card, entry);
      expect(publicly).toEqual([]);
      expect(asked).toEqual([]);
      expect(privately).toHaveLength(1);
      expect(textOf(privately)).toMatch(/not allowed|may not/i);
      expect(textOf(privately)).not.toContain(id);
    }
    expect(phase(stage.simulator, id)).toBe('READY');
  });

  test('on a message that is not a card, the menu gives a private answer, which says where the menu works', async () => {
    stage = await stageOn(name);
    const id = await deployReady(stage);
    const written = await hands().write('member', `stop:ask:${id} is my favourite`);
    const { privately, publicly, asked } = await choose('operator', written, 'Stop');
    expect(publicly).toEqual([]);
    expect(asked).toEqual([]);
    expect(textOf(privately)).toContain('That message is not the card of a server.');
  });

  test('on a message that replies to a card, the menu works like the menu of the card', async () => {
    stage = await stageOn(name);
    const id = await deployReady(stage);
    const line = (await stage.driver.channel()).find(({ text }) => text.includes('is ready'));
    expect(textOf((await choose('reader', line?.id ?? '', 'Logs')).privately)).toContain('Log of');
    const { privately, asked } = await choose('member', line?.id ?? '', 'Logs');
    expect(textOf(privately)).toMatch(/may not/);
    expect(asked).toEqual([]);
    await ended(id);
    const again = await choose('operator', line?.id ?? '', 'Deploy again');
    expect(textOf(again.privately)).toContain('Deploy kart-racing v1.2?');
  });

  test('on an answer below a card, the menu does not act on the server of the card', async () => {
    stage = await stageOn(name);
    const [id, other] = [await deployReady(stage), await deployReady(stage)];
    const { id: card } = await cardOf(id);
    const under = await posted(`Stopped ${other}`, card);
    expect(textOf((await choose('operator', under, 'Stop')).privately)).toContain('is not the card of');
  });

  test("for an ended server, the card's menu shows the saved log, refuses a stop, and asks before it deploys again", async () => {
    stage = await stageOn(name);
    const id = await deployReady(stage);
    const { id: card } = await cardOf(id);
    await ended(id);
    expect(textOf((await choose('operator', card, 'Stop')).privately)).toContain('has already stopped');
    expect(textOf((await choose('reader', card, 'Logs')).privately)).toMatch(/Log of|log is gone/);
    const asked = await choose('operator', card, 'Deploy again');
    expect(asked.publicly).toEqual([]);
    expect(textOf(asked.privately)).toContain('Deploy kart-racing v1.2?');
    expect(stage.simulator.deployments.size).toBe(1);
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Deploy'));
    await until(() => stage.simulator.deployments.size === 2, 'the second server');
  });

  test('while the server of a card runs, Deploy again deploys nothing', async () => {
    stage = await stageOn(name);
    const { id: card } = await cardOf(await deployReady(stage));
    const { privately, publicly } = await choose('operator', card, 'Deploy again');
    expect(publicly).toEqual([]);
    expect(textOf(privately)).toContain('Nothing to deploy again');
    expect(stage.simulator.deployments.size).toBe(1);
  });

  test('if Edgegap refused a deploy, the card has no buttons, and its menu says that there is no server', async () => {
    stage = await stageOn(name);
    stage.simulator.faults.next(
      { endpoint: 'deploy' },
      { kind: 'server-error', when: 'before', status: 400, message: 'no such thing' },
    );
    const values = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
    await effectOf(stage, 'operator', () => stage.driver.command('operator', 'deploy', values));
    const refused = async () =>
      (await stage.driver.channel()).find(({ text }) => text.includes('Not deployed'));
    const card = await until(refused, 'the card');
    expect(card.buttons).toEqual([]);
    for (const entry of ['Logs', 'Stop'])
      expect(textOf((await choose('operator', card.id, entry)).privately)).toContain(
        'Edgegap has no server for this card.',
      );
    expect(textOf((await choose('operator', card.id, 'Deploy again')).privately)).toContain(
      'Nothing to deploy again',
    );
    expect(stage.simulator.deployments.size).toBe(0);
  });

  test('a server made outside the chat cannot be deployed again from the menu of an answer, but its logs can be shown', async () => {
    stage = await stageOn(name);
    const id = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    readySince(id, 120 * 60_000);
    const show = () => stage.driver.command('reader', 'metrics', { deployment: id });
    const { publicly } = await effectOf(stage, 'reader', show);
    const answer = publicly.find(({ buttons }) => buttons.includes('Refresh'));
    if (!answer) throw new Error('There is no chart');
    expect(textOf((await choose('reader', answer.id, 'Logs')).privately)).toContain('Log of');
    expect(textOf((await choose('operator', answer.id, 'Deploy again')).privately)).toContain(
      'was not deployed from chat',
    );
  });

  test('after a restart, the menu of an old card still works', async () => {
    const onDisk = await stageOnDisk(name);
    stage = onDisk;
    const id = await deployReady(stage);
    const { id: card } = await cardOf(id);
    stage.bot = await stage.bot.restart();
    expect(textOf((await choose('reader', card, 'Logs')).privately)).toContain('Log of');
  });
});

test('on Discord, if a menu action of a message arrives twice, the bot carries it out only once', async () => {
  stage = await stageOn('discord');
  const driver = stage.driver as DiscordDriver;
  const id = await deployReady(stage);
  const { id: card } = await ended(id);
  const message = driver.server.rest.messages.all().find((one) => one.id === card);
  if (!message) throw new Error('no card');
  const chosen = driver.server.onMessage(driver.user('operator'), message, 'Deploy again');
  driver.server.redeliver(chosen);
  await until(() => chosen.acknowledged !== undefined, 'the answer');
  await stage.bot.app.settled();
  expect(
    (await driver.privately('operator')).filter(({ text }) => text.includes('Deploy kart')),
  ).toHaveLength(1);
});

test('on Slack, if a menu action of a message arrives several times, the bot carries it out only once', async () => {
  stage = await stageOn('slack-http');
  const driver = stage.driver as SlackDriver;
  const { world, urls, origin, web } = driver.server;
  const id = await deployReady(stage);
  const { id: card } = await ended(id);
  const [channel, user] = [world.channels.team, driver.userIds.operator];
  const message = (await web.messages(channel)).find(({ ts }) => ts === card);
  if (!message) throw new Error('no card');
  const repeats = () => stage.bot.log.filter((line) => line.includes('"outcome":"repeat"')).length;
  const deliverThrice = async (callbackId: string) => {
    const responseUrl = `${origin}${urls.issue({ user, channel, source: undefined })}`;
    const on = { channel, message, responseUrl };
    const payload = shortcutPayload(world, { user, callbackId, trigger: `same-${callbackId}`, on });
    const deliver = () => driver.deliver('interactive', payload);
    const before = repeats();
    const { privately } = await effectOf(stage, 'operator', async () => {
      await Promise.all([deliver(), deliver()]);
      await deliver();
      await until(() => repeats() === before + 2, 'the end of the repeated deliveries');
    });
    return privately;
  };
  expect(await deliverThrice('Logs')).toHaveLength(1);
  expect(await deliverThrice('Deploy again')).toHaveLength(1);
});

test('if Discord no longer knows the interaction (10062), a menu action does nothing, and the next attempt works', async () => {
  stage = await stageOn('discord');
  const driver = stage.driver as DiscordDriver;
  const id = await deployReady(stage);
  const { id: card } = await cardOf(id);
  const message = driver.server.rest.messages.all().find((one) => one.id === card);
  if (!message) throw new Error('no card');
  const body = { code: 10062, message: 'Unknown interaction' };
  driver.server.fault({ on: /^POST \/interactions\//, times: 2, answer: { status: 404, body } });
  const asked = stage.simulator.requests.length;
  driver.server.onMessage(driver.user('reader'), message, 'Logs');
  await until(() => stage.bot.log.some((line) => line.includes('"unanswered"')), 'the end of the request');
  expect(stage.simulator.requests.slice(asked).map(({ endpoint }) => endpoint)).not.toContain('logs');
  expect(textOf((await choose('reader', card, 'Logs')).privately)).toContain('Log of');
});
