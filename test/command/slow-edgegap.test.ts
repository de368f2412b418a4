import { expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';
import { deployElsewhere, stageOn } from './harness.ts';

const FOR_EVER = 24 * 60 * 60_000;

/** A clock with the machine's time. A timer that nothing can cancel fires only when the test releases it. */
function heldClock() {
  const held: (() => void)[] = [];
  const clock: Clock = {
    now: () => Date.now(),
    after(ms, run) {
      if (ms >= FOR_EVER) {
        held.push(run);
        return () => undefined;
      }
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  return { clock, held };
}

test.each(['discord', 'slack-socket', 'slack-http'] as const)(
  'while Edgegap is slow, a command on %s is acknowledged at once and refused later',
  async (name) => {
    const { clock, held } = heldClock();
    const stage = await stageOn(name, { clock });
    try {
      const { driver, simulator } = stage;
      await deployElsewhere(simulator, 'kart-racing', 'v1.2');
      held.length = 0;
      simulator.faults.next({ endpoint: 'status' }, { kind: 'slow', when: 'before', ms: FOR_EVER });
      // Each call resolves when the command is acknowledged. No platform waits as long as Edgegap may take.
      if (driver.platform === 'slack') await (driver as SlackDriver).slash('operator', 'logs 0123456789ab');
      else await driver.command('operator', 'logs', { deployment: '0123456789ab' });
      expect(held).toHaveLength(1);
      for (const release of held) release();
      await until(async () => {
        const shown = [...(await driver.channel()), ...(await driver.privately('operator'))];
        return shown.some(({ text }) => text.includes('knows no server'));
      }, 'the refusal');
    } finally {
      await stage.close();
    }
  },
);
