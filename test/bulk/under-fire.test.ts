import { expect, test } from 'vitest';
import { phase } from '../command/harness.ts';
import { until } from '../support/test-clock.ts';
import { elsewhere, openStudio, type Studio, timesSent } from './harness.ts';

const isStopped = ({ simulator }: Studio, ids: readonly string[]) =>
  until(() => ids.every((id) => phase(simulator, id) === 'TERMINATED'), 'the servers to end');

test('a server that has changed since a "bulk-stop" was planned is left out, and the card names the server', async () => {
  const studio = await openStudio();
  const { simulator } = studio;
  const ids = await studio.servers(6, 'qa');
  await studio.servers(1, 'other');
  const [ended = '', forgotten = '', untagged = '', failed = '', ...rest] = ids;
  await studio.plan('bulk-stop', { tag: 'qa' });
  simulator.terminate(ended);
  simulator.forget(forgotten);
  await elsewhere(studio, 'DELETE', `/v1/deployments/${untagged}/tags/qa`);
  simulator.fail(failed, 'The server crashed.');
  const [started = ''] = await studio.servers(1, 'qa');
  await studio.press('Stop 6 servers');
  const { text } = await studio.shown('Stopped 2 of 6 servers, 4 left out');
  for (const id of [ended, forgotten]) expect(text).toContain(`${id}: the server has ended`);
  expect(text).toContain(`${untagged}: the server no longer has the tag qa`);
  expect(text).toContain(`${failed}: the status is now Failed`);
  await isStopped(studio, rest);
  expect(studio.sent().map((one) => one.toSorted())).toEqual([rest.toSorted()]);
  for (const id of [untagged, started]) expect(phase(simulator, id)).toBe('READY');
});

test('"bulk-stop" does not stop a server that no longer has the status in the filter', async () => {
  const studio = await openStudio();
  const [recovers = '', stays = ''] = await studio.servers(2, 'qa');
  for (const id of [recovers, stays]) studio.simulator.fail(id, 'The server crashed.');
  await studio.plan('bulk-stop', { status: 'error' });
  studio.simulator.deployments.get(recovers)?.history.push({ phase: 'READY', at: 0 });
  await studio.press('Stop 2 servers');
  const { text } = await studio.shown('Stopped 1 of 2 servers, 1 left out');
  expect(text).toContain(`${recovers}: the status is now Ready`);
  expect(studio.sent()).toEqual([[stays]]);
});

test('if Edgegap does not accept the stop of one server of a "bulk-stop", a person can try that server again', async () => {
  const studio = await openStudio();
  const [first = '', second = ''] = await studio.servers(2, 'qa');
  await studio.servers(1, 'other');
  studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'not-processable', request_ids: [first] });
  await studio.plan('bulk-stop', { tag: 'qa' });
  await studio.press('Stop 2 servers');
  const { text } = await studio.shown('Stopped 1 of 2 servers, 1 failed');
  expect(text).toContain(`${first}: Edgegap did not accept the stop`);
  await studio.press('Retry stopping 1 server');
  await until(
    async () =>
      (await studio.driver.privately('operator')).some((one) => one.text.includes('Stop 1 server?')),
    'the new plan',
  );
  await studio.press('Stop 1 server');
  await studio.shown(/Stopped 1 server(?!,)/);
  await isStopped(studio, [first, second]);
  expect(studio.sent().at(-1)).toEqual([first]);
});

test('if all failed servers have ended in the meantime, "Try again" makes no plan, and the card says that the servers have ended', async () => {
  const studio = await openStudio();
  const [id = ''] = await studio.servers(1, 'qa');
  await studio.servers(1, 'other');
  studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'not-processable', request_ids: [id] });
  await studio.plan('bulk-stop', { tag: 'qa' });
  await studio.press('Stop 1 server');
  await studio.shown('Stopped 0 of 1 server, 1 failed');
  studio.simulator.terminate(id);
  await isStopped(studio, [id]);
  await studio.press('Retry stopping 1 server');
  const answer = await until(
    async () =>
      (await studio.driver.privately('operator')).find((one) => one.text.includes('left to try again')),
    'the answer',
  );
  expect(answer.text).toMatch(/Nothing was stopped\. The reason: the server has ended\./);
  const card = await studio.shown('Stopped 0 of 1 server, 1 left out');
  expect(card.text).toContain(`${id}: the server has ended`);
  expect(card.buttons).toEqual([]);
});

