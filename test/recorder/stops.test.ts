import { afterEach, describe, expect, test } from 'vitest';
import { deployReady, effectOf, phase, type Stage, stageOn } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import { later, plan } from '../support/planned-stops.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(() => stage?.close());

const channel = async () => await stage.driver.channel();
const lastLogs = async () => (await channel()).filter(({ text }) => text.includes('Last log of'));

async function ready(name: Stage['name']): Promise<string> {
  stage = await stageOn(name);
  const id = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
  stage.simulator.print(id, 'the last words');
  return id;
}

const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));
const type = (name: string, values: Values) =>
  effectOf(stage, 'operator', () => stage.driver.command('operator', name, values));

/** The text of the private answer to the command "logs". */
async function logs(deployment: string): Promise<string> {
  const { privately } = await type('logs', { deployment });
  return privately.map(({ text }) => text).join('\n');
}

describe.each(driverNames)('the log of a stopped server on %s', (name) => {
  test('after a stop, the log of the server is posted as a file, and the command "logs" shows the saved log', async () => {
    const id = await ready(name);
    await type('stop', { deployment: id });
    await press('Stop it');
    stage.speed(20);
    await until(async () => (await lastLogs()).length > 0, 'the last log');
    await stage.bot.app.settled();
    stage.speed(1);
    const [posted, ...more] = await lastLogs();
    expect(more).toEqual([]);
    expect(posted?.pings).toEqual([]);
    if (name !== 'console') expect(posted?.parent).toBeDefined();
    const files = (await channel()).flatMap((message) => message.files);
    expect(files.map((file) => file.name)).toEqual([`${id}.log`]);
    expect(files[0]?.content).toContain('the last words');
    expect(await logs(id)).toMatch(/the last words[\s\S]*I saved this log /);
  });
});

test('before a planned stop is carried out, the log of the server is saved', async () => {
  const id = await ready('console');
  await plan(stage, id);
  await later(stage, () =>
    until(async () => (await lastLogs()).length > 0, 'the last log').then(() => undefined),
  );
  await stage.bot.app.settled();
  expect(await logs(id)).toContain('I saved this log ');
});

test('the command "bulk-stop" saves the logs of the servers for the command "logs", and posts no files', async () => {
  const id = await ready('console');
  await type('bulk-stop', { tag: 'qa' });
  await press('Stop 1 server');
  await until(() => phase(stage.simulator, id) === 'TERMINATED', 'the end');
  stage.speed(20);
  await until(
    async () => (await channel()).some(({ text }) => text.includes('Stopped')),
    'the end on the card',
  );
  await stage.bot.app.settled();
  stage.speed(1);
  expect(await logs(id)).toMatch(/the last words[\s\S]*I saved this log /);
  expect(await lastLogs()).toEqual([]);
  expect((await channel()).flatMap(({ files }) => files)).toEqual([]);
});
