import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  deployElsewhere,
  deployReady,
  effectOf,
  pressAction,
  type Stage,
  stageOn,
} from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';

/** The text without formatting characters, which differ between the platforms. */
const shown = (text = '') => text.replace(/[\\*`]/g, '');

describe.each(driverNames)('status on %s', (name) => {
  let stage: Stage;
  let id: string;
  beforeAll(async () => {
    stage = await stageOn(name, { simulator: { dialect: 'reference' } });
    id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
  });
  afterAll(() => stage?.close());

  const extras = (given: Readonly<Record<string, unknown>>) => {
    const deployment = stage.simulator.deployments.get(id);
    if (deployment) deployment.extras = given;
  };
  const answer = async (act: () => Promise<void>) => {
    const { privately, publicly } = await effectOf(stage, 'operator', act);
    expect(publicly).toEqual([]);
    return privately.at(-1);
  };
  const status = (values: Values = {}) =>
    answer(() => stage.driver.command('operator', 'status', { deployment: id, ...values }));

  test('the command "status" shows the addresses first, then the state with the players, and the time of the end in small print', async () => {
    extras({ sockets: '5', sockets_usage: 2, whitelisting_active: true });
    const text = shown((await status())?.text);
    const { ports, fqdn } = stage.simulator.deployments.get(id) ?? { ports: [] };
    const [game] = ports;
    expect(text).toMatch(new RegExp(`${fqdn}:${game?.external}\\W+gameport \\(UDP\\)`));
    expect(text).toMatch(/Ready\W.* · 2 of 5 players/);
    expect(text).toMatch(/· ends /);
    expect(text).toContain('rotected by an access list');
    expect(text).not.toMatch(/Region|Local time|Quebec|→/);
    expect(text.indexOf('gameport')).toBeLessThan(text.indexOf('Ready'));
    expect(text.indexOf('Ready')).toBeLessThan(text.indexOf('request_id'));
  });

  test('the button "Details" adds facts such as region and local time, and the button "Refresh" keeps the details', async () => {
    extras({ command: '/srv/kart --fast', arguments: '--token=abcdefgh12345 --map night' });
    const whole = shown((await status({ details: true }))?.text);
    expect(whole).toContain('Quebec, North America');
    expect(whole).toMatch(/Local time:?\s+\d\d:\d\d GMT-[45] \(America\/Toronto\)/);
    expect(whole).toMatch(/Longest life:?\s+1 h/);
    expect(whole).toContain('/srv/kart --fast');
    expect(whole).toMatch(/--token=\[masked\] --map night/);
    const first = await status();
    expect(first?.text).not.toContain('Quebec');
    const details = await answer(() => stage.driver.press('operator', 'Details'));
    expect(details?.id).toBe(first?.id);
    expect(details?.text).toContain('Quebec');
    extras({ sockets: 9, sockets_usage: '9' });
    const again = shown((await answer(() => stage.driver.press('operator', 'Refresh')))?.text);
    expect(again).toContain('Quebec');
    expect(again).toMatch(/9 of 9 players/);
  });

  test('if the time zone or the number of players is unknown, the command "status" leaves out the local time or the players', async () => {
    extras({
      sockets: null,
      sockets_usage: null,
      max_duration: -1,
      location: { city: 'Atlantis', timezone: 'Sea/Floor' },
    });
    const text = (await status({ details: true }))?.text;
    expect(text).toContain('Atlantis');
    expect(text).toContain('no limit');
    expect(text).not.toMatch(/players|Local time|Region|ends |undefined|null/);
  });

  test('if a port needs TLS, the command "status" marks the port and shows the address for players', async () => {
    const chat = await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const text = shown((await status({ deployment: chat, details: true }))?.text);
    expect(text).toMatch(/wss:\/\/[\w.]+:(\d+)\W+websocket \(WS, TLS\) · 9000 → \1/);
  });

  test('for a failed server, the command "status" shows the last step that the server reached', async () => {
    extras({});
    stage.simulator.fail(id, 'The server crashed.');
    expect(shown((await status())?.text)).toMatch(/Failed\W+(?:at the step “Ready”|ran for)/);
  });

  test('the card of a running server shows when it ends, but never the details, even after the button "Refresh" was pressed', async () => {
    const own = await deployReady(stage);
    const cardOf = async () => (await stage.driver.channel()).find(({ buttons }) => buttons.includes('Stop'));
    const card = await cardOf();
    expect(shown(card?.text)).toMatch(/· ends /);
    expect(card?.text).not.toMatch(/players|Quebec|→/);
    expect(card?.buttons).toEqual(['Logs', 'Metrics', 'Tags', 'Refresh', 'Stop']);
    if (name === 'console') return;
    await pressAction(stage, 'operator', { command: 'status', action: 'refresh', arg: `${own}.details` });
    await stage.bot.app.settled();
    expect((await cardOf())?.text).not.toMatch(/players|Quebec/);
  });
});
