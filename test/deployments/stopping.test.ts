import { expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { turn, until } from '../support/test-clock.ts';
import { callBack, DEPLOY, openStudio, type Run, STILL } from './harness.ts';

/** Records each running timer, and the code that set the timer. */
function watch() {
  const pending = new Set<{ readonly ms: number; readonly by: string }>();
  const watched = (clock: Clock): Clock => ({
    ...clock,
    after(ms, run) {
      const timer = { ms, by: new Error('set').stack ?? '' };
      pending.add(timer);
      const cancel = clock.after(ms, () => {
        pending.delete(timer);
        run();
      });
      return () => {
        pending.delete(timer);
        cancel();
      };
    },
  });
  return { pending, watched };
}

/** Checks that the bot does nothing after its stop: it writes no log line and has no timer. */
async function stops(run: Run, pending: ReadonlySet<unknown>): Promise<void> {
  const before = run.log.length;
  await run.stop();
  const said = run.log.length;
  expect(run.log.at(-1)).toContain('"msg":"stopped"');
  expect([...pending]).toEqual([]);
  await turn(200);
  expect([...pending]).toEqual([]);
  expect(run.log.slice(said)).toEqual([]);
  // These are the levels of warnings and errors in pino. The stop of the bot must not make any work fail.
  expect(run.log.slice(before).filter((line) => /"level":[456]0/.test(line))).toEqual([]);
}

test('a bot with dozens of unhandled callbacks can stop, and the next process handles these callbacks', async () => {
  const { pending, watched } = watch();
  const studio = await openStudio({ factor: 20, simulator: { durations: STILL }, watched });
  const run = await studio.run({ CONFIRM_DEPLOY: 'never' });
  const count = 40;
  for (let n = 0; n < count; n++) await run.say(DEPLOY);
  const sent = studio.simulator.requests.flatMap(({ endpoint, body }) =>
    endpoint === 'deploy' ? [(body as { webhook_on_ready: { url: string } }).webhook_on_ready.url] : [],
  );
  const ids = [...studio.simulator.deployments.keys()];
  expect(ids).toHaveLength(count);
  /** The request_ids of the deployments that were reported as ready, one for each report. */
  const told = () => [...studio.chat.texts.join('\n').matchAll(/(\w+) is ready/g)].map(([, id = '']) => id);
  const stored = new Set<string>();
  const calls = ids.map(async (id, index) => {
    const url = run.url + new URL(sent[index] ?? '').pathname;
    // The HTTP server may already be closed when the last callbacks arrive.
    const status = await callBack(url, { request_id: id, current_status: 'READY' }).catch(() => 0);
    if (status === 200) stored.add(id);
  });
  await until(() => stored.size >= count / 2, 'half of them to be stored');
  await stops(run, pending);
  await Promise.all(calls);

  const next = await studio.run();
  await until(
    () => [...stored].every((id) => told().includes(id)),
    'each that was stored to be told',
    60_000,
  );
  expect(told()).toHaveLength(new Set(told()).size);
  await stops(next, pending);
});

test('if the bot stops during a deploy, a status call and a post, all its timers are removed', async () => {
  const { pending, watched } = watch();
  const studio = await openStudio({ callbacks: false, simulator: { durations: STILL }, watched });
  const run = await studio.run();
  await run.say(DEPLOY);
  const slow = { kind: 'slow', when: 'before', ms: 24 * 60 * 60_000 } as const;
  for (const endpoint of ['status', 'list', 'deploy'] as const)
    studio.simulator.faults.next({ endpoint }, slow, 100);
  const requests = (endpoint: string) =>
    studio.simulator.requests.filter((request) => request.endpoint === endpoint).length;
  const before = { status: requests('status'), deploy: requests('deploy') };
  const said = run.say(DEPLOY);
  await until(() => requests('status') > before.status && requests('deploy') > before.deploy);
  await stops(run, pending);
  await said;
});
