import { describe, expect, test } from 'vitest';
import { deployElsewhere } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';
import { openStage, type Process, type Stage } from './harness.ts';

const DEPLOY = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
const ANSWER = 'I was restarted in the middle of your ';

/**
 * The answers about invocations whose process died: the answers in the channel, and the private answers to the
 * operator.
 */
async function told({ driver }: Stage) {
  const about = ({ text }: { readonly text: string }) => {
    const start = text.indexOf(ANSWER);
    // Each platform shows a command in the form in which people type it there.
    const sentence = text.slice(start + ANSWER.length).replaceAll(/[`\\]/g, '');
    return start < 0 ? [] : [sentence.replace(/look with \/(?:edgegap )?/, 'look with ')];
  };
  return {
    publicly: (await driver.channel()).flatMap(about).toSorted(),
    privately: (await driver.privately('operator')).flatMap(about).toSorted(),
  };
}

async function answered(stage: Stage, count: number) {
  await until(async () => {
    const { publicly, privately } = await told(stage);
    return publicly.length + privately.length >= count;
  }, 'every answer');
  return await told(stage);
}

/** Makes a request without waiting for the acknowledgement, because a dead process cannot acknowledge. */
function ask(act: () => Promise<unknown>): void {
  act().catch(() => undefined);
}

async function deployed(stage: Stage): Promise<string> {
  await stage.driver.command('operator', 'deploy', DEPLOY);
  await until(
    async () => (await stage.driver.channel()).some(({ text }) => text.includes('is ready')),
    'a server to be ready',
  );
  return [...stage.simulator.deployments.keys()][0] ?? '';
}

async function confirmation({ driver }: Stage, deployment: string): Promise<void> {
  await driver.command('operator', 'stop', { deployment });
  await until(
    async () => (await driver.privately('operator')).some(({ buttons }) => buttons.includes('Stop it')),
    'to be asked',
  );
}

const changes = ({ simulator }: Stage) =>
  simulator.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, endpoint }) => `${method} ${endpoint}`);

const sentences = {
  deploy: 'deploy. Nothing was deployed; ask again.',
  stop: 'stop. The server may or may not have been stopped, or its stop planned: look with status, and ask again if not.',
  tags: 'tags add. The tags may or may not have been changed: look with tags list, and ask again if not.',
  logs: 'logs. Ask again.',
  list: 'list. Ask again.',
  help: 'help. Ask again.',
};

describe.each(driverNames.filter((name) => name !== 'console'))('killed processes on %s', (name) => {
  test('if a process is killed, the next process answers each acknowledged command of the killed process once', async () => {
    const stage = await openStage(name);
    const { driver } = stage;
    const first = await stage.start();
    const deployment = await deployed(stage);
    await confirmation(stage, deployment);
    first.stopAfter('acknowledge');
    const asks = [
      () => driver.press('operator', 'Stop it'),
      () => driver.command('operator', 'tags add', { deployment, tag: 'qa' }),
      () => driver.command('operator', 'logs', { deployment, share: true }),
      () => driver.command('operator', 'list'),
      () => driver.command('operator', 'help'),
    ];
    for (const [index, one] of asks.entries()) {
      ask(one);
      await until(() => first.standing() > index, `invocation ${index}`);
    }
    first.stopAfter('postCard');
    ask(() => driver.command('operator', 'deploy', DEPLOY));
    await until(() => first.standing() > asks.length, 'the card to be posted');
    await until(
      async () => (await driver.channel()).some(({ text }) => text.includes('Requesting')),
      'the card to be seen',
    );
    await first.kill();

    const { deploy, stop, tags, logs, list, help } = sentences;
    const all = { publicly: [deploy, logs].toSorted(), privately: [help, list, stop, tags].toSorted() };
    const second = await stage.start();
    expect(await answered(stage, 6)).toEqual(all);
    expect((await driver.channel()).some(({ text }) => text.includes('Requesting'))).toBe(false);
    await second.app.settled();
    const ended = second.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'invocation: ended');
    expect(ended.map(({ outcome, command }) => `${outcome} ${command}`).toSorted()).toEqual(
      ['deploy', 'help', 'list', 'logs', 'stop:confirm', 'tags add'].map(
        (command) => `interrupted ${command}`,
      ),
    );
    await second.kill();
    const third = await stage.start();
    await third.app.settled();
    expect(await told(stage)).toEqual(all);
    expect(changes(stage)).toEqual(['POST deploy']);
    for (const { log } of [first, second, third])
      expect(log.join('')).not.toMatch(/token-of-|response_url|\/actions\/\d/);
  });

  test('an answer that was given before the process was killed is not repeated', async () => {
    const stage = await openStage(name);
    const first = await stage.start();
    const deployment = await deployed(stage);
    await first.app.settled();
    first.stopAfter('respond');
    ask(() => stage.driver.command('operator', 'logs', { deployment, share: true }));
    ask(() => stage.driver.command('operator', 'list'));
    // Both answers are visible: everyone sees the log, and the person who asked sees the list. The store does not know
    // yet that the invocations have ended.
    await until(() => first.standing() === 2, 'both answers');
    await first.kill();
    const second = await stage.start();
    await second.app.settled();
    // On Slack, the bot cannot check whether a private answer arrived. So it may send a message about the interruption
    // there.
    if (stage.driver.platform === 'discord') expect((await told(stage)).privately).toEqual([]);
    expect((await told(stage)).publicly).toEqual([]);
  });
});

test('in the terminal, the next process reports each command that a killed process left unanswered', async () => {
  const stage = await openStage('console');
  const { driver } = stage;
  let process: Process = await stage.start();
  for (const name of ['list', 'help', 'deploy'] as const) {
    process.stopAfter(name === 'deploy' ? 'postCard' : 'acknowledge');
    ask(() => driver.command('operator', name, name === 'deploy' ? DEPLOY : {}));
    await until(() => process.standing() > 0, `${name} to be taken`);
    await process.kill();
    process = await stage.start();
    const { publicly, privately } = await answered(stage, 1);
    expect([publicly, privately]).toEqual(
      name === 'deploy' ? [[sentences.deploy], []] : [[], [sentences[name]]],
    );
  }
});

test('on Discord, if the token has expired, the next process reports an interrupted change or public command in the channel', async () => {
  const stage = await openStage('discord');
  const { server } = stage.driver as DiscordDriver;
  const first = await stage.start();
  const deployment = await deployed(stage);
  await confirmation(stage, deployment);
  first.stopAfter('acknowledge');
  ask(() => stage.driver.press('operator', 'Stop it'));
  ask(() => stage.driver.command('operator', 'list'));
  ask(() => stage.driver.command('operator', 'logs', { deployment, share: true }));
  await until(() => first.standing() === 3, 'all three');
  await first.kill();
  server.rest.interactions.expireTokens();
  const second = await stage.start();
  const { publicly, privately } = await answered(stage, 2);
  await second.app.settled();
  expect([publicly, privately]).toEqual([[sentences.logs, sentences.stop], []]);
  const line = (await stage.driver.channel()).find(({ text }) => text.includes(`${ANSWER}\`stop`));
  expect(line?.pings).toEqual([(stage.driver as DiscordDriver).user('operator').id]);
  expect(server.violations).toEqual([]);
});

