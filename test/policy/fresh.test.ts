import { expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { deployElsewhere, effectOf, phase, stageOn } from '../command/harness.ts';
import type { SlackDriver } from '../support/slack-driver.ts';

const ROLE = 'operators';
/** Longer than the maximum age of the facts for a change, and shorter than the maximum age for a read. */
const SOON = 10_000;

test('if a person is removed from a group before pressing a button, the press is refused, even if Slack sends no event', async () => {
  let ahead = 0;
  const clock: Clock = {
    now: () => Date.now() + ahead,
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  const stage = await stageOn('slack-http', { clock });
  try {
    const { driver, simulator } = stage;
    const { server, userIds, groupIds } = driver as SlackDriver;
    const id = await deployElsewhere(simulator, 'kart-racing', 'v1.2');
    await effectOf(stage, 'operator', () => driver.command('operator', 'stop', { deployment: id }));
    server.world.members.get(groupIds[ROLE])?.delete(userIds.operator);
    ahead += SOON;
    // A read uses cached groups, so the bot must still have the person in its cache.
    const read = await effectOf(stage, 'operator', () =>
      driver.command('operator', 'status', { deployment: id }),
    );
    expect([...read.publicly, ...read.privately].map(({ text }) => text).join()).toContain(id);
    const pressed = await effectOf(stage, 'operator', () => driver.press('operator', 'Stop it'));
    expect(pressed.publicly).toEqual([]);
    expect(pressed.privately.at(-1)?.text).toMatch(/You may not (?:look at|change) servers here/);
    expect(pressed.asked).toEqual([]);
    expect(phase(simulator, id)).toBe('READY');
  } finally {
    await stage.close();
  }
});
