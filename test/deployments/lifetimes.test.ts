import { expect, test } from 'vitest';
import { PlannedStops } from '../../src/deployments/planned-stops.ts';
import { DeploymentStatus } from '../../src/edgegap/schema.ts';
import { payloadOf } from '../../src/work/task.ts';
import { suiteDatabase } from '../support/databases.ts';
import { openStudio } from './harness.ts';
import { add, asked, HOUR, MINUTE, start, stops } from './timers.ts';
import { openWatch } from './watch.ts';

test('if people answer about a lifetime at the moment when the lifetime ends, only one answer or the end takes effect', async () => {
  for (let round = 0; round < 5; round++) {
    const watch = await openWatch();
    const id = await add(watch, HOUR);
    const { store, clock, deployments } = watch;
    const stop = await payloadOf(store, { kind: 'lifetime', key: 'a/r1' });
    const planned = new PlannedStops({ store, account: 'a', clock });
    const endsAt = clock.now() + HOUR;
    const answers = (['extend', 'keep', 'extend', 'keep'] as const).map((how) =>
      deployments
        .prolong({ id }, { how, endsAt, most: undefined, by: 'ben', question: undefined })
        .catch(() => undefined),
    );
    const [begun, ...prolonged] = await Promise.all([planned.begin(stop as never), ...answers]);
    const won = prolonged.filter((one) => one !== undefined).length;
    expect(won + (begun ? 1 : 0)).toBe(1);
    const after = await watch.repository.byId(id);
    if (begun) expect(after?.plan.lifetime?.endsAt).toBe(endsAt);
    else expect(after?.plan.lifetime?.endsAt).not.toBe(endsAt);
  }
});

test('if several people adopt a server at the same moment, only one succeeds, and the cards of the other people say so', {
  repeats: 4,
}, async () => {
  const watch = await openWatch();
  const place = { platform: 'memory', workspace: 'w', channel: 'c' };
  const told = DeploymentStatus.parse({ request_id: 'r1', current_status: 'READY', app_name: 'kart' });
  const people = ['ann', 'ben', 'eve', 'kim'];
  const adopted = people.map((id) => {
    const card = { ...place, message: id };
    const order = { invocationId: id, asker: { id, name: id }, at: place, card, ms: HOUR };
    return watch.deployments.adopt(order, told).catch(() => undefined);
  });
  const [person, ...others] = (await Promise.all(adopted)).flatMap((one) => one?.asker.id ?? []);
  expect(others).toEqual([]);
  const cards = await watch.store.selectFrom('outbox').select(['target_json', 'message_json']).execute();
  for (const { target_json, message_json } of cards) {
    const isTheirs = JSON.parse(target_json ?? '').message === person;
    expect(message_json.includes('Nothing was adopted')).toBe(!isTheirs);
    expect(message_json.includes('deployed elsewhere, adopted by')).toBe(isTheirs);
  }
  expect(cards).toHaveLength(people.length);
});

test('if Edgegap accepts the stop at the end of a lifetime but the server keeps running, the bot retries at growing intervals', async () => {
  const watch = await openWatch();
  await start(watch);
  await watch.reconciler.start();
  await add(watch, 10 * MINUTE);
  await watch.clock.advance(11 * MINUTE);
  expect(stops(watch)).toBe(1);
  await watch.clock.advance(4 * MINUTE);
  expect(stops(watch)).toBe(2);
  expect(await watch.told()).toContain('Its lifetime is over, so I stop the server again.');
  await watch.clock.advance(HOUR);
  expect(stops(watch)).toBeGreaterThan(3);
  expect(stops(watch)).toBeLessThan(8);
  watch.statuses.set('r1', 'TERMINATED');
  await watch.clock.advance(10 * MINUTE);
  const count = stops(watch);
  await watch.clock.advance(HOUR);
  expect(stops(watch)).toBe(count);
});

test.runIf(suiteDatabase === 'postgres')(
  'if the bot runs in several processes, each timer of a lifetime fires once',
  async () => {
    const watch = await openWatch();
    const others = await Promise.all([1, 2].map(() => openWatch({ beside: watch })));
    for (const one of [watch, ...others]) await start(one);
    for (let count = 0; count < 20; count++) await add(watch, MINUTE, `r${count}`);
    await watch.clock.advance(2 * MINUTE);
    expect([stops(watch), (await asked(watch)).length]).toEqual([20, 20]);
  },
);

test('if a process is killed after asking about a lifetime, the next process stops the server without asking again', async () => {
  const studio = await openStudio({ factor: 100 });
  const first = await studio.run();
  await first.say('deploy lobby-chat stable --near Montreal --for 4m');
  await studio.shown('its lifetime is over then');
  first.kill();
  await studio.run();
  await studio.shown('Ended by its lifetime');
  await studio.shown(/ stopped after/);
  expect(studio.count('its lifetime is over then')).toBe(1);
  // If the callback about the end arrives before the answer to the stop, the line about the stop is left out.
  expect(studio.count('because its lifetime has ended')).toBeLessThanOrEqual(1);
  expect(studio.count(/ stopped after/)).toBe(1);
});

test('if two people answer the question about a lifetime at the same moment, the second person learns that it was answered', async () => {
  const studio = await openStudio({ factor: 100 });
  const run = await studio.run();
  await run.say('deploy lobby-chat stable --near Montreal --for 4m');
  await studio.shown('its lifetime is over then');
  await Promise.all([run.press('Extend by 4 min', 'ann'), run.press('Keep', 'ben')]);
  const answers = studio.privately.slice(-2).join('\n');
  expect(answers).toMatch(/now ends|I do not stop the server/);
  expect(answers).toContain('That question is no longer open');
  await studio.shown(/gave the server more time|kept the server/);
});
