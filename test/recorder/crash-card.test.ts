import { afterEach, describe, expect, test } from 'vitest';
import { deployReady, effectOf, phase, type Stage, stageOn } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { FormHands, Values, VisibleMessage } from '../support/chat-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(() => stage?.close());

/** The text without the backslashes that escape Discord's markup. */
const textOf = ({ text }: VisibleMessage) => text.replaceAll('\\', '');

/** The crash report in the channel. On Slack, the files of the thread are added. */
async function report(): Promise<VisibleMessage> {
  const find = async () => (await stage.driver.channel()).find((one) => textOf(one).includes('Crash report'));
  stage.speed(20);
  await until(find, 'the crash report');
  await stage.bot.app.settled();
  stage.speed(1);
  return (await find()) as VisibleMessage;
}

/** Deploys, and resolves with the request_id when the server is ready. */
async function deployWith(values: Values): Promise<string> {
  await stage.driver.command('operator', 'deploy', values);
  return await until(
    () => [...stage.simulator.deployments.keys()].find((id) => phase(stage.simulator, id) === 'READY'),
    'the server',
  );
}

const filesIn = async () => (await stage.driver.channel()).flatMap(({ files }) => files);

describe.each(driverNames)('a crash on %s', (name) => {
  test('the crash report shows the reason, the exit code, the last log lines and the city, and attaches the log', async () => {
    stage = await stageOn(name, { simulator: { measuredBeforeMs: 3_600_000 } });
    const id = await deployReady(stage);
    stage.simulator.print(id, 'ERROR the physics ran away, TOKEN=abcdefgh12345678');
    stage.simulator.crash(id, { exit_code: 139, message: 'segmentation fault' });
    const card = await report();
    const text = textOf(card);
    expect(text).toContain('Crash report of kart-racing v1.2');
    expect(text).toContain('crashed with a segmentation fault');
    expect(text).toMatch(/exit code 139 · ready for \d+ s before the failure/);
    expect(text).toContain('Montreal, Canada');
    expect(text).toMatch(/last measured: CPU [\d.]+ vCPU of [\d.]+ vCPU, memory \d+ MB of [\d.]+ [MG]B/);
    expect(text).toContain('GameLoop.Step');
    expect(card.buttons).toEqual(['Logs', 'Deploy again']);
    expect(card.pings).toEqual([]);
    const files = await filesIn();
    expect(files.map((file) => file.name)).toEqual([`${id}.log`, `${id}-crash.log`]);
    expect(files[0]?.content).toContain('the physics ran away, TOKEN=[masked]');
    const all = `${text}${files.map(({ content }) => content).join('')}`;
    expect(all).not.toMatch(/abcdefgh12345678/);
    expect((await stage.driver.channel()).filter((one) => textOf(one).includes('Crash report'))).toHaveLength(
      1,
    );
  });
});

describe.each(['discord', 'slack-http'] as const)('Try another city on %s', (name) => {
  test('after a crash, the menu offers the nearest other cities, and a confirmed choice repeats the deploy in that city', async () => {
    stage = await stageOn(name);
    const order = {
      application: 'kart-racing',
      version: 'v1.2',
      near: 'Montreal',
      tag: 'qa',
      fleet: 'tournament',
    };
    const id = await deployWith(order);
    stage.simulator.fail(id, 'No edge server has room for this server');
    expect(textOf(await report())).toContain('No place had room for the server. Try another city');
    const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));
    const menu = await press('Try another city');
    expect(menu.publicly).toEqual([]);
    expect(menu.privately.map(textOf).join()).toContain('Choose a city');
    const hands = stage.driver as unknown as FormHands;
    const asked = await effectOf(stage, 'operator', () => hands.choose('operator', 'Toronto, Canada'));
    expect(asked.publicly).toEqual([]);
    expect(asked.privately.map(textOf).join()).toMatch(
      /Deploy kart-racing v1\.2\?[\s\S]*near Toronto, Canada[\s\S]*qa[\s\S]*private fleet tournament is left out/,
    );
    await press('Deploy');
    const deploys = () => stage.simulator.requests.filter(({ endpoint }) => endpoint === 'deploy');
    await until(() => deploys().length === 1, 'the deploy');
    expect(deploys()[0]?.body).toMatchObject({
      version: 'v1.2',
      users: [{ user_type: 'geo_coordinates', user_data: { latitude: 43.6532, longitude: -79.3832 } }],
    });
  });
});

test("the crash report of a deploy with Edgegap's older API has no button for another city", async () => {
  stage = await stageOn('console');
  const id = await deployWith({
    application: 'kart-racing',
    version: 'v1.2',
    ip: '203.0.113.7',
    command: '/bin/server',
  });
  stage.simulator.crash(id, { exit_code: 127, message: 'not found' });
  const card = await report();
  expect(textOf(card)).toContain('start command of the container was not found');
  expect(card.buttons).toEqual(['Logs', 'Deploy again']);
});
