import { afterEach, describe, expect, test } from 'vitest';
import { type Bot, createDriver, type DriverName, startBot } from '../support/bot.ts';
import type { ChatDriver } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

const drivers: readonly DriverName[] = ['console', 'discord', 'slack-socket'];
const SLOW = { initializing: 4_000, seeking: 8_000, seeked: 8_000, scanning: 8_000, deploying: 12_000 };

let driver: ChatDriver;
let bot: Bot;

afterEach(async () => {
  await bot?.stop();
  await driver?.close();
});

describe.each(drivers)('the card of a slow deployment, on %s', (name) => {
  test.each([true, false])(
    'the live card shows each step of a slow deployment until the server is ready (callbacks: %s)',
    async (callbacks) => {
      const clock = pacedClock();
      driver = await createDriver(name, clock);
      bot = await startBot(driver, { clock, callbacks, simulator: { durations: SLOW } });
      await driver.command('operator', 'deploy', {
        application: 'kart-racing',
        version: 'v1.2',
        near: 'Montreal',
      });
      for (const step of [
        'Looking for a location',
        'Location found',
        'Scanning the image',
        'Deploying',
        'Ready',
      ])
        await until(async () => (await driver.channel())[0]?.text.includes(step), `the card to say ${step}`);
      const lines = async () => (await driver.channel()).map(({ text }) => text);
      await until(async () => (await lines()).some((text) => text.includes('is ready')));
      expect((await lines()).join('\n')).not.toContain('found by asking');
    },
  );
});
