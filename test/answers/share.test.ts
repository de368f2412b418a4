import { expect, onTestFinished, test } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { AT_ONCE } from '../command/harness.ts';
import { most } from '../edgegap/rate-model.ts';
import { startMemoryBot } from '../support/memory-bot.ts';
import { pacedClock } from '../support/paced-clock.ts';

test.each([
  ['deploy', '25', 10, 'deploy kart-racing v1.2 --near Montreal', 25],
  ['hosts', '25 %', 2, 'hosts fleet-#', 7],
  ['list', '1', 1, 'list', 4],
  ['list', '1', 1, 'doctor', 4],
] as const)(
  'in a burst of "%s" calls with EDGEGAP_SHARE=%s, Edgegap gets at most %i calls a second, until all calls of "%s" have arrived',
  async (endpoint, share, limit, line, count) => {
    const clock = pacedClock(2);
    const edgegap = await startSimulator({ clock, ...AT_ONCE });
    onTestFinished(() => edgegap.close());
    const settings = {
      EDGEGAP_API_TOKEN: edgegap.token,
      EDGEGAP_API_URL: edgegap.url,
      EDGEGAP_SHARE: share,
      DATABASE_URL: ':memory:',
    };
    const bot = await startMemoryBot(settings, clock);
    onTestFinished(() => bot.stop());
    await Promise.all(
      Array.from({ length: count }, (_, number) =>
        bot.say(`ask-${number}`, line.replace('#', String(number))),
      ),
    );
    const arrivals = edgegap.requests.filter((one) => one.endpoint === endpoint).map(({ at }) => at);
    expect(arrivals.length).toBeGreaterThanOrEqual(count);
    expect(most(arrivals)).toBeLessThanOrEqual(limit);
  },
);
