import { describe, expect, test } from 'vitest';
import type { RequestFault } from '../../src/simulator/faults.ts';
import { until } from '../support/test-clock.ts';
import { callBack, DEPLOY, openStudio, STILL, type Studio } from './harness.ts';

const deployFails = (studio: Studio, fault: RequestFault, times?: number) =>
  studio.simulator.faults.next({ endpoint: 'deploy' }, fault, times);

/** Makes a deploy whose request never reached Edgegap. The bot has searched for the deployment without success. */
async function lost(factor?: number) {
  const studio = await openStudio({ factor: factor ?? 150, simulator: { durations: STILL } });
  const run = await studio.run();
  deployFails(studio, { kind: 'reset', when: 'before' });
  await run.say(DEPLOY);
  const line = await studio.shown('may have started, but Edgegap neither answered nor lists the server');
  await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('Deploy again'), 'the button');
  return { studio, run, line };
}

describe('a deploy with an unknown outcome', () => {
  test.each<RequestFault>([
    { kind: 'reset', when: 'after' },
    { kind: 'server-error', when: 'after', status: 502 },
    { kind: 'slow', when: 'after', ms: 40_000 },
    { kind: 'broken-json' },
  ])(
    'if a deploy gets no usable answer ($kind), the bot finds the deployment by its tag and does not send the deploy again',
    async (fault) => {
      const studio = await openStudio({ callbacks: false });
      const run = await studio.run();
      deployFails(studio, fault);
      await run.say(DEPLOY);
      await studio.shown('did start after all');
      await studio.shown('is ready');
      expect(studio.deploys()).toBe(1);
      expect(studio.simulator.deployments.size).toBe(1);
      expect(studio.chat.messages).toHaveLength(3);
      expect(JSON.stringify(studio.chat.messages[0]?.message)).not.toContain('Deploy again');
    },
  );

  test("while Edgegap's list is not up to date, a callback settles a deploy with an unknown outcome", async () => {
    const studio = await openStudio({ simulator: { listLagMs: 60 * 60_000 } });
    const run = await studio.run();
    deployFails(studio, { kind: 'reset', when: 'after' });
    await run.say(DEPLOY);
    await studio.shown('is ready');
    expect(studio.deploys()).toBe(1);
    expect(studio.chat.texts.slice(1).map((text) => / did start| is ready/.exec(text)?.[0])).toEqual([
      ' did start',
      ' is ready',
    ]);
  });

  test('if an unreadable callback arrives during the last search for a deployment, the search starts again', async () => {
    const studio = await openStudio({ factor: 60, simulator: { durations: STILL, listLagMs: 150_000 } });
    const run = await studio.run();
    deployFails(studio, { kind: 'reset', when: 'after' });
    const looks = () => studio.simulator.requests.filter(({ endpoint }) => endpoint === 'list').length;
    await run.say(DEPLOY);
    await until(() => looks() >= 5, 'five looks');
    studio.simulator.faults.next({ endpoint: 'list' }, { kind: 'slow', when: 'before', ms: 20_000 });
    await until(() => looks() >= 6, 'the last look');
    expect(await callBack(studio.webhooks().ready, 'junk')).toBe(200);
    expect(studio.count('may have started, but')).toBe(0);
    await studio.shown('did start after all');
  });

  test("the deployment of a deploy with an unknown outcome is found, even if Edgegap's list is late and fails at first", async () => {
    const studio = await openStudio({ callbacks: false, simulator: { listLagMs: 20_000 } });
    const run = await studio.run();
    deployFails(studio, { kind: 'reset', when: 'after' });
    studio.simulator.faults.next({ endpoint: 'list' }, { kind: 'server-error', when: 'before' }, 4);
    await run.say(DEPLOY);
    await studio.shown('is ready');
    expect(studio.count('may have started, but')).toBe(0);
    expect(studio.deploys()).toBe(1);
  });

  test.each<RequestFault>([
    { kind: 'reset', when: 'before' },
    { kind: 'server-error', when: 'before', status: 500 },
  ])(
    'if a deploy fails ($kind) and no deployment is found, the bot reports the deploy and does not send it again',
    async (fault) => {
      const studio = await openStudio({ factor: 150 });
      const run = await studio.run();
      deployFails(studio, fault);
      await run.say(DEPLOY);
      const line = await studio.shown('I do not send the request again');
      expect(line).toMatchObject({ alsoToChannel: true, replyTo: studio.chat.messages[0]?.ref });
      await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('Deploy again'));
      expect(studio.deploys()).toBe(1);
      expect(
        studio.simulator.requests.filter(({ endpoint }) => endpoint === 'list').length,
      ).toBeGreaterThanOrEqual(6);
    },
  );

  test('if a crash interrupts a deploy, the next process finds the deployment and does not send the deploy again', async () => {
    const studio = await openStudio();
    const first = await studio.run();
    deployFails(studio, { kind: 'slow', when: 'after', ms: 20_000 });
    void first.say(DEPLOY);
    await until(() => studio.deploys() === 1, 'the request');
    first.kill();
    await studio.run();
    await studio.shown('did start after all');
    studio.simulator.terminate([...studio.simulator.deployments.keys()][0] ?? '');
    await studio.shown(' stopped');
    expect(studio.deploys()).toBe(1);
    expect(studio.count('I was restarted')).toBe(0);
  });

  test('if a deployment ended before the bot could find it, a later callback settles the deploy with an unknown outcome', async () => {
    const studio = await openStudio({ factor: 150, simulator: { durations: STILL } });
    const run = await studio.run();
    deployFails(studio, { kind: 'reset', when: 'after' });
    // Edgegap's callbacks about readiness and the end are lost before the search fails.
    studio.simulator.faults.next({ callback: 'any' }, { kind: 'drop' }, 9);
    const asked = run.say(DEPLOY);
    await until(() => studio.simulator.deployments.size === 1, 'the deployment');
    const [id = ''] = studio.simulator.deployments.keys();
    studio.simulator.fail(id, 'It crashed');
    studio.simulator.terminate(id);
    await asked;
    await studio.shown('may have started, but Edgegap neither answered nor lists the server');
    await until(
      () => JSON.stringify(studio.chat.messages[0]?.message).includes('Deploy again'),
      'the button',
    );
    expect(studio.count('did start after all')).toBe(0);
    const body = { request_id: id, current_status: 'Status.TERMINATED' };
    expect(await callBack(studio.webhooks().terminated, body)).toBe(200);
    await studio.shown('did start after all');
    await studio.shown(' stopped');
    await until(
      () => JSON.stringify(studio.chat.messages[0]?.message).includes('Stopped'),
      'the end on the card',
    );
    expect(studio.deploys()).toBe(1);
  });

  test('an unreadable callback for a lost deploy restarts the search for the deployment', async () => {
    const { studio, line } = await lost();
    studio.simulator.faults.clear();
    const looks = () => studio.simulator.requests.filter(({ endpoint }) => endpoint === 'list').length;
    const before = looks();
    expect(await callBack(studio.webhooks().ready, 'junk')).toBe(200);
    await until(() => looks() >= before + 6, 'six looks');
    // The bot still cannot find the deployment, and reports this once.
    expect(studio.count('may have started, but')).toBe(1);
    expect(line.edits).toBe(0);
  });
});

