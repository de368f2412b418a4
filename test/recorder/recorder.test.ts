import { describe, expect, test } from 'vitest';
import { DEPLOY, openStudio, type Run, type Studio } from '../deployments/harness.ts';
import { until } from '../support/test-clock.ts';

const QUICK = { initializing: 0, seeking: 0, seeked: 0, scanning: 0, deploying: 0 };

/** A bot with a ready server whose log has the line `the last words`. */
async function ready(environment: Record<string, string> = {}, factor = 60) {
  const studio = await openStudio({ factor, simulator: { durations: QUICK } });
  const run = await studio.run(environment);
  await run.say(DEPLOY);
  await studio.shown(' is ready');
  const [id = ''] = studio.simulator.deployments.keys();
  studio.simulator.print(id, 'the last words, API_TOKEN=abcdefgh12345678');
  return { studio, run, id };
}

/** Presses the button that confirms a stop. */
async function stop({ chat }: Studio, run: Run, id: string): Promise<void> {
  const action = { command: 'stop', action: 'confirm', arg: id };
  const buttons = [{ label: 'Stop it', style: 'danger', action }] as const;
  const card = {
    kind: 'card',
    tone: 'warning',
    title: ['Stop?'],
    nodes: [{ kind: 'buttons', buttons }],
  } as const;
  chat.add(card, { platform: 'memory', workspace: 'w', channel: 'elsewhere' });
  await run.press('Stop it');
}

/** The contents of the files in all messages with this title. */
const filesOf = ({ chat }: Studio, title: string) =>
  chat.messages
    .map(({ message }) => message)
    .filter((message) => message.kind === 'card' && JSON.stringify(message.title).includes(title))
    .flatMap((message) => ('files' in message ? (message.files ?? []) : []))
    .map(({ name, bytes }) => ({ name, text: Buffer.from(bytes).toString() }));
const asked = ({ simulator }: Studio, endpoint: string) =>
  simulator.requests.filter((request) => request.endpoint === endpoint).length;

describe('the log of a stopped server', () => {
  test('the log of a stopped server is posted once under the card, without a ping, and "logs" still shows the log', async () => {
    const { studio, run, id } = await ready();
    await stop(studio, run, id);
    const posted = await studio.shown('Last log of');
    expect(posted.replyTo).toBeDefined();
    expect(posted.alsoToChannel).toBe(false);
    expect(JSON.stringify(posted.message)).not.toContain('mention');
    const [file, ...more] = filesOf(studio, 'Last log of');
    expect(more).toEqual([]);
    expect(file).toMatchObject({ name: `${id}.log` });
    expect(file?.text).toContain('the last words, API_TOKEN=[masked]');
    expect(studio.simulator.requests.findIndex(({ endpoint }) => endpoint === 'logs')).toBeLessThan(
      studio.simulator.requests.findIndex(({ endpoint }) => endpoint === 'stop'),
    );
    await run.say(`logs ${id}`);
    expect(studio.privately.at(-1)).toContain('I saved this log ');
    expect(studio.count('Last log of')).toBe(1);
  });

  test('a stop waits at most three seconds for the log of the server, and never fails because the log is missing', async () => {
    const { studio, run, id } = await ready();
    studio.simulator.faults.next({ endpoint: 'logs' }, { kind: 'slow', when: 'after', ms: 24 * 3_600_000 });
    await stop(studio, run, id);
    expect(studio.privately.at(-1)).toMatch(new RegExp(`Stopping .*${id}`));
    await studio.shown(' stopped');
    const refused = await ready();
    refused.studio.simulator.faults.next(
      { endpoint: 'logs' },
      { kind: 'server-error', when: 'before', status: 403 },
      9,
    );
    await stop(refused.studio, refused.run, refused.id);
    expect(refused.studio.privately.at(-1)).toMatch(new RegExp(`Stopping .*${refused.id}`));
    await refused.studio.shown(' stopped');
    expect(refused.run.log.join()).toContain('recorder: a log could not be saved');
  });

  test('with FLIGHT_RECORDER=0, no log is saved or posted, and a crash report has no file', async () => {
    const { studio, run, id } = await ready({ FLIGHT_RECORDER: '0' });
    await stop(studio, run, id);
    await studio.shown(' stopped');
    await run.say(`logs ${id}`);
    expect(studio.privately.at(-1)).toContain('its log is gone: I am set to save no logs.');
    expect(studio.privately.at(-1)).toContain('set FLIGHT_RECORDER to 1');
    expect(asked(studio, 'logs')).toBe(1);
    await run.say(DEPLOY);
    await until(() => studio.count(' is ready') === 2, 'the second server');
    const second = [...studio.simulator.deployments.keys()].at(-1) ?? '';
    studio.simulator.crash(second, { exit_code: 1, message: 'no map' });
    const report = await studio.shown('Crash report');
    expect(JSON.stringify(report.message)).toContain('GameLoop.Step');
    expect(filesOf(studio, 'Crash report')).toEqual([]);
    expect(studio.count('Last log of')).toBe(0);
  });

  test('if a log is long, only its newest 512 KB are saved, beginning with a whole line', async () => {
    const { studio, run, id } = await ready();
    for (let n = 0; n < 200; n++) studio.simulator.print(id, `line ${n} ${'ü'.repeat(5_000)}`);
    await stop(studio, run, id);
    await studio.shown('Last log of');
    const [file] = filesOf(studio, 'Last log of');
    expect(Buffer.byteLength(file?.text ?? '')).toBeLessThanOrEqual(512 * 1024 + 1);
    expect(file?.text).toMatch(/^\d{4}-\d\d-\d\dT\S+ line 1\d\d ü/);
    expect(file?.text).toMatch(/line 199 ü+\n/);
  });
});

