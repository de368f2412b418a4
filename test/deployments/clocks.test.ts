import { describe, expect, test } from 'vitest';
import { createCatalog } from '../../src/deployments/catalog.ts';
import { TestClock } from '../support/test-clock.ts';
import { accepted, openWatch, snapshot, type Watch } from './watch.ts';

const MINUTE = 60_000;
const AHEAD = 6 * 60 * MINUTE;

/** Runs `work` while the clock is hours ahead, and then corrects the clock. */
async function ahead({ clock }: Watch, work: () => Promise<unknown>): Promise<void> {
  clock.set(AHEAD);
  await work();
  clock.set(-AHEAD);
}

describe.each([true, false])('a clock that was hours ahead (callbacks: %s)', (callbacks) => {
  test("if a deployment's last status was stored while the clock was hours ahead, the bot still finds the deployment's end", async () => {
    const watch = await openWatch({ callbacks });
    await ahead(watch, () => watch.add(accepted('r1'), snapshot('r1', 'READY')));
    watch.statuses.set('r1', 'TERMINATED');
    await watch.reconciler.start();
    await watch.clock.advance(5 * MINUTE);
    expect(await watch.told()).toContain(' stopped');
  });

  test('if Edgegap does not know a deploy that was accepted while the clock was hours ahead, the deployment counts as ended', async () => {
    const watch = await openWatch({ callbacks });
    await ahead(watch, () => watch.add(accepted('r1'), snapshot('r1', 'DEPLOYING')));
    await watch.reconciler.start();
    await watch.clock.advance(5 * MINUTE);
    expect(await watch.told()).toContain(' stopped');
  });

  test('if a stop was accepted while the clock was hours ahead and has no effect, the failed stop is reported', async () => {
    const watch = await openWatch({ callbacks });
    watch.statuses.set('r1', 'READY');
    watch.listed.push({ request_id: 'r1', ready: true });
    await ahead(watch, () =>
      watch.add(accepted('r1'), snapshot('r1', 'READY'), { kind: 'stopping', by: 'ann' }),
    );
    await watch.reconciler.start();
    await watch.clock.advance(5 * MINUTE);
    expect(await watch.told()).toContain('did not carry it out');
  });

  test('after the clock is set back by hours, the bot makes list calls to Edgegap as often as before', async () => {
    const watch = await openWatch({ callbacks });
    watch.statuses.set('r1', 'READY');
    watch.listed.push({ request_id: 'r1', ready: true });
    watch.clock.set(AHEAD);
    await watch.add(accepted('r1'), snapshot('r1', 'READY'));
    await watch.reconciler.start();
    await watch.clock.advance(5 * MINUTE);
    const lists = () => watch.calls.splice(0).filter((call) => call === 'list').length;
    const before = lists();
    watch.clock.set(-AHEAD);
    await watch.clock.advance(5 * MINUTE);
    expect(lists()).toBeGreaterThanOrEqual(before - 2);
  });

  test("after the clock is set back by hours, the bot soon retries to find the outcome of a dead process's deploy", async () => {
    const gone = await openWatch({ callbacks });
    const watch = await openWatch({ callbacks, beside: gone });
    const id = await gone.add();
    const row = () => watch.store.updateTable('deployments').where('id', '=', id);
    const { card_json } = await watch.store
      .selectFrom('deployments')
      .select('card_json')
      .executeTakeFirstOrThrow();
    await row().set({ card_json: '{' }).execute();
    await gone.membership.leave();
    watch.clock.set(AHEAD);
    await watch.reconciler.start();
    watch.clock.set(-AHEAD);
    await row().set({ card_json }).execute();
    await watch.clock.advance(MINUTE);
    expect(await watch.repository.byId(id)).toMatchObject({ phase: 'unknown' });
  });
});

describe('the warning that callbacks do not arrive', () => {
  const rescued = async (watch: Watch) => {
    watch.statuses.set('r1', 'READY');
    await watch.clock.advance(3 * MINUTE);
    return (await watch.told()).includes('found by asking');
  };

  test('the line "found by asking" appears for a deployment that was made after the clock was set back', async () => {
    const watch = await openWatch({ callbacks: true });
    await ahead(watch, () => watch.reconciler.start());
    await watch.add(accepted('r1'));
    expect(await rescued(watch)).toBe(true);
  });

  test('the line "found by asking" does not appear for a deployment that was made while the clock was ahead', async () => {
    const watch = await openWatch({ callbacks: true });
    await ahead(watch, () => watch.add(accepted('r1')));
    await watch.reconciler.start();
    expect(await rescued(watch)).toBe(false);
    expect(await watch.told()).toContain('is ready');
  });
});

test('a new version of an application is found although the clock was set back by hours', async () => {
  const clock = new TestClock();
  const versions = [{ name: 'v1' }];
  const catalog = createCatalog({ versions: async () => [...versions] } as never, clock);
  await catalog.versions('kart');
  clock.set(-AHEAD);
  versions.push({ name: 'v2' });
  await clock.advance(10 * MINUTE);
  expect(await catalog.versions('kart')).toEqual([{ name: 'v2' }, { name: 'v1' }]);
});
