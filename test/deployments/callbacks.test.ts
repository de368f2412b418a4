import { describe, expect, test } from 'vitest';
import { until } from '../support/test-clock.ts';
import { callBack, DEPLOY, openStudio, STILL } from './harness.ts';

/** Makes a deployment that starts but never becomes ready. */
async function deployed() {
  const studio = await openStudio({ simulator: { durations: STILL } });
  const run = await studio.run();
  await run.say(DEPLOY);
  return { studio, run, urls: studio.webhooks(), id: [...studio.simulator.deployments.keys()][0] ?? '' };
}

describe('a callback', () => {
  test('a ready callback edits the card and posts a line with a mention, and the same callback again changes nothing', async () => {
    const { studio, urls, id } = await deployed();
    const body = await studio.body({
      current_status: 'Status.READY',
      something_new: { deeply: ['unknown'] },
    });
    expect(await callBack(urls.ready, body)).toBe(200);
    const line = await studio.shown('is ready');
    const [card] = studio.chat.messages;
    expect(line).toMatchObject({ replyTo: card?.ref, alsoToChannel: false });
    expect(JSON.stringify(line.message)).toContain('"mention":"ann"');
    await studio.shown(`${id}.pr.edgegap.net`);
    const { edits } = await until(() => (card?.edits ? card : undefined));
    expect(await callBack(urls.ready, body)).toBe(200);
    expect(await callBack(urls.ready, 'junk')).toBe(200);
    expect(await callBack(urls.terminated, await studio.body({ current_status: 'TERMINATED' }))).toBe(200);
    await studio.shown(/ stopped after/);
    expect(studio.count('is ready')).toBe(1);
    expect(card?.edits).toBe(edits + 1);
  });

  test("after an error callback, the card and the line show the error's detail with secrets masked", async () => {
    const { studio, urls } = await deployed();
    const error_detail = 'Crashed:\n  ARBITRIUM_DELETE_TOKEN=abcdef123456';
    await callBack(
      urls.error,
      await studio.body({ current_status: 'Status.ERROR', error: true, error_detail }),
    );
    const line = await studio.shown(' failed: Crashed: ');
    expect(line).toMatchObject({ alsoToChannel: true, replyTo: studio.chat.messages[0]?.ref });
    await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('Crashed'), 'the card');
    expect(JSON.stringify(studio.chat.messages)).not.toContain('abcdef123456');
  });

  test('an error callback whose detail contains a NUL and half a surrogate pair is reported', async () => {
    const { studio, urls } = await deployed();
    const error_detail = 'Crashed\u0000 at \ud800 once';
    const body = await studio.body({ current_status: 'Status.ERROR', error: true, error_detail });
    expect(await callBack(urls.error, body)).toBe(200);
    await studio.shown(/ failed: Crashed/);
  });

  test("an error callback with another deployment's request_id is ignored, and no error is reported", async () => {
    const { studio, urls } = await deployed();
    const failed = { request_id: 'ffffffffffff', current_status: 'ERROR', error: true };
    const body = await studio.body(failed);
    const asked = () => studio.simulator.requests.filter(({ endpoint }) => endpoint === 'status').length;
    const before = asked();
    expect(await callBack(urls.error, body)).toBe(200);
    await until(() => asked() > before, 'the status to be asked');
    expect(await callBack(urls.ready, await studio.body({ current_status: 'READY' }))).toBe(200);
    await studio.shown('is ready');
    expect(await callBack(urls.terminated, await studio.body({ current_status: 'TERMINATED' }))).toBe(200);
    await studio.shown(/ stopped/);
    expect(studio.count(' failed')).toBe(0);
  });

  test('if an error callback with the wrong request_id is handled together with the next callback, no error is reported', async () => {
    const { studio, urls } = await deployed();
    const error = await studio.body({ request_id: 'ffffffffffff', current_status: 'ERROR', error: true });
    const ready = await studio.body({ current_status: 'READY' });
    expect(await Promise.all([callBack(urls.error, error), callBack(urls.ready, ready)])).toEqual([200, 200]);
    await studio.shown('is ready');
    expect(await callBack(urls.terminated, await studio.body({ current_status: 'TERMINATED' }))).toBe(200);
    await studio.shown(/ stopped/);
    expect(studio.count(' failed')).toBe(0);
  });

  test('if a callback is unreadable, the bot asks Edgegap for the status', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    studio.simulator.faults.next({ callback: 'ready' }, { kind: 'unreadable' });
    await run.say(DEPLOY);
    await studio.shown('is ready');
    expect(studio.simulator.callbacks[0]).toMatchObject({ status: 200, outcome: 'answered' });
    const { at: calledAt = 0 } = studio.simulator.callbacks[0] ?? {};
    const asked = studio.simulator.requests.filter(
      ({ endpoint, at }) => endpoint === 'status' && at >= calledAt,
    );
    // The bot polls a starting deployment often, so a status poll may happen at the same moment.
    expect([1, 2]).toContain(asked.length);
    expect(studio.count('found by asking')).toBe(0);
    expect(run.log.join('')).not.toContain('callbacks do not arrive');
  });

  test.each([
    ['another deployment', { request_id: 'ffffffffffff', current_status: 'TERMINATED' }],
    ["a status that does not fit the callback's name", { current_status: 'Status.DEPLOYING' }],
  ])(
    'if the body of a callback names %s, the bot ignores the body and asks Edgegap for the status',
    async (_, changes) => {
      const { studio, urls } = await deployed();
      const asked = () => studio.simulator.requests.filter(({ endpoint }) => endpoint === 'status').length;
      const body = await studio.body(changes);
      const before = asked();
      expect(await callBack(urls.terminated, body)).toBe(200);
      await until(() => asked() > before, 'the status to be asked');
      expect(studio.count(' stopped')).toBe(0);
    },
  );

  test('a callback is accepted with any content type and without a content type', async () => {
    const { studio, urls } = await deployed();
    const body = JSON.stringify(await studio.body({ current_status: 'READY' }));
    for (const type of ['text/plain', 'application/', 'nonsense;;', 'application/x-www-form-urlencoded'])
      expect(await callBack(urls.ready, body, { 'content-type': type })).toBe(200);
    const bare = await fetch(urls.ready, { method: 'POST' });
    expect(bare.status).toBe(200);
    await studio.shown('is ready');
  });

  test('a callback without the right secret is answered with 404, and a callback that is too large with 413', async () => {
    const { studio, run, urls } = await deployed();
    const { pathname } = new URL(urls.ready);
    const token = pathname.split('/').at(-1) ?? '';
    const [id, secret] = token.split('.');
    const body = await studio.body({ current_status: 'READY' });
    const at = (event: string, rest: string) => `${run.url}/callbacks/edgegap/${event}/${rest}`;
    const wrong = [
      at('ready', `${id}.${secret?.slice(0, -1)}${secret?.endsWith('x') ? 'y' : 'x'}`),
      at('ready', `${id}.${secret}.more`),
      at('ready', `${id}.${secret}x`),
      at('ready', `${id}.`),
      at('ready', `${id}`),
      at('ready', '.'),
      at('ready', `000000000000.${secret}`),
      at('ready', `%E0%A4%A`),
      at('ready', `${id}.${'x'.repeat(5_000)}`),
      at('started', token),
      at('ready/', token),
    ];
    for (const url of wrong) {
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      expect([url, answer.status, await answer.json()]).toEqual([url, 404, { error: 'not found' }]);
    }
    expect((await fetch(at('ready', token))).status).toBe(404);
    const large = JSON.stringify({ ...body, padding: 'x'.repeat(256 * 1024) });
    expect(await callBack(at('ready', token), large)).toBe(413);
    const full = JSON.stringify({ ...body, padding: '' });
    expect(await callBack(at('ready', token), full.padEnd(256 * 1024))).toBe(200);
    await studio.shown('is ready');
    expect(run.log.join('')).not.toContain(secret);
  });

  test("if a callback names another deployment's request_id, that deployment's own callbacks are still handled without delay", async () => {
    const { studio, run, urls } = await deployed();
    studio.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'before' });
    await run.say(DEPLOY);
    // The callback of the second deployment names the request_id of the first deployment, so the bot must not use this
    // request_id.
    expect(await callBack(studio.webhooks().ready, await studio.body({ current_status: 'READY' }))).toBe(200);
    expect(await callBack(urls.ready, await studio.body({ current_status: 'READY' }))).toBe(200);
    const line = await studio.shown('is ready');
    expect(line.replyTo).toEqual(studio.chat.messages[0]?.ref);
  });
});