test('if Edgegap answers a batch of a "bulk-stop" with server errors, only this batch counts as failed', async () => {
  const studio = await openStudio();
  const ids = await studio.servers(205, 'qa');
  await studio.servers(1, 'other');
  await studio.plan('bulk-stop', { tag: 'qa' });
  // The bot sends each request up to three times. Edgegap does not carry out the second batch. It carries out the third
  // batch, but answers with an error.
  const failing = (when: 'before' | 'after') =>
    studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'server-error', when }, 3);
  studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when: 'after', ms: 1 });
  failing('before');
  failing('after');
  await studio.press('Stop 205 servers');
  const card = await studio.shown('Stopped 105 of 205 servers, 100 failed');
  expect(card.text).toContain('and 90 more');
  const file = await until(
    async () => (await studio.driver.channel()).flatMap(({ files }) => files)[0],
    'the file in the thread of the card',
  );
  expect(file.name).toBe('bulk-stop-result.txt');
  expect(file.content).toContain('request_id\tapplication\tresult\treason\n');
  expect(file.content.match(/\tfailed\t/g)).toHaveLength(100);
  const running = ids.filter((id) => phase(studio.simulator, id) === 'READY');
  expect(running).toHaveLength(100);
  await studio.press('Retry stopping 100 servers');
  await until(
    async () =>
      (await studio.driver.privately('operator')).some(({ text }) => text.includes('Stop 100 servers?')),
    'the new plan',
  );
  await studio.press('Stop 100 servers');
  await studio.shown(/Stopped 100 servers/);
  await isStopped(studio, ids);
});

test('if Edgegap does not answer about one server of a "bulk-stop", that server fails, and the others are stopped', async () => {
  const studio = await openStudio();
  const { simulator } = studio;
  const [silent = '', asked = ''] = await studio.servers(2, 'qa');
  // Edgegap's list does not show a failed server as ready, so the bot reads the status of each of the two servers.
  for (const id of [silent, asked]) simulator.fail(id, 'The server crashed.');
  await studio.plan('bulk-stop', { status: 'error' });
  simulator.faults.next(
    { endpoint: 'status', request_id: silent },
    { kind: 'server-error', when: 'before' },
    3,
  );
  await studio.press('Stop 2 servers');
  const { text } = await studio.shown('Stopped 1 of 2 servers, 1 failed');
  expect(text).toMatch(new RegExp(`${silent}: .*Edgegap`));
  expect(studio.sent()).toEqual([[asked]]);
});

test('if the answer to a "bulk-stop" is lost and the servers then end, the bot counts the servers as stopped by the command', async () => {
  const studio = await openStudio();
  const ids = await studio.servers(3, 'qa');
  await studio.servers(1, 'other');
  await studio.plan('bulk-stop', { tag: 'qa' });
  studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'server-error', when: 'after' });
  studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when: 'before', ms: 5_000 });
  await studio.press('Stop 3 servers');
  await until(() => studio.sent().length === 2, 'the second request');
  for (const id of ids) studio.simulator.terminate(id);
  await studio.shown(/Stopped 3 servers(?!,)/);
});

test.each(['before', 'after'] as const)(
  'if a process is killed during a "bulk-stop", %s a batch is stopped, the next process stops the remaining servers',
  async (when) => {
    const studio = await openStudio();
    const ids = await studio.servers(150, 'qa');
    await studio.servers(1, 'other');
    await studio.plan('bulk-stop', { tag: 'qa' });
    studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when: 'after', ms: 1 });
    studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when, ms: 3_600_000 });
    await studio.press('Stop 150 servers');
    await until(() => studio.sent().length === 2, 'the second batch');
    const [first = []] = studio.sent();
    await studio.process.kill();
    studio.process = await studio.start();
    await studio.shown('Stopped 150 servers');
    await isStopped(studio, ids);
    const times = timesSent(studio.sent());
    expect([...times.keys()].toSorted()).toEqual(ids.toSorted());
    for (const id of first) expect(times.get(id)).toBe(1);
    const again = when === 'before' ? 2 : 1;
    expect(ids.filter((id) => times.get(id) === again && !first.includes(id))).toHaveLength(50);
  },
);