test('if a deployment ends while the bot is down, its end is reported after the restart', async () => {
  const studio = await openStudio();
  const first = await studio.run();
  await first.say(DEPLOY);
  await studio.shown('is ready');
  await first.stop();
  const [id = ''] = studio.simulator.deployments.keys();
  studio.simulator.terminate(id);
  const history = () => studio.simulator.deployments.get(id)?.history.at(-1)?.phase;
  await until(() => history() === 'TERMINATED', 'its end');
  const next = await studio.run();
  await studio.shown(' stopped');
  await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('Stopped'), 'the card');
  expect(studio.count(' stopped')).toBe(1);
  // The bot was not running when Edgegap sent the callback, so the lost callback does not mean that callbacks cannot
  // arrive.
  expect(next.log.join('')).not.toContain('callbacks do not arrive');
});

describe('the button "Deploy again"', () => {
  test('if two people press "Deploy again" at once, only one deployment starts, and the second person gets a note', async () => {
    const { studio, run } = await lost();
    // Each press passes all checks before the bot stores either of them.
    const apps = studio.simulator.faults.next(
      { endpoint: 'versions' },
      { kind: 'slow', when: 'before', ms: 1_000 },
      9,
    );
    await Promise.all([run.press('Deploy again', 'ann'), run.press('Deploy again', 'ben')]);
    apps();
    expect(studio.deploys()).toBe(2);
    expect(studio.simulator.deployments.size).toBe(1);
    const loser = studio.chat.messages
      .map(({ message }) => JSON.stringify(message))
      .find((text) => /deployed this server again already|nothing to deploy again/i.test(text));
    expect(loser, 'whose card it is').toMatch(/"mention":"(?:ann|ben)".*"code":"deploy"/);
    expect(loser, 'what did not happen').toMatch(/othing (?:more )?was deployed\./);
    await until(() => studio.count('Requesting') === 0, 'both cards to say what became of them');
    await until(
      () => !JSON.stringify(studio.chat.messages[0]?.message).includes('Deploy again'),
      'no button',
    );
    expect(JSON.stringify(studio.chat.messages[0]?.message)).toContain('The same version was deployed again');
  });

  test.each(['was stopped', 'died'])(
    '"Deploy again" works although the process that asked for the deploy %s',
    async (how) => {
      const { studio, run } = await lost();
      if (how === 'died') run.kill();
      else await run.stop();
      const next = await studio.run();
      await next.press('Deploy again');
      await until(() => studio.simulator.deployments.size === 1, 'the deployment');
      await until(
        () =>
          JSON.stringify(studio.chat.messages[0]?.message).includes('The same version was deployed again'),
        'the first card to say so',
      );
      expect(studio.deploys()).toBe(2);
    },
  );

  test('"Deploy again" can be pressed again if Edgegap refused the deploy', async () => {
    const { studio, run } = await lost();
    const first = () => JSON.stringify(studio.chat.messages[0]?.message);
    deployFails(studio, { kind: 'too-many-requests', retryAfter: 0 }, 3);
    await run.press('Deploy again');
    await studio.shown('Not deployed');
    await until(() => first().includes('Deploy again'), 'the button');
    expect(first()).not.toContain('The same version was deployed again');
    await run.press('Deploy again');
    await until(() => studio.simulator.deployments.size === 1, 'the deployment');
    await until(() => first().includes('The same version was deployed again'), 'the first card to say so');
    expect(studio.simulator.deployments.size).toBe(1);
  });

  test('"Deploy again" does nothing if the lost deployment was found in the meantime', async () => {
    const { studio, run } = await lost();
    const button = studio.chat.messages[0]?.message;
    const urls = studio.webhooks();
    // In this test, a different deployment of the account represents the deployment that the bot finds later.
    deployFails(studio, { kind: 'cannot-allocate' });
    const body = { request_id: 'abcdef123456', current_status: 'Status.READY', fqdn: 'late.example' };
    expect(await callBack(urls.ready, body)).toBe(200);
    await studio.shown('did start after all');
    await studio.shown('is ready');
    await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('late.example'));
    const card = studio.chat.messages[0];
    if (card && button) card.message = button;
    await run.press('Deploy again').catch(() => undefined);
    expect(studio.deploys()).toBe(1);
    expect(`${studio.privately} ${studio.chat.texts}`).toMatch(/did start after all/);
  });
});

