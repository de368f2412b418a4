import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployElsewhere, deployReady, effectOf, type Stage, stageOn } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { FormHands, Persona, Values } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const HOUR = 60 * 60_000;

/** The text without formatting characters, which differ between the platforms. */
const shown = (text = '') => text.replace(/[\\*`]/g, '');

/** Changes an existing deployment: its age, or its fleet and host. */
function change(stage: Stage, id: string, to: { readonly createdAt?: number; readonly extras?: object }) {
  Object.assign(stage.simulator.deployments.get(id) ?? {}, to);
}

describe.each(driverNames)('the rows of the command list on %s', (name) => {
  let stage: Stage;
  let own: string;
  let other: string;
  beforeAll(async () => {
    stage = await stageOn(name);
    own = await deployReady(stage);
    other = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
  });
  afterAll(() => stage?.close());

  const answer = async (act: () => Promise<void>, persona: Persona = 'operator') => {
    const { privately, publicly, asked } = await effectOf(stage, persona, act);
    expect(publicly).toEqual([]);
    const last = privately.at(-1);
    return { ...last, text: shown(last?.text), asked };
  };
  const list = (values: Values = {}, persona: Persona = 'operator') =>
    answer(() => stage.driver.command(persona, 'list', values), persona);
  const press = (label: string) => answer(() => stage.driver.press('operator', label));
  const choose = (label: string) =>
    name === 'console' ? press(label) : answer(() => (stage.driver as ChatHands).choose('operator', label));

  test('the command "list" shows age, city and person in columns, and leaves the person\'s cell empty if no person is known', async () => {
    const { text, buttons } = await list();
    if (name === 'discord') {
      expect(text).toMatch(/kart-racing v1\.2 · Ready · Montreal · \d+ (s|min) · by Olga\n/);
      expect(text).toMatch(/lobby-chat stable · Ready · Montreal · \d+ s\nwss:/);
    } else {
      expect(text).toMatch(/server +status +city +age +by +request_id +address/);
      expect(text).toMatch(
        new RegExp(`kart-racing v1\\.2 +Ready +Montreal +\\d+ (s|min) +\\S+ +${own} +${own}`),
      );
      // On Slack, an empty cell of a table shows a dash.
      expect(text).toMatch(
        new RegExp(`lobby-chat stable +Ready +Montreal +\\d+ s[\\s–]+${other} +wss://${other}`),
      );
    }
    expect(buttons).toEqual(['Refresh']);
    expect((await list({ application: 'lobby-chat' })).text).not.toMatch(/ by /);
  });

  test('if a person chooses a row from the menu below a list, only this person sees the deployment as a card with buttons', async () => {
    const { id } = await list();
    const card = await choose(`lobby-chat stable ${other}`);
    expect(card.id).not.toBe(id);
    expect(card.text).toContain('lobby-chat stable');
    expect(card.text).toContain('websocket (WS, TLS)');
    const buttons = ['Logs', 'Metrics', 'Tags', 'Refresh', 'Details', 'Stop'];
    // In a terminal, a link does not count as a button.
    expect(card.buttons).toEqual(name === 'console' ? buttons : [...buttons, 'Dashboard']);
    if (name === 'console') return;
    const details = menuOf(stage).map(({ description }) => words(description));
    expect(details).toEqual(['Ready · Montreal', 'Ready · Montreal']);
  });

  test('messages that Edgegap adds to a list are shown as notes and do not ping people', async () => {
    stage.simulator.listNotes.push('The list is late <!channel> @everyone');
    const card = await list();
    stage.simulator.listNotes.pop();
    expect(card.text).toContain('Edgegap: The list is late');
    expect(card.pings).toEqual([]);
  });

  test('the command "list" filters by fleet, host, age and person', async () => {
    change(stage, other, {
      createdAt: Date.now() - 3 * HOUR,
      extras: { fleet_name: 'eu-arena', host_name: 'alpha-7' },
    });
    const filters: Values[] = [
      { fleet: 'eu-arena' },
      { fleet: 'EU-*', host: 'alpha*' },
      { 'older-than': '2h' },
    ];
    for (const values of filters) {
      const { text } = await list(values);
      expect(text).toContain('1 active server:');
      expect(text).toContain(other);
    }
    expect((await list({ fleet: 'us-*' })).text).toContain('No active server matches.');
    expect((await list({ 'older-than': '1h30m' })).text).toContain('older than 1 h 30 min');
    const mine = await list({ mine: true });
    expect(mine.text).toContain('1 active server: deployed by you');
    expect(mine.text).toContain(own);
    expect(mine.text).not.toContain(other);
    // A terminal prints a message again only if the message has changed.
    if (name === 'console') return;
    expect((await press('Refresh')).text).toContain('1 active server: deployed by you');
    const reader = await list({ mine: true }, 'reader');
    expect(reader.asked).toEqual([]);
    expect(reader.text).toContain('No active server matches.');
  });

  test('the command "list" privately refuses a filter that cannot match anything', async () => {
    expect((await list({ 'older-than': 'yesterday' })).text).toMatch(/older-than must be a length of time/);
    expect((await list({ 'older-than': '9999w 9999w' })).text).toMatch(/older-than may be at most ten years/);
  });

  test('below a list, the button "Show 1 failed" shows the failed servers, and the button "Show active" shows the first list again', async () => {
    stage.simulator.fail(own, 'The server crashed.');
    const told = async () => (await stage.driver.channel()).some(({ text }) => text.includes('Crash report'));
    await until(told, 'the failure to be explained');
    await stage.bot.app.settled();
    const active = await list();
    expect(active.text).toContain('1 active server');
    expect(active.text).not.toContain(own);
    expect(active.buttons).toEqual(['Refresh', 'Show 1 failed']);
    const failed = await press('Show 1 failed');
    expect(failed.id).toBe(active.id);
    expect(failed.text).toMatch(/1 failed server.*kart-racing v1\\?\.2\W+Failed/s);
    expect(failed.buttons).toEqual(['Refresh', 'Show active']);
    expect((await press('Show active')).text).toContain(other);
    expect((await list({ mine: true })).text).toContain('1 failed server is not shown');
    expect((await list({ application: 'lobby-chat', status: 'error' })).text).toContain(
      'No failed server matches.',
    );
  });
});

