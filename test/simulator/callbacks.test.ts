import { expect, test } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { until } from '../support/test-clock.ts';
import { hooks, order, receive, simulate, TO_READY } from './harness.ts';

const settled = (simulator: Simulator, count: number) =>
  until(
    () =>
      simulator.callbacks.length >= count &&
      simulator.callbacks.every(({ outcome }) => outcome !== 'pending'),
    `${count} callbacks`,
  );

test('the Edgegap simulator posts each event once, to the right URL, with the status at that moment', async () => {
  const { clock, simulator, call, ready } = await simulate();
  const receiver = await receive();
  const id = await ready(hooks(receiver));
  await settled(simulator, 1);
  await call('DELETE', `/v1/stop/${id}`);
  await clock.advance(TO_READY);
  await settled(simulator, 2);
  expect(receiver.received.map(({ path }) => path)).toEqual(['/ready', '/terminated']);
  const [first, second] = receiver.received.map(({ text }) => JSON.parse(text));
  expect(first).toMatchObject({ request_id: id, current_status: 'Status.READY', running: true });
  expect(second).toMatchObject({ request_id: id, current_status: 'Status.TERMINATED', running: false });
  expect(simulator.callbacks).toMatchObject([
    { event: 'ready', outcome: 'answered', status: 200 },
    { event: 'terminated', outcome: 'answered', status: 200 },
  ]);
});

test('the Edgegap simulator sends an error callback for a failed server and for a refused deploy', async () => {
  const { clock, simulator, call, ready } = await simulate();
  const receiver = await receive();
  const id = await ready(hooks(receiver));
  await settled(simulator, 1);
  simulator.fail(id, 'Gone');
  const refused = order({ application: 'trouble', version: 'no-capacity', ...hooks(receiver) });
  await call('POST', '/v2/deployments', refused);
  await clock.advance(1000);
  await settled(simulator, 3);
  const errors = receiver.received
    .filter(({ path }) => path === '/error')
    .map(({ text }) => JSON.parse(text));
  expect(errors.map(({ error, error_detail }) => [error, error_detail]).sort()).toEqual([
    [true, 'Gone'],
    [true, 'No edge server has room for this deployment'],
  ]);
});

test('if a deploy gives no URL for an event, the Edgegap simulator sends no callback for the event', async () => {
  const { clock, simulator, ready } = await simulate();
  const receiver = await receive();
  const id = await ready({ webhook_on_terminated: { url: `${receiver.url}/only` } });
  expect(simulator.callbacks).toEqual([]);
  simulator.terminate(id);
  await clock.advance(1000);
  await settled(simulator, 1);
  expect(receiver.received.map(({ path }) => path)).toEqual(['/only']);
});

test('the Edgegap simulator does not repeat a callback that gets no answer within 10 seconds', async () => {
  const { clock, simulator, deploy } = await simulate();
  const receiver = await receive({ silent: true });
  const id = await deploy({ webhook_on_error: { url: receiver.url } });
  simulator.fail(id, 'x');
  await clock.advance(150);
  await until(() => receiver.received.length === 1);
  await clock.advance(9_900);
  expect(simulator.callbacks[0]?.outcome).toBe('pending');
  await clock.advance(200);
  await settled(simulator, 1);
  await clock.advance(60_000);
  expect([simulator.callbacks[0]?.outcome, receiver.received.length]).toEqual(['timed out', 1]);
});

test('the Edgegap simulator does not repeat a callback if its URL is unreachable', async () => {
  const { simulator, ready } = await simulate();
  await ready({ webhook_on_ready: { url: 'http://127.0.0.1:1/nobody' } });
  await settled(simulator, 1);
  expect(simulator.callbacks[0]?.outcome).toBe('failed');
});

test('with the simulator\'s fault "drop", a callback does not arrive', async () => {
  const { simulator, ready } = await simulate();
  const receiver = await receive();
  simulator.faults.next({ callback: 'ready' }, { kind: 'drop' });
  await ready(hooks(receiver));
  expect(simulator.callbacks.map(({ outcome }) => outcome)).toEqual(['dropped']);
  expect(receiver.received).toEqual([]);
});

test('with the simulator\'s fault "double", a callback arrives twice', async () => {
  const { simulator, ready } = await simulate();
  const receiver = await receive();
  simulator.faults.next({ callback: 'any' }, { kind: 'double' });
  await ready(hooks(receiver));
  await settled(simulator, 2);
  expect(receiver.received.length).toBe(2);
  expect(receiver.received[0]).toEqual(receiver.received[1]);
});

test('with the simulator\'s fault "late", a callback arrives later, with the status at the moment of the event', async () => {
  const { clock, simulator, ready } = await simulate();
  const receiver = await receive();
  simulator.faults.next({ callback: 'ready' }, { kind: 'late', ms: 90_000 });
  await ready(hooks(receiver));
  await clock.advance(60_000);
  expect(receiver.received).toEqual([]);
  await clock.advance(30_000);
  await settled(simulator, 1);
  expect(JSON.parse(receiver.received[0]?.text ?? '').elapsed_time).toBe(0);
});

test('with the simulator\'s fault "hold", a callback arrives after the next callback of the same deployment', async () => {
  const { clock, simulator, ready } = await simulate();
  const receiver = await receive();
  simulator.faults.next({ callback: 'ready' }, { kind: 'hold' });
  const id = await ready(hooks(receiver));
  const other = await ready(hooks(receiver));
  await until(() => receiver.received.length === 1);
  simulator.terminate(id);
  await clock.advance(1000);
  await settled(simulator, 3);
  const arrivals = receiver.received.map(({ path, text }) => [path, JSON.parse(text).request_id]);
  expect(arrivals).toEqual([
    ['/ready', other],
    ['/terminated', id],
    ['/ready', id],
  ]);
});

test('with the simulator\'s fault "unreadable", a callback of a single deployment has an unreadable body', async () => {
  const { simulator, deploy, ready } = await simulate();
  const receiver = await receive();
  const one = await deploy(hooks(receiver));
  simulator.faults.next({ callback: 'ready', request_id: one }, { kind: 'unreadable' });
  await ready(hooks(receiver));
  await settled(simulator, 2);
  const bodies = receiver.received.map(({ text }) => text);
  expect(bodies.filter((text) => text.endsWith('}')).length).toBe(1);
  expect(simulator.callbacks.every(({ outcome }) => outcome === 'answered')).toBe(true);
});