test('if a process is shut down during a "bulk-stop", the next process stops the remaining servers', async () => {
  const studio = await openStudio();
  const ids = await studio.servers(150, 'qa');
  await studio.servers(1, 'other');
  await studio.plan('bulk-stop', { tag: 'qa' });
  studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when: 'after', ms: 1 });
  studio.simulator.faults.next({ endpoint: 'stopMany' }, { kind: 'slow', when: 'before', ms: 3_600_000 });
  await studio.press('Stop 150 servers');
  await until(() => studio.sent().length === 2, 'the second batch');
  await studio.process.app.stop();
  studio.process = await studio.start();
  await studio.shown('Stopped 150 servers');
  await isStopped(studio, ids);
});

test('if two people confirm a "bulk-stop" of the same servers, each server is stopped once', async () => {
  const studio = await openStudio();
  await studio.driver.regroup('reader', ['operators']);
  const ids = await studio.servers(120, 'qa');
  await studio.servers(1, 'other');
  await studio.plan('bulk-stop', { tag: 'qa' });
  await studio.plan('bulk-stop', { tag: 'qa' }, 'reader');
  await Promise.all([studio.press('Stop 120 servers'), studio.press('Stop 120 servers', 'reader')]);
  const cards = () => studio.driver.channel();
  await until(
    async () =>
      (await cards()).filter(({ text }) => /Stopped \d+ (?:of \d+ )?servers?/.test(text)).length === 2,
    'both cards',
  );
  const counts = (await cards()).map(({ text }) => Number(/Stopped (\d+)/.exec(text)?.[1] ?? 0));
  expect(counts.reduce((sum, count) => sum + count)).toBe(120);
  await isStopped(studio, ids);
  expect([...timesSent(studio.sent()).values()].every((times) => times === 1)).toBe(true);
});

test('if a process is killed before it stores a confirmed "bulk-stop", no server is stopped, and the card says so', async () => {
  const studio = await openStudio();
  const [id = ''] = await studio.servers(1, 'qa');
  await studio.servers(1, 'other');
  await studio.plan('bulk-stop', { tag: 'qa' });
  studio.process.stopAfter('postCard');
  void studio.press('Stop 1 server').catch(() => undefined);
  await until(() => studio.process.standing() === 1, 'the card');
  await studio.process.kill();
  studio.process = await studio.start();
  const told = async () => (await studio.driver.privately('operator')).map(({ text }) => text).join('\n');
  await until(async () => (await told()).includes('Nothing was stopped. Ask again.'), 'the answer');
  expect(await told()).not.toContain('Stop 1 server?');
  await studio.shown('Stop 1 server: not begun yet');
  expect(studio.sent()).toEqual([]);
  await studio.plan('bulk-stop', { tag: 'qa' });
  await studio.press('Stop 1 server');
  await studio.shown('Stopped 1 server');
  await isStopped(studio, [id]);
});

test('if a person confirms a "bulk-stop" twice at the same moment, the servers are stopped once', async () => {
  const studio = await openStudio();
  const ids = await studio.servers(3, 'qa');
  await studio.servers(1, 'other');
  await studio.plan('bulk-stop', { tag: 'qa' });
  studio.process.stopAfter('postCard');
  for (let n = 0; n < 2; n++) void studio.press('Stop 3 servers').catch(() => undefined);
  await until(() => studio.process.standing() > 0, 'a card');
  studio.process.stopAfter(undefined);
  studio.process.goOn();
  await studio.shown('Stopped 3 servers');
  await isStopped(studio, ids);
  expect(studio.sent()).toHaveLength(1);
  const channel = (await studio.driver.channel()).map(({ text }) => text).join('\n');
  expect(channel).not.toContain('not begun yet');
});