type ChatHands = FormHands & (DiscordDriver | SlackDriver);
type MenuOption = { readonly label?: string; readonly description?: string | { readonly text: string } };

const words = (text: MenuOption['description']) => (typeof text === 'object' ? text.text : text);

/** The options of the newest menu, in the form that the platform received. */
function menuOf(stage: Stage): readonly MenuOption[] {
  const { driver } = stage;
  const messages =
    driver.platform === 'discord'
      ? (driver as DiscordDriver).server.rest.messages.all().map(({ components }) => components)
      : (driver as SlackDriver).server.web.changes.map((one) => one);
  const menus: MenuOption[][] = [];
  JSON.stringify(messages, (key, value) => {
    if (key === 'options' && Array.isArray(value) && value.length > 0) menus.push(value);
    return value;
  });
  return menus.at(-1) ?? [];
}

test('each page of a list of 3,000 deployments needs one call to Edgegap, and a page that was shown before needs no call', async () => {
  const stage = await stageOn('console');
  try {
    const first = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const all = stage.simulator.deployments as Map<
      string,
      NonNullable<ReturnType<Map<string, object>['get']>>
    >;
    const one = all.get(first);
    for (let n = 0; n < 2_999; n++) {
      const request_id = n.toString(16).padStart(12, '0');
      all.set(request_id, { ...one, request_id });
    }
    const turn = async (act: () => Promise<void>) => {
      const { asked, privately } = await effectOf(stage, 'operator', act);
      const count = (call: string) => asked.filter((one) => one === call).length;
      return { text: privately.at(-1)?.text ?? '', calls: [count('GET list'), count('GET status')] };
    };
    const begin = await turn(() => stage.driver.command('operator', 'list'));
    expect(begin.text).toContain('3000 active servers');
    expect(begin.text).toContain('Page 1 of 300');
    expect(begin.calls).toEqual([1, 10]);
    expect((await turn(() => stage.driver.press('operator', 'Next'))).calls).toEqual([1, 10]);
    expect((await turn(() => stage.driver.press('operator', 'Previous'))).calls).toEqual([1, 0]);
    expect((await turn(() => stage.driver.command('operator', 'list', { page: 300 }))).calls).toEqual([
      1, 10,
    ]);
    stage.simulator.terminate(first);
    expect((await turn(() => stage.driver.press('operator', 'Refresh'))).calls[0]).toBeLessThanOrEqual(2);
  } finally {
    await stage.close();
  }
});
