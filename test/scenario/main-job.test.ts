import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bot, createDriver, driverNames, startBot } from '../support/bot.ts';
import type { ChatDriver, VisibleMessage } from '../support/chat-driver.ts';
import type { ConsoleDriver } from '../support/console-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

describe.each(driverNames)('the main job on %s', (name) => {
  let driver: ChatDriver;
  let bot: Bot;

  beforeEach(async () => {
    const clock = pacedClock();
    driver = await createDriver(name, clock);
    bot = await startBot(driver, { clock });
  });

  afterEach(async () => {
    await bot?.stop();
    await driver?.close();
  });

  const find = async (text: string | RegExp, where: 'channel' | 'private' = 'channel') =>
    until(
      async () =>
        (where === 'channel' ? await driver.channel() : await driver.privately('operator')).findLast(
          (message) => (typeof text === 'string' ? message.text.includes(text) : text.test(message.text)),
        ),
      `a message with ${text}`,
    );

  test('a server is deployed, reported ready, tagged, read, stopped and reported terminated', async () => {
    const kart = { application: 'kart-racing', version: 'v1.2' };
    await driver.command('operator', 'versions', { application: 'kart-racing' });
    expect((await find(/3 versions/, 'private')).text).toContain('v1.3');
    await driver.command('operator', 'locations', { ...kart, near: 'Montreal' });
    const places = await find(/places with room for kart-racing v1.2/, 'private');
    expect(places.text).toMatch(/0 km +Montreal/);
    await driver.command('operator', 'hosts', { fleet: 'tournament', ...kart });
    await find(/54 more of kart-racing v1.2 fit/, 'private');

    await driver.command('operator', 'deploy', {
      ...kart,
      near: 'Montreal',
      tag: 'qa',
    });
    const ready = await find(/is ready/);
    const [deployment] = [...bot.simulator.deployments.values()];
    const id = deployment?.request_id ?? '';
    expect(bot.simulator.deployments.size).toBe(1);
    expect(ready.text).toContain(id);
    expect(ready.pings).toHaveLength(1);
    const card = await until(async () => {
      const [first] = await driver.channel();
      return first?.buttons.includes('Logs') ? first : undefined;
    }, 'the card to say Ready');
    expect(ready.parent).toBe(card.id);
    expect(card.text).toContain('kart-racing v1.2');
    expect(card.text).toContain(`${id}.pr.edgegap.net`);
    expect(card.text).toContain('Montreal');
    expect(card.text).toContain('qa');
    expect(card.text).not.toContain('chatops-');
    expect(card.pings).toEqual([]);
    expect(card.buttons).toEqual(['Logs', 'Metrics', 'Tags', 'Refresh', 'Stop']);

    await driver.command('operator', 'logs', { deployment: id.slice(0, 5), lines: 5 });
    const logs = await find(/Log of/, 'private');
    expect(logs.text).toContain(id);

    await driver.command('operator', 'tags add', { deployment: id, tag: 'tournament' });
    await find(/Added/, 'private');
    expect(bot.simulator.deployments.get(id)?.tags.map((tag) => tag.name)).toContain('tournament');
    await until(async () => (await driver.channel())[0]?.text.includes('tournament'), 'the tag on the card');

    await driver.press('operator', 'Stop');
    await find(/Stop kart-racing v1.2\?/, 'private');
    await driver.press('operator', 'Stop it');
    await find(/asked to stop/);
    const terminated = await find(/ stopped after/);
    expect(terminated.parent).toBe(card.id);
    expect(terminated.pings).toHaveLength(1);
    const last = await until(async () => {
      const [first] = await driver.channel();
      return first?.text.includes('Stopped') ? first : undefined;
    }, 'the card to say Stopped');
    expect(last.buttons).toEqual(['Logs', 'Deploy again']);
    const said = (await driver.channel()).filter((message: VisibleMessage) =>
      /is ready|stopped after/.test(message.text),
    );
    expect(said).toHaveLength(2);
    expect(bot.simulator.callbacks.map((callback) => callback.event)).toEqual(['ready', 'terminated']);
    expect(bot.log.join('')).not.toContain(bot.simulator.token);
  });

  test('a preset is saved, deploys with another tag, is listed and is deleted', async () => {
    const save = { name: 'qa', application: 'kart-racing', version: 'v1.2', near: 'Montreal', tag: 'qa' };
    await driver.command('operator', 'preset save', save);
    await find(/Saved the preset/, 'private');
    await driver.command('operator', 'deploy', { preset: 'qa', tag: 'night' });
    const ready = await find(/is ready/);
    expect(ready.text).toContain('kart-racing v1.2');
    const card = (await driver.channel())[0]?.text ?? '';
    expect(card).toMatch(/Montreal.*night.*Preset\W+qa/s);
    await driver.command('operator', 'preset list');
    expect((await find(/1 preset/, 'private')).text).toContain('kart-racing v1.2');
    await driver.command('operator', 'preset delete', { name: 'qa' });
    expect((await find(/Deleted the preset/, 'private')).text).toContain('Montreal, Quebec, Canada');
    await driver.command('operator', 'deploy', { preset: 'qa' });
    await find(/There is no preset/, 'private');
    expect(bot.simulator.deployments.size).toBe(1);
  });

  test('two servers are tagged together and stopped together, and a third server keeps running', async () => {
    const ids = () => [...bot.simulator.deployments.keys()];
    for (const tag of ['cup', 'cup', 'other']) {
      const count = ids().length;
      const kart = { application: 'kart-racing', version: 'v1.2', near: 'Montreal', tag };
      await driver.command('operator', 'deploy', kart);
      await until(() => ids().length > count, 'the deployment');
      await find(new RegExp(`is ready[\\s\\S]*${ids().at(-1)}|${ids().at(-1)}[\\s\\S]*is ready`));
    }
    const [first = '', second = '', third = ''] = ids();

    if (driver.platform === 'console') await (driver as ConsoleDriver).type('tags add --of cup final');
    else if (driver.platform === 'slack')
      await (driver as SlackDriver).slash('operator', 'tags add final --of cup');
    else await driver.command('operator', 'tags add', { tag: 'final', of: 'cup' });
    await find('Add final to 2 servers?', 'private');
    await driver.press('operator', 'Add final to 2 servers');
    await find('Added final to 2 servers');
    const tagsOf = (id: string) => bot.simulator.deployments.get(id)?.tags.map(({ name }) => name) ?? [];
    for (const id of [first, second]) expect(tagsOf(id)).toContain('final');
    expect(tagsOf(third)).not.toContain('final');

    await driver.command('operator', 'bulk-stop', { tag: 'final' });
    const plan = await find('Stop 2 servers?', 'private');
    for (const id of [first, second]) expect(plan.text).toContain(id);
    await driver.press('operator', 'Stop 2 servers');
    const summary = await find('Stopped 2 servers');
    expect(summary.text).toContain('tag final');
    await until(
      () =>
        [first, second].every(
          (id) => bot.simulator.deployments.get(id)?.history.at(-1)?.phase === 'TERMINATED',
        ),
      'both servers to end',
    );
    const cards = async () => (await driver.channel()).filter(({ text }) => text.includes('Stopped'));
    await until(async () => (await cards()).length === 2, 'both cards to say Stopped');
    expect(bot.simulator.deployments.get(third)?.history.at(-1)?.phase).toBe('READY');
    expect((await driver.channel()).filter(({ text }) => / stopped|asked to stop/.test(text))).toEqual([]);
  });
});