describe('a deploy whose outcome is known', () => {
  test('if Edgegap refuses a deploy with 422, the deployment that Edgegap leaves behind is shown as failed', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    deployFails(studio, { kind: 'cannot-allocate', message: 'No room in Montreal' });
    await run.say(DEPLOY);
    // If the error callback arrives before the answer, the card shows Edgegap's own words.
    const line = await studio.shown(/ failed: (Edgegap found no room|No room in Montreal)/);
    await studio.shown('No room in Montreal');
    const [id = ''] = studio.simulator.deployments.keys();
    expect(JSON.stringify(line.message)).toContain(id);
    await until(() => studio.simulator.callbacks[0]?.outcome === 'answered');
    await until(() => JSON.stringify(studio.chat.messages[0]?.message).includes('Stop'));
    await run.press('Stop');
    studio.chat.add({ ...stopCard(id) }, line.to);
    await run.press('Stop it');
    await studio.shown(' stopped');
    expect(studio.count(' failed: ')).toBe(1);
    expect(studio.deploys()).toBe(1);
  });

  test('if the answer to a deploy contains a NUL character, the answer is still stored and reported', async () => {
    const studio = await openStudio({ callbacks: false });
    const run = await studio.run();
    deployFails(studio, { kind: 'cannot-allocate', message: 'No\u0000 room in Montreal' });
    await run.say(DEPLOY);
    await studio.shown(/ failed: Edgegap found no room/);
  });

  test('if Edgegap answers a deploy with 429, the bot waits and sends the deploy again', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    deployFails(studio, { kind: 'too-many-requests', retryAfter: 3 }, 2);
    await run.say(DEPLOY);
    await studio.shown('is ready');
    expect(studio.simulator.deployments.size).toBe(1);
    expect(studio.deploys()).toBe(3);
  });

  test('if Edgegap refuses the connection, the deploy counts as not sent', async () => {
    const studio = await openStudio();
    const run = await studio.run();
    // After a first deploy, the bot knows the applications. Then Edgegap becomes unreachable.
    await run.say(DEPLOY);
    await studio.simulator.close();
    await run.say(DEPLOY);
    await studio.shown('Nothing was sent');
    await studio.shown('Not deployed');
    expect(studio.count('may have started')).toBe(0);
    expect(studio.deploys()).toBe(1);
  });
});

function stopCard(id: string) {
  return {
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
}