test('if a process is killed before it stores a planned stop, the card in the channel still shows the truth', async () => {
  const stage = await openStage('discord');
  const { driver } = stage;
  const first = await stage.start();
  const deployment = await deployed(stage);
  await first.app.settled();
  await driver.command('operator', 'stop', { deployment, in: '10m' });
  const question = async () =>
    (await driver.privately('operator')).some(({ buttons }) => buttons.includes('Stop it in 10 min'));
  await until(question, 'the question');
  first.stopAfter('postCard');
  ask(() => driver.press('operator', 'Stop it in 10 min'));
  await until(() => first.standing() === 1, 'the card');
  await first.kill();
  const second = await stage.start();
  expect(await answered(stage, 1)).toEqual({ publicly: [], privately: [sentences.stop] });
  await second.app.settled();
  const card = (await driver.channel()).find(({ text }) =>
    text.includes('wants to stop kart-racing v1.2 later'),
  );
  expect(card?.text).toContain(
    'If this card does not change within a minute, the stop was probably not planned',
  );
});

test('if a Discord message about an interruption is sent twice, the second message says "possibly repeated"', async () => {
  const stage = await openStage('discord');
  const driver = stage.driver as DiscordDriver;
  const first = await stage.start();
  await driver.command('operator', 'deploy', DEPLOY);
  await until(async () => (await driver.channel()).some(({ text }) => text.includes('is ready')), 'ready');
  await first.app.settled();
  first.stopAfter('acknowledge');
  void driver.press('operator', 'Refresh').catch(() => undefined);
  await until(() => first.standing() === 1, 'the press');
  await first.kill();
  driver.server.fault({ on: /^POST \/webhooks/, afterEffect: true, answer: 'reset' });
  await stage.start();
  const lines = async () =>
    (await driver.privately('operator')).map(({ text }) => text).filter((text) => text.includes(ANSWER));
  await until(async () => (await lines()).length === 2, 'the repeat', 40_000);
  expect((await lines()).map((text) => text.includes('possibly repeated'))).toEqual([false, true]);
});