describe('callbacks at unusual times', () => {
  test('an event whose callback arrives twice is reported once', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    studio.simulator.faults.next({ callback: 'any' }, { kind: 'double' }, 2);
    await run.say(DEPLOY);
    await studio.shown('is ready');
    studio.simulator.terminate([...studio.simulator.deployments.keys()][0] ?? '');
    await studio.shown(' stopped after');
    await until(() => studio.simulator.callbacks.every(({ outcome }) => outcome === 'answered'));
    expect(studio.simulator.callbacks).toHaveLength(4);
    expect(studio.chat.messages).toHaveLength(3);
  });

  test('if a ready callback arrives after the end of a deployment, the status stays, and readiness is reported as late news', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    studio.simulator.faults.next({ callback: 'ready' }, { kind: 'hold' });
    // Otherwise a status poll would find the start before the callbacks report the end.
    studio.simulator.faults.next({ endpoint: 'status' }, { kind: 'server-error', when: 'before' }, 1_000);
    await run.say(DEPLOY);
    const id = [...studio.simulator.deployments.keys()][0] ?? '';
    await until(() => studio.simulator.deployments.get(id)?.history.at(-1)?.phase === 'READY');
    studio.simulator.terminate(id);
    await studio.shown('the news came late');
    expect(studio.chat.texts.slice(1)).toEqual([
      expect.stringContaining(' stopped'),
      expect.stringContaining('had become ready earlier'),
    ]);
    await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('Stopped'));
    expect(JSON.stringify(studio.chat.messages)).not.toContain('after 0 s');
    expect(studio.count(/is ready/)).toBe(0);
  });

  test('a callback that arrives before the answer to the deploy is assigned to the right deployment', async () => {
    const studio = await openStudio({
      simulator: { durations: { deploying: 100, scanning: 0, seeking: 0 } },
    });
    const run = await studio.run();
    studio.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'slow', when: 'after', ms: 15_000 });
    const answered = run.say(DEPLOY);
    await studio.shown('is ready');
    await answered;
    expect(studio.deploys()).toBe(1);
    expect(studio.chat.messages).toHaveLength(2);
    expect(studio.count('Ready')).toBe(1);
  });

  test('if callbacks do not arrive, the bot finds the events by asking Edgegap, and the first line mentions this', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    studio.simulator.faults.next({ callback: 'any' }, { kind: 'drop' }, 5);
    await run.say(DEPLOY);
    const ready = await studio.shown('is ready');
    expect(JSON.stringify(ready.message)).toContain('found by asking');
    studio.simulator.fail([...studio.simulator.deployments.keys()][0] ?? '', 'The disk is full');
    const failed = await studio.shown('failed: The disk is full');
    expect(JSON.stringify(failed.message)).not.toContain('found by asking');
    expect(run.log.filter((text) => text.includes('callbacks do not arrive'))).toHaveLength(1);
  });

  test('if a callback arrives shortly after a status poll found its event, the callback is not reported as missing', async () => {
    const studio = await openStudio({ simulator: { durations: { deploying: 58_500 } } });
    const run = await studio.run();
    studio.simulator.faults.next({ callback: 'ready' }, { kind: 'late', ms: 6_000 });
    await run.say(DEPLOY);
    const ready = await studio.shown('is ready');
    expect(JSON.stringify(ready.message)).not.toContain('found by asking');
    expect(run.log.join('')).not.toContain('callbacks do not arrive');
  });

  test('if a callback arrives long after a status poll found its event, nothing changes', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    studio.simulator.faults.next({ callback: 'ready' }, { kind: 'late', ms: 100_000 });
    await run.say(DEPLOY);
    await studio.shown('found by asking');
    await until(() => studio.simulator.callbacks[0]?.outcome === 'answered');
    studio.simulator.terminate([...studio.simulator.deployments.keys()][0] ?? '');
    await studio.shown(' stopped after');
    expect(studio.chat.messages).toHaveLength(3);
  });

  test('while the chat does not answer, callbacks are answered at once, and their lines are posted later, in order', async () => {
    const { studio, urls } = await deployed();
    const release = studio.chat.hold();
    expect(await callBack(urls.ready, await studio.body({ current_status: 'READY' }))).toBe(200);
    const later = studio.now() + 2_000;
    await until(() => studio.now() > later, 'two seconds of the server’s life');
    expect(await callBack(urls.terminated, await studio.body({ current_status: 'TERMINATED' }))).toBe(200);
    expect(studio.chat.messages).toHaveLength(1);
    release();
    await studio.shown(' stopped after');
    expect(studio.chat.texts.slice(1).map((text) => / is ready| stopped/.exec(text)?.[0])).toEqual([
      ' is ready',
      ' stopped',
    ]);
  });

  test('if a process dies after storing a callback, the next process reports the event', async () => {
    const { studio, run, urls } = await deployed();
    studio.chat.hold();
    expect(await callBack(urls.ready, await studio.body({ current_status: 'READY' }))).toBe(200);
    run.kill();
    studio.chat.hold()();
    const next = await studio.run();
    await studio.shown('is ready');
    expect(await callBack(next.url + new URL(urls.ready).pathname, 'again')).toBe(200);
    studio.simulator.terminate([...studio.simulator.deployments.keys()][0] ?? '');
    await studio.shown(' stopped after');
    expect(studio.count('is ready')).toBe(1);
  });
});
