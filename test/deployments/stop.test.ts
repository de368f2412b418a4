import { describe, expect, test } from 'vitest';
import { until } from '../support/test-clock.ts';
import { DEPLOY, openStudio, type Run, STILL, type Studio } from './harness.ts';

async function running(simulator: Parameters<typeof openStudio>[0] = {}) {
  const studio = await openStudio(simulator);
  const run = await studio.run();
  await run.say(DEPLOY);
  if (!simulator.simulator) await studio.shown('is ready');
  return { studio, run, id: [...studio.simulator.deployments.keys()][0] ?? '' };
}

/** Presses the button that confirms a stop. */
async function confirm(
  studio: Studio,
  run: Run,
  id: string,
  person?: string,
  invocation?: string,
): Promise<string> {
  const message = {
    kind: 'card',
    tone: 'warning',
    title: ['Stop?'],
    nodes: [
      {
        kind: 'buttons',
        buttons: [
          { label: 'Stop it', style: 'danger', action: { command: 'stop', action: 'confirm', arg: id } },
        ],
      },
    ],
  } as const;
  studio.chat.add(message, { platform: 'memory', workspace: 'w', channel: 'elsewhere' });
  await run.press('Stop it', person, invocation);
  return studio.privately.at(-1) ?? '';
}

const stops = (studio: Studio) => studio.simulator.requests.filter(({ endpoint }) => endpoint === 'stop');

