import { sql } from 'kysely';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { Leases } from '../../src/replicas/leases.ts';
import { Membership } from '../../src/replicas/membership.ts';
import { dialectFor, openStore } from '../../src/store/store.ts';
import { startBot } from '../support/bot.ts';
import { createConsoleDriver } from '../support/console-driver.ts';
import { freshDatabase } from '../support/databases.ts';
import { PoolingProxy } from '../support/pooling-proxy.ts';
import { until } from '../support/test-clock.ts';

const log = pino({ level: 'silent' });

/** A proxy that lends a connection to a client for one transaction. It has fewer connections than clients. */
async function pooled(connections: number): Promise<PoolingProxy> {
  const proxy = await PoolingProxy.before(await freshDatabase('postgres', { empty: true }), connections);
  onTestFinished(() => proxy.close());
  return proxy;
}

test('the pooling proxy of the tests detects database settings that last longer than a transaction', async () => {
  const proxy = await pooled(1);
  const store = await openStore(dialectFor(proxy.url, log));
  onTestFinished(() => store.destroy());
  expect(proxy.violations).toEqual([]);
  for (const statement of ['listen news', "set statement_timeout = '1s'", 'select pg_advisory_lock(1)'])
    await sql.raw(statement).execute(store);
  expect(proxy.violations).toHaveLength(3);
});

test('behind a pooling proxy, processes create the schema, see each other and share a lease', async () => {
  const proxy = await pooled(2);
  const stores = await Promise.all([1, 2, 3].map(() => openStore(dialectFor(proxy.url, log))));
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.destroy()))));
  const members = stores.map((store) => new Membership({ store, shared: true, clock: systemClock, log }));
  await Promise.all(members.map((member) => member.join()));
  const leases = members.map((member, index) => {
    const store = stores[index];
    if (!store) throw new Error('one store for each');
    return new Leases(store, member, systemClock);
  });
  const held = await Promise.all(leases.map((one) => one.hold('gateway')));
  expect(held.filter(Boolean)).toHaveLength(1);
  await Promise.all(members.map((member) => member.leave()));
  expect(proxy.mostClients).toBeGreaterThan(1);
  expect(proxy.handovers).toBeGreaterThan(0);
  expect(proxy.violations).toEqual([]);
});

// With a single connection, a statement outside the open transaction would wait endlessly for that transaction. This
// test shows that the bot has no such statement.
test('behind a pooling proxy with a single connection, a bot can deploy, list, change and stop servers', async () => {
  const proxy = await pooled(1);
  const driver = await createConsoleDriver();
  const bot = await startBot(driver, { environment: { DATABASE_URL: proxy.url } });
  const said = (text: string) =>
    until(async () => (await driver.channel()).some((message) => message.text.includes(text)), text);
  try {
    await driver.command('operator', 'deploy', {
      application: 'kart-racing',
      version: 'v1.2',
      near: 'Montreal',
    });
    await said('is ready');
    const [deployment = ''] = bot.simulator.deployments.keys();
    await driver.command('operator', 'logs', { deployment, share: true });
    await said('Log of');
    await driver.command('operator', 'tags add', { deployment, tag: 'tournament' });
    await until(
      async () => (await driver.privately('operator')).some(({ text }) => text.includes('Added')),
      'the answer to tags add',
    );
    await driver.command('operator', 'list', {});
    await until(
      async () => (await driver.privately('operator')).some(({ text }) => text.includes('1 active server')),
      'the list',
    );
    await driver.press('operator', 'Stop');
    await until(
      async () => (await driver.privately('operator')).at(-1)?.buttons.includes('Stop it'),
      'to be asked',
    );
    await driver.press('operator', 'Stop it');
    await said(' stopped');
    await bot.app.settled();
  } finally {
    await bot.stop();
    await driver.close();
  }
  expect(bot.log.filter((line) => /does not answer|kept every connection/.test(line))).toEqual([]);
  expect(proxy.mostClients).toBeGreaterThan(1);
  expect(proxy.handovers).toBeGreaterThan(0);
  expect(proxy.violations).toEqual([]);
});
