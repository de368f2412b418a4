import { afterEach, expect, onTestFinished, test } from 'vitest';
import { type Bot, startBot } from '../support/bot.ts';
import type { ChatDriver } from '../support/chat-driver.ts';
import { createConsoleDriver } from '../support/console-driver.ts';
import { freshDatabase } from '../support/databases.ts';
import { Relay } from '../support/relay.ts';
import { until } from '../support/test-clock.ts';

let bot: Bot | undefined;
let driver: ChatDriver | undefined;

afterEach(async () => {
  await bot?.stop();
  await driver?.close();
});

const deploy = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };

test('without PostgreSQL, the bot refuses commands and says why, and works again when the database is back', async () => {
  const database = await freshDatabase('postgres');
  const relay = await Relay.to(database);
  onTestFinished(() => relay.close());
  const chat = await createConsoleDriver();
  driver = chat;
  const running = await startBot(chat, {
    environment: { DATABASE_URL: relay.through(database) },
    // With this duration, the server becomes ready only when the test says so.
    simulator: { durations: { deploying: 24 * 60 * 60_000 } },
  });
  bot = running;
  const { simulator, url } = running;
  await chat.command('operator', 'deploy', deploy);
  const [id = ''] = await until(() => {
    const ids = [...simulator.deployments.keys()];
    return ids.length === 1 ? ids : undefined;
  }, 'the deployment');
  await until(async () => (await chat.channel())[0]?.text.includes(id), 'its card');
  await running.app.settled();

  relay.cut();
  await chat.command('operator', 'deploy', deploy);
  const answer = await until(
    async () =>
      (await chat.privately('operator')).find(({ text }) => text.includes('I cannot reach my database')),
    'an answer',
  );
  expect(answer.text).toContain('nothing was done');
  expect(simulator.deployments.size).toBe(1);
  const sent = simulator.requests.findLast(({ endpoint }) => endpoint === 'deploy')?.body as {
    webhook_on_ready?: { url: string };
  };
  const callback = () =>
    fetch(sent.webhook_on_ready?.url ?? '', { method: 'POST', body: JSON.stringify({ request_id: id }) });
  expect((await callback()).status).toBe(503);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);

  relay.mend();
  await until(async () => (await fetch(`${url}/readyz`)).status === 200, 'the bot to be ready again');
  await chat.command('operator', 'deploy', deploy);
  await until(() => simulator.deployments.size === 2, 'the next deployment');
  simulator.terminate(id);
  await until(
    async () => (await chat.channel()).some(({ text }) => text.includes(' stopped')),
    'the news of the first one',
  );
});