describe('stopping a deployment', () => {
  test("a stop of a running server is reported once with the person's name, followed by a report of the end", async () => {
    const { studio, run, id } = await running();
    expect(await confirm(studio, run, id)).toContain('Stopping');
    await confirm(studio, run, id, 'ben');
    await studio.shown(' stopped after');
    expect(studio.count('asked to stop')).toBe(1);
    expect(studio.count('ann asked to stop')).toBe(1);
    expect(studio.count(/ stopped/)).toBe(1);
  });

  test('a stop of a starting deployment appears on the card and is carried out when the server is ready', async () => {
    const { studio, run, id } = await running({ simulator: { durations: { deploying: 20_000 } } });
    expect(await confirm(studio, run, id)).toContain('as soon as it is ready or');
    await until(() =>
      JSON.stringify(studio.chat.messages[0]?.message).includes('ann asked to stop this server'),
    );
    await studio.shown(' stopped');
    expect(stops(studio).map(({ status }) => status)).toEqual([202]);
    await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('Stopped'));
  });

  test('if a stop is confirmed several times, the bot sends one stop, and later answers say that the deployment is already stopping', async () => {
    const { studio, run, id } = await running();
    studio.simulator.faults.next({ endpoint: 'stop' }, { kind: 'slow', when: 'after', ms: 2_000 });
    await Promise.all(['ann', 'ben', 'ann'].map((person) => confirm(studio, run, id, person)));
    await confirm(studio, run, id, 'ben');
    const told = studio.privately.filter((text) => /top/.test(text));
    expect(told.filter((text) => text.includes('Stopping'))).toHaveLength(1);
    expect(told.filter((text) => /is stopping already|has already stopped/.test(text))).toHaveLength(3);
    await studio.shown(' stopped after');
    expect(stops(studio).filter(({ status }) => status === 200)).toHaveLength(1);
    expect(stops(studio).filter(({ status }) => status === 202)).toHaveLength(0);
  });

  test("if a deployment is stopped before the server is ready, the channel never gets the server's address", async () => {
    const { studio, run, id } = await running({
      simulator: { durations: { deploying: 20_000, terminating: 20_000 } },
    });
    await confirm(studio, run, id);
    await studio.shown(' stopped');
    expect(studio.count('is ready:')).toBe(0);
    expect(studio.count('had become ready')).toBe(0);
  });

  test('a stop of an ended deployment succeeds, and the bot reports the end that it had missed', async () => {
    const { studio, run, id } = await running();
    studio.simulator.faults.next({ callback: 'terminated' }, { kind: 'drop' });
    studio.simulator.terminate(id);
    expect(await confirm(studio, run, id)).toContain('has already stopped');
    await studio.shown(' stopped after');
    expect(await confirm(studio, run, id)).toContain('has already stopped');
    expect(studio.count(/ stopped after/)).toBe(1);
  });

  test('if the connection breaks during a stop, the bot sends the stop again and reports the stop once', async () => {
    const { studio, run, id } = await running();
    studio.simulator.faults.next({ endpoint: 'stop' }, { kind: 'reset', when: 'after' });
    studio.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before' });
    expect(await confirm(studio, run, id)).toMatch(/Stopping|stops|already stopped/);
    await studio.shown(' stopped after');
    expect(stops(studio)).toHaveLength(3);
    expect(studio.count('asked to stop')).toBeLessThanOrEqual(1);
  });

  test('if Edgegap did not know a deployment for a moment, a stop is still offered and sent', async () => {
    const { studio, run, id } = await running();
    const ready = studio.now();
    // Edgegap may not know a deployment that is younger than half a minute, so the test waits.
    await until(() => studio.now() - ready > 31_000, 'it to be of age');
    studio.simulator.faults.next(
      { endpoint: 'status' },
      { kind: 'server-error', when: 'before', status: 404 },
    );
    await run.say(`status ${id}`);
    expect(studio.privately.at(-1)).toContain('knows no such server');
    await run.say(`stop ${id}`);
    expect(studio.privately.at(-1)).toContain('Stop kart-racing v1.2?');
    studio.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before', status: 404 });
    expect(await confirm(studio, run, id)).toContain('there is nothing left to stop');
    expect(await confirm(studio, run, id)).toContain('Stopping');
    await studio.shown(' stopped after');
    expect(studio.count(/ stopped/)).toBe(1);
  });

  test('if Edgegap answers two attempts of a stop with 502 and 404, a person can still stop the deployment later', async () => {
    const { studio, run, id } = await running();
    const ready = studio.now();
    // Edgegap may not know a deployment that is younger than half a minute, so the test waits.
    await until(() => studio.now() - ready > 31_000, 'it to be of age');
    for (const status of [502, 404])
      studio.simulator.faults.next({ endpoint: 'stop' }, { kind: 'server-error', when: 'before', status });
    expect(await confirm(studio, run, id)).toContain('was probably stopped');
    expect(await confirm(studio, run, id)).toContain('Stopping');
    await studio.shown(' stopped after');
    expect(studio.count(/ stopped/)).toBe(1);
  });

  test('if a person stops an unknown request_id, the answer says that Edgegap knows no such deployment', async () => {
    const { studio, run } = await running({ simulator: { durations: STILL } });
    expect(await confirm(studio, run, 'ffffffffffff')).toMatch(/knows no server/);
    expect(studio.count('asked to stop')).toBe(0);
  });

  test('a deployment made outside the chat can be stopped, and no channel gets a line about the stop', async () => {
    const { studio, run } = await running({ simulator: { durations: { deploying: 1_000 } } });
    const { url, token } = studio.simulator;
    const answer = await fetch(`${url}/v2/deployments`, {
      method: 'POST',
      headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        application: 'kart-racing',
        version: 'v1.2',
        users: [{ user_type: 'ip_address', user_data: { ip_address: '192.0.2.1' } }],
      }),
    });
    const { request_id } = (await answer.json()) as { request_id: string };
    await until(() => studio.simulator.deployments.get(request_id)?.history.at(-1)?.phase === 'READY');
    expect(await confirm(studio, run, request_id)).toContain('Stopping');
    expect(studio.count(new RegExp(`${request_id}.*asked to stop|asked to stop.*${request_id}`))).toBe(0);
  });
});