test('if a process is killed and the response_url expires, the private answer on Slack stays private', async () => {
  const stage = await openStage('slack-http');
  const first = await stage.start();
  first.stopAfter('acknowledge');
  ask(() => stage.driver.command('operator', 'list'));
  await until(() => first.standing() === 1, 'the list');
  await first.kill();
  (stage.driver as SlackDriver).server.urls.expireAll();
  await stage.start();
  expect(await answered(stage, 1)).toEqual({ publicly: [], privately: [sentences.list] });
});

describe.each(['discord', 'slack-socket', 'slack-http'] as const)(
  'buttons from before a restart on %s',
  (name) => {
    test('buttons of messages from before a restart still work after the restart', async () => {
      const stage = await openStage(name);
      const { driver, simulator } = stage;
      const first = await stage.start();
      const deployment = await deployed(stage);
      await driver.command('operator', 'list', { application: 'kart-racing' });
      await confirmation(stage, deployment);
      const privately = async () => (await driver.privately('operator')).map(({ text }) => text).join('\n');
      await until(async () => (await privately()).includes('1 active server'), 'the list');
      await first.kill();

      const second = await stage.start();
      const listings = () => simulator.requests.filter(({ endpoint }) => endpoint === 'list').length;
      const before = listings();
      await driver.press('operator', 'Refresh');
      await until(() => listings() > before, 'the list to be read again');
      await driver.press('operator', 'Stop it');
      await until(async () => (await privately()).includes('Stopping'), 'it to be stopped');
      await second.app.settled();
      expect(changes(stage)).toEqual(['POST deploy', 'DELETE stop']);
      expect((await told(stage)).publicly).toEqual([]);
    });

    test('after a restart, the page buttons of a filtered list still work', async () => {
      const stage = await openStage(name);
      const { driver, simulator } = stage;
      const first = await stage.start();
      for (let n = 0; n < 11; n++) await deployElsewhere(simulator, 'lobby-chat', 'stable');
      await driver.command('operator', 'list', { application: 'lobby-chat' });
      const shows = async (text: string) => (await driver.privately('operator')).at(-1)?.text.includes(text);
      await until(() => shows('Page 1 of 2'), 'the first page');
      // Until the end of the invocation is stored, a new process would report the command as interrupted.
      await first.app.settled();
      await first.kill();

      const second = await stage.start();
      await driver.press('operator', 'Next');
      await until(() => shows('Page 2 of 2'), 'the second page');
      expect(await shows('application lobby-chat')).toBe(true);
      await second.app.settled();
    });
  },
);
