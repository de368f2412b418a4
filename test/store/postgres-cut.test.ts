import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { startBot } from '../support/bot.ts';
import { createConsoleDriver } from '../support/console-driver.ts';
import { freshDatabase } from '../support/databases.ts';
import { Relay } from '../support/relay.ts';
import { until } from '../support/test-clock.ts';

const WAIT_MS = 60_000;
const deploy = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };

/** Random numbers from 0 to 1. The same seed gives the same numbers (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function frayed() {
  const database = await freshDatabase('postgres');
  const relay = await Relay.to(database);
  onTestFinished(() => relay.close());
  const chat = await createConsoleDriver();
  onTestFinished(() => chat.close());
  return {
    database,
    relay,
    chat,
    environment: { DATABASE_URL: relay.through(database), CONFIRM_DEPLOY: 'never' },
  };
}

// If an error or a rejection is not caught, Vitest fails the whole run.
test.each([1, 2])(
  'if PostgreSQL connections break at random moments (seed %i), every deploy is settled and reported',
  async (seed) => {
    const { database, relay, chat, environment } = await frayed();
    const bot = await startBot(chat, { environment });
    onTestFinished(() => bot.stop());
    const { simulator, url, log } = bot;
    const random = seeded(seed);
    // The connection breaks at a random point: at the earliest before the first query, and at the latest after a commit
    // that gets no answer.
    relay.fray(() => 1 + Math.floor(random() * 60));
    const asked = Array.from({ length: 15 }, async () => chat.command('operator', 'deploy', deploy));
    await Promise.all(asked);
    await until(() => relay.breaks >= 60, 'enough of them to break', WAIT_MS);
    relay.mend();

    await until(async () => (await fetch(`${url}/readyz`)).status === 200, 'it to be ready again', WAIT_MS);
    const before = simulator.deployments.size;
    await chat.command('operator', 'deploy', deploy);
    await until(() => simulator.deployments.size > before, 'one more deployment', WAIT_MS);
    const told = async () => {
      const texts = (await chat.channel()).map(({ text }) => text);
      return [...simulator.deployments.keys()].every((id) =>
        texts.some((text) => text.includes(id) && text.includes('is ready')),
      );
    };
    await until(told, 'each deployment to be told of', WAIT_MS);
    const client = new Client({ connectionString: database });
    await client.connect();
    try {
      const open = async () => {
        const { rows } = await client.query(
          "select id from deployments where phase in ('requesting', 'unknown')",
        );
        return rows.length === 0;
      };
      await until(open, 'nothing to be left open', WAIT_MS);
    } finally {
      await client.end();
    }
    expect(simulator.deployments.size).toBeLessThanOrEqual(16);
    expect(log.filter((line) => /that nobody/.test(line))).toEqual([]);
  },
);

test('if a PostgreSQL connection breaks during the start, the start either works or fails with a plain message', async () => {
  const { relay, chat, environment } = await frayed();
  for (let pieces = 1; pieces <= 40; pieces += 3) {
    relay.fray(() => pieces);
    const started = await startBot(chat, { environment }).catch((error: unknown) => error);
    relay.mend();
    if (started instanceof Error) {
      expect(started).toBeInstanceOf(AppError);
      expect((started as AppError).userMessage).toMatch(/database/);
    } else await (started as Awaited<ReturnType<typeof startBot>>).stop();
  }
});