describe('a crash of a server', () => {
  test('the crash report is written once, even if the process is killed while the log is being read', async () => {
    const { studio, run, id } = await ready();
    studio.simulator.faults.next({ endpoint: 'logs' }, { kind: 'slow', when: 'after', ms: 24 * 3_600_000 });
    studio.simulator.crash(id, { exit_code: 139, message: 'segmentation fault' });
    await until(() => asked(studio, 'logs') === 1, 'the request for the log');
    run.kill();
    const next = await studio.run();
    await studio.shown('Crash report');
    expect(filesOf(studio, 'Crash report').map(({ name }) => name)).toEqual([`${id}.log`, `${id}-crash.log`]);
    await next.stop();
    await studio.run();
    expect(studio.count('Crash report')).toBe(1);
  });

  test('the crash report is posted once, even if the process is killed while the report is being sent', async () => {
    const { studio, run, id } = await ready();
    const release = studio.chat.hold();
    studio.simulator.crash(id, { exit_code: 139, message: 'segmentation fault' });
    await until(() => asked(studio, 'logs') === 1, 'the request for the log');
    run.kill();
    release();
    const next = await studio.run();
    await studio.shown('Crash report');
    await next.stop();
    await studio.run();
    expect(studio.count('Crash report')).toBe(1);
    expect(studio.count(' failed')).toBeGreaterThanOrEqual(1);
  });

  test('if Edgegap is unreachable after a crash, the bot requests the log again until Edgegap answers', async () => {
    const { studio, id } = await ready();
    studio.simulator.faults.next({ endpoint: 'logs' }, { kind: 'server-error', when: 'before' }, 4);
    studio.simulator.crash(id, { exit_code: 1, message: 'no map' });
    const report = await studio.shown('Crash report');
    expect(JSON.stringify(report.message)).toContain('GameLoop.Step');
  });

  test('if a server never ran, its crash report says why and has no file', async () => {
    const studio = await openStudio({ simulator: { durations: QUICK } });
    const run = await studio.run();
    studio.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'image-cannot-be-pulled' });
    await run.say(DEPLOY);
    const { message } = await studio.shown('Crash report');
    expect(JSON.stringify(message)).toMatch(
      /The image cannot be pulled.*at the step “Deploying”, \d+ s after the order/,
    );
    expect(JSON.stringify(message)).toContain('The log is empty');
    // The image is also missing in every other city, so the report has no button for a different city.
    expect(JSON.stringify(studio.chat.messages)).not.toContain('"Try another city"');
    expect(filesOf(studio, 'Crash report')).toEqual([]);
    studio.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'cannot-allocate' });
    await run.say(DEPLOY);
    const second = await studio.shown('No place had room for the server.');
    expect(JSON.stringify(second.message)).toContain('"Try another city"');
    // The earlier failure was of a different kind.
    expect(JSON.stringify(second.message)).toContain('1 of the last 2 servers of this version');
    studio.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'cannot-allocate' });
    await run.say(DEPLOY);
    await studio.shown('2 of the last 3 servers of this version');
  });

  test('if a server has failed and is then stopped, its last log is not posted again', async () => {
    const { studio, run, id } = await ready();
    studio.simulator.crash(id, { exit_code: 1, message: 'no map' });
    await studio.shown('Crash report');
    await stop(studio, run, id);
    await studio.shown(' stopped');
    await run.say(`logs ${id}`);
    expect(studio.privately.at(-1)).toContain('I saved this log ');
    expect(studio.privately.at(-1)).toContain('Crash log');
    expect(studio.count('Last log of')).toBe(0);
  });
});

test('if a server ends because of the time limit of its version, the line about the end gives this reason', async () => {
  const { studio, id } = await ready({}, 600);
  const deployment = studio.simulator.deployments.get(id);
  if (deployment) Object.assign(deployment, { maxDuration: 1 });
  const readyAt = studio.now();
  await until(() => studio.now() - readyAt > 61_000, 'a minute');
  studio.simulator.terminate(id);
  await studio.shown(/ stopped after .*the longest duration that its version allows/);
  expect(studio.count('Last log of')).toBe(0);
});
