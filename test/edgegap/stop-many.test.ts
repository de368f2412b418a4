import { describe, expect, it } from 'vitest';
import { caught, failure, rig, settled } from './harness.ts';
import { json, type Step, text } from './scripted-server.ts';

const ids = (count: number) => Array.from({ length: count }, (_, n) => `d${n}`);
const taking = (...taken: string[]) =>
  json(202, { processable: taken.map((request_id) => ({ request_id })) });
/** The answer in which Edgegap accepts the stop of every requested deployment. */
const takingAll: Step = (response, request) => taking(...valuesOf(request.body))(response, request);
const valuesOf = (body: string): string[] => JSON.parse(body).filters[0].values;

describe('a stop of several deployments', () => {
  it('a stop of several deployments names each deployment once, by its request_id', async () => {
    await using it = await rig();
    it.server.otherwise(takingAll);
    expect(await it.client.stopMany(['a', 'b', 'a'])).toEqual({ taken: ['a', 'b'], perhaps: [] });
    expect(it.server.lines).toEqual(['POST /v1/deployments/bulk-stop']);
    expect(JSON.parse(it.server.seen[0]?.body ?? '')).toEqual({
      filters: [{ field: 'request_id', values: ['a', 'b'], filter_type: 'any' }],
    });
  });

  it('in a stop of several deployments, a deployment counts as accepted only if it was requested and Edgegap confirms it', async () => {
    await using it = await rig();
    it.server.script(taking('foreign', 'b'), taking());
    expect(await it.client.stopMany(['a', 'b'])).toEqual({ taken: ['b'], perhaps: [] });
    expect(await it.client.stopMany(['a'])).toEqual({ taken: [], perhaps: [] });
  });

  it('a deployment that is missing in the answer to a repeated stop counts as possibly stopped by the first attempt', async () => {
    await using it = await rig();
    it.server.script(json(500, {}), taking('b'), json(429, {}), taking('b'));
    const ask = () => settled(it.clock, it.client.stopMany(['a', 'b']));
    expect(await ask()).toEqual({ taken: ['b'], perhaps: ['a'] });
    expect(await ask()).toEqual({ taken: ['b'], perhaps: [] });
  });

  it('if the list of deployments to stop is empty, no request is sent', async () => {
    await using it = await rig();
    expect(await it.client.stopMany([])).toEqual({ taken: [], perhaps: [] });
    expect(it.server.seen).toEqual([]);
  });

  it('more than 100 deployments are stopped in several batches', async () => {
    await using it = await rig();
    it.server.otherwise(takingAll);
    expect((await it.client.stopMany(ids(201))).taken).toEqual(ids(201));
    expect(it.server.seen.map(({ body }) => valuesOf(body).length)).toEqual([100, 100, 1]);
  });

  it('if a batch of a large stop fails after an earlier batch was accepted, the outcome of the whole stop is unknown', async () => {
    await using it = await rig();
    it.server.script(takingAll, json(401, {}), json(401, {}));
    const error = await failure(it.client.stopMany(ids(101)));
    expect(error).toMatchObject({ code: 'edgegap-unauthorized', outcome: 'unknown' });
    expect(await failure(it.client.stopMany(ids(101)))).toMatchObject({ outcome: 'not-done' });
  });

  it('if a large stop is aborted between two batches, the error says that some deployments were possibly stopped', async () => {
    await using it = await rig();
    const reason = new Error('the person left');
    const stopped = new AbortController();
    it.server.otherwise(takingAll);
    let leaves = 0;
    const mayLeave = () => {
      if (++leaves === 3) stopped.abort(reason);
      stopped.signal.throwIfAborted();
    };
    const error = await failure(it.client.stopMany(ids(101), { mayLeave }));
    expect(error).toMatchObject({ code: 'edgegap-aborted', outcome: 'unknown', cause: reason });
    expect(it.server.seen).toHaveLength(1);
    expect(await caught(it.client.stopMany(ids(1), { signal: stopped.signal }))).toBe(reason);
  });

  it.each([json(202, {}), json(202, { processable: [{ id: 'a' }] }), text(202, 'done')])(
    'if the answer does not name the accepted deployments, the outcome of a stop of several deployments is unknown (%#)',
    async (step) => {
      await using it = await rig();
      it.server.script(step);
      const error = await failure(it.client.stopMany(['a']));
      expect(error).toMatchObject({ code: 'edgegap-unreadable', outcome: 'unknown' });
    },
  );
});