describe('the bot without PUBLIC_URL', () => {
  test('without PUBLIC_URL, the bot finds every event by asking Edgegap, and reports each event once', async () => {
    const studio = await openStudio({ callbacks: false });
    const run = await studio.run();
    expect(run.log.join('')).toContain('PUBLIC_URL is not set');
    await run.say(DEPLOY);
    await run.say('deploy kart-racing v1.2 --near Tokyo');
    studio.simulator.faults.next({ endpoint: 'list' }, { kind: 'server-error', when: 'before' }, 2);
    await until(() => studio.count('is ready') === 2, 'both to be ready');
    const [first = '', second = ''] = [...studio.simulator.deployments.keys()];
    expect(studio.simulator.deployments.get(first)?.webhooks).toEqual({});
    await confirm(studio, run, first);
    studio.simulator.fail(second, 'The disk is full');
    await studio.shown(' failed: The disk is full');
    await studio.shown(' stopped after');
    studio.simulator.forget(second);
    await until(() => studio.count(/ stopped/) === 2, 'the forgotten one to count as terminated');
    expect(studio.count('is ready')).toBe(2);
    expect(studio.count('asked to stop')).toBe(1);
    expect(studio.count(' failed: ')).toBe(1);
    expect(studio.count('found by asking')).toBe(0);
    expect(studio.simulator.callbacks).toEqual([]);
  });

  test('if the application of a running server is no longer allowed, the bot still follows the server to its end', async () => {
    const studio = await openStudio({ callbacks: false });
    const run = await studio.run();
    await run.say(DEPLOY);
    await studio.shown('is ready');
    await run.stop();
    const next = await studio.run({ APP_ALLOWLIST: 'another' });
    const id = [...studio.simulator.deployments.keys()][0] ?? '';
    await next.say(`status ${id}`);
    expect(studio.privately.at(-1)).toContain('is not on my allowlist');
    studio.simulator.terminate(id);
    await studio.shown(' stopped after');
  });

  test('without callbacks, if a server ends during a restart of the bot, its end is reported afterwards', async () => {
    const studio = await openStudio({ callbacks: false });
    const run = await studio.run();
    await run.say(DEPLOY);
    await studio.shown('is ready');
    await run.stop();
    studio.simulator.terminate([...studio.simulator.deployments.keys()][0] ?? '');
    await studio.run();
    await studio.shown(' stopped after');
    expect(studio.count('is ready')).toBe(1);
  });
});

describe('a restart with callbacks', () => {
  test('if a server ends during a restart, its end is reported without a warning about missing callbacks', async () => {
    const { studio, run } = await running();
    await run.stop();
    studio.simulator.terminate([...studio.simulator.deployments.keys()][0] ?? '');
    await until(() => studio.simulator.callbacks.at(-1)?.outcome === 'failed', 'the callback to fail');
    const next = await studio.run();
    await studio.shown(' stopped after');
    expect(studio.count('found by asking')).toBe(0);
    expect(next.log.join('')).not.toContain('callbacks do not arrive');
  });

  test('if a kill interrupts the sending of a stored line, the line is sent after the restart', async () => {
    const { studio, run, id } = await running();
    const release = studio.chat.hold();
    studio.simulator.terminate(id);
    await until(() => studio.simulator.callbacks.at(-1)?.outcome === 'answered');
    run.kill();
    release();
    await studio.run();
    await studio.shown(' stopped after');
    expect(studio.count(/ stopped after/)).toBe(1);
  });
});

test('if a crash interrupts a stop, the person gets an answer after the restart', async () => {
  const { studio, run, id } = await running();
  studio.simulator.faults.next({ endpoint: 'stop' }, { kind: 'slow', when: 'after', ms: 25_000 });
  void confirm(studio, run, id);
  await until(() => stops(studio).length === 1);
  run.kill();
  const next = await studio.run();
  const answers = () => studio.chat.answers.map(({ text }) => text);
  await until(() => answers().length > 0, 'an answer');
  await studio.shown(' stopped after');
  await next.stop();
  await studio.run();
  await studio.shown(' stopped after');
  expect(answers()).toEqual([expect.stringContaining('I was restarted in the middle of your stop.')]);
});

test('if a person presses the button "Metrics" three times at once, the bot posts only one answer', async () => {
  const { studio, run, id } = await running();
  const shown = () => studio.count(new RegExp(`Metrics of kart-racing v1\\.2.*${id}`, 's'));
  const ready = studio.now();
  await until(() => studio.now() - ready > 180_000, 'the first measurements');
  studio.simulator.faults.next({ endpoint: 'metrics' }, { kind: 'slow', when: 'after', ms: 5_000 }, 2);
  await Promise.all(['ann', 'ann', 'ben', 'ann'].map((person) => run.press('Metrics', person)));
  expect(shown()).toBe(2);
  expect(studio.privately.filter((text) => text.includes('pressed this button a moment ago'))).toHaveLength(
    2,
  );
  const before = studio.now();
  await until(() => studio.now() - before > 2_000, 'the moment to pass');
  await run.press('Metrics');
  expect(shown()).toBe(3);
});

test('if the platform sends a press of the stop button twice, the deployment is stopped once', async () => {
  const { studio, run, id } = await running();
  await confirm(studio, run, id, 'ann', 'again');
  expect(stops(studio)).toHaveLength(1);
  await confirm(studio, run, id, 'ann', 'again');
  expect(stops(studio)).toHaveLength(1);
  // At the second press, the stop is already in progress, so the bot does not call Edgegap again.
  expect(await confirm(studio, run, id, 'ann', 'another')).toMatch(/is stopping already|has already stopped/);
});
