import { afterEach, beforeEach, expect, test } from 'vitest';
import { deployReady, type Stage, stageOn } from '../../command/harness.ts';
import type { Persona } from '../../support/chat-driver.ts';
import { deployFor } from '../../support/lifetimes.ts';
import { texts } from '../../support/planned-stops.ts';
import type { SlackDriver } from '../../support/slack-driver.ts';
import { eventPayload } from '../../support/slack-payloads.ts';
import { buttonsOf, choicesOf, visibleMessage } from '../../support/slack-visible.ts';
import { until } from '../../support/test-clock.ts';

let stage: Stage;
let driver: SlackDriver;
let count = 0;

beforeEach(async () => {
  stage = await stageOn('slack-http', { environment: { SLACK_READERS: 'everyone' } });
  driver = stage.driver as SlackDriver;
});
afterEach(() => stage?.close());

const homeOf = (persona: Persona) => {
  const blocks = driver.server.web.homes.get(driver.userIds[persona]);
  return blocks && { ts: '', blocks };
};

async function open(persona: Persona, tab = 'home'): Promise<void> {
  const event = {
    type: 'app_home_opened',
    user: driver.userIds[persona],
    channel: 'D1',
    tab,
    event_ts: '1.1',
  };
  driver.server.web.homes.delete(driver.userIds[persona]);
  await driver.deliver('events_api', eventPayload(driver.server.world, event, `Ev-home-${++count}`));
}

/** Opens the Home tab. Resolves with the text that the person sees. */
async function shown(persona: Persona): Promise<string> {
  await open(persona);
  const home = await until(() => homeOf(persona), 'the Home tab');
  return visibleMessage(home, { edits: 0, fileContent: () => '' }).text;
}

/** Presses a button in the Home tab, or chooses from a menu there. */
async function press(persona: Persona, label: string): Promise<void> {
  const home = homeOf(persona);
  const found = home && [...buttonsOf(home), ...choicesOf(home)].find((one) => one.label === label);
  if (!found) throw new Error(`There is no ${label} in the Home tab`);
  const value = 'value' in found ? { selected_option: { value: found.value } } : {};
  await driver.deliver('interactive', {
    type: 'block_actions',
    user: { id: driver.userIds[persona], team_id: driver.server.world.team },
    team: { id: driver.server.world.team },
    api_app_id: 'A0EDGEGAP',
    token: 'legacy',
    trigger_id: `trigger-home-${++count}`,
    container: { type: 'view', view_id: 'V1' },
    view: { id: 'V1', type: 'home', callback_id: '', private_metadata: '', state: { values: {} } },
    actions: [
      { action_id: found.action_id, block_id: 'b', type: 'button', action_ts: `${count}.1`, ...value },
    ],
  });
}

test('the Home tab shows the running servers of the person, and no servers of other members', async () => {
  expect(await shown('operator')).toMatch(/You run 0 servers[\s\S]*None of your servers is running\./);
  await deployReady(stage);
  const limited = await deployFor(stage, { for: '2h' });
  const text = await shown('operator');
  expect(text).toContain('You run 2 servers');
  expect(text).toMatch(/kart-racing v1\.2 · Ready · \d+ s · Montreal, Canada/);
  expect(text).toMatch(/lobby-chat stable · Ready · .*ends in (2 h|1 h 59 min)/);
  expect(text).toContain(limited);
  expect(await shown('reader')).toContain('You run 0 servers');
});

test('the Home tab shows the servers that need attention: a server that ends soon and a failed server', async () => {
  await deployFor(stage, { for: '20m' });
  const failed = await deployReady(stage);
  stage.simulator.fail(failed, 'out of memory');
  const text = await until(async () => {
    const now = await shown('operator');
    return /has failed/.test(now) ? now : undefined;
  }, 'the failure');
  expect(text).toMatch(/Needs you[\s\S]*kart-racing v1\.2 has failed: /);
  expect(text).toMatch(/Needs you[\s\S]*lobby-chat stable ends /);
  expect(buttonsOf(homeOf('operator') as never).map(({ label }) => label)).toContain('Extend by 20 min');
});

test('the buttons of the Home tab work, their answers are direct messages, and Refresh shows the tab again', async () => {
  const id = await deployReady(stage);
  await shown('operator');
  await press('operator', 'kart-racing v1.2');
  const direct = async () => texts(await driver.privately('operator'));
  await until(async () => (await direct()).includes(id), 'the card of the server');
  stage.simulator.terminate(id);
  await until(async () => (await driver.channel()).some(({ text }) => text.includes(' stopped')), 'the end');
  const before = homeOf('operator');
  await press('operator', 'Refresh');
  await until(() => homeOf('operator')?.blocks !== before?.blocks, 'the Home tab');
  expect(JSON.stringify(homeOf('operator')?.blocks)).toContain('You run 0 servers');
});

test("a person who may not see deployments sees no servers in the Home tab, and the bot ignores the app's other tabs", async () => {
  await deployReady(stage);
  expect(await shown('stranger')).toMatch(/I do not serve this place|may not look/);
  expect(buttonsOf(homeOf('stranger') as never)).toEqual([]);
  await open('operator', 'messages');
  await stage.bot.app.settled();
  expect(homeOf('operator')).toBe(undefined);
});
