import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Plans } from '../../src/bulk/plans.ts';
import { carryingOut } from '../../src/bulk/work.ts';
import type { EdgegapApi } from '../../src/edgegap/client.ts';
import { openWatch } from '../deployments/watch.ts';

const HERE = { platform: 'memory', workspace: 'w', channel: 'c' };
const order = {
  command: 'bulk-stop',
  change: { kind: 'stop' },
  filter: {},
  words: '',
  asker: { id: 'ann', name: 'Ann', at: HERE },
} as const;
type Waiting = 'list' | 'status' | 'stopMany';

/**
 * A plan for r1 and r2, and a process that carries out the plan. The process's next call `waiting` gets its answer only
 * when the test calls `goOn`.
 */
async function slowProcess(waiting: Waiting, isReady: boolean) {
  const watch = await openWatch();
  const { store, clock, deployments, statuses } = watch;
  const plans = new Plans({ store, clock, account: 'a', conclude: async () => undefined });
  const id = await plans.create(
    order,
    ['r1', 'r2'].map((request_id) => ({ request_id, cells: [] })),
  );
  await plans.confirm(id, 'i', { ...HERE, message: '1' });
  for (const request_id of ['r1', 'r2']) {
    statuses.set(request_id, isReady ? 'READY' : 'DEPLOYING');
    watch.listed.push({ request_id, ready: isReady });
  }
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  /** Edgegap as a process sees it. The slow process gets its answers even if it has given up the calls. */
  const edgegap = (isSlow: boolean): EdgegapApi => {
    const pause = async (call: Waiting) => {
      if (!isSlow || call !== waiting) return;
      reached.resolve();
      await gate.promise;
    };
    return {
      ...watch.edgegap,
      async *allDeployments() {
        await pause('list');
        yield* watch.edgegap.allDeployments();
      },
      async status(request_id) {
        const status = await watch.edgegap.status(request_id);
        await pause('status');
        return status;
      },
      async stopMany(ids) {
        await pause('stopMany');
        for (const request_id of ids) statuses.set(request_id, 'TERMINATED');
        return { taken: [...ids], perhaps: [] };
      },
    };
  };
  const work = async (isSlow: boolean, signal: AbortSignal) => {
    const account = { api: edgegap(isSlow), deployments, plans, clock, beforeStop: async () => undefined };
    const kind = carryingOut({ accountOf: () => account, readOnly: false, log: pino({ level: 'silent' }) });
    await kind.run({ key: 'a', account: 'a', payload: undefined, signal });
  };
  const doubt = new AbortController();
  const run = work(true, doubt.signal).catch((error: unknown) => error);
  await reached.promise;
  return {
    doubt,
    nextProcess: () => work(false, new AbortController().signal),
    async goOn() {
      gate.resolve();
      return await run;
    },
    states: async () => (await plans.items(id)).map(({ state }) => state),
    running: async () => (await plans.running()).length,
    card: watch.card,
  };
}

const waits: [Waiting, boolean][] = [
  ['list', true],
  ['status', false],
  ['stopMany', true],
];

test.each(waits)(
  'if a process has possibly lost its claim on a bulk plan, it changes nothing after its call %s is answered',
  async (waiting, isReady) => {
    const slow = await slowProcess(waiting, isReady);
    slow.doubt.abort();
    await slow.nextProcess();
    const card = await slow.card();
    expect(card).toContain('Stopped 2 servers');
    expect(await slow.goOn()).toBe(slow.doubt.signal.reason);
    expect(await slow.states()).toEqual(['done', 'done']);
    expect(await slow.running()).toBe(0);
    expect(await slow.card()).toBe(card);
  },
);

test.each(waits)(
  'if a process has lost a bulk plan without noticing, it overwrites no result after its call %s is answered',
  async (waiting, isReady) => {
    const slow = await slowProcess(waiting, isReady);
    await slow.nextProcess();
    const card = await slow.card();
    await slow.goOn();
    expect(await slow.states()).toEqual(['done', 'done']);
    expect(await slow.running()).toBe(0);
    expect(await slow.card()).toBe(card);
  },
);
