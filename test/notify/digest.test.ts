import { describe, expect, test } from 'vitest';
import { fits as fitsDiscord, renderMessage } from '../../src/adapters/discord/render.ts';
import { fitsWhole as fitsSlack, render as renderSlack } from '../../src/adapters/slack/render.ts';
import type { Inline, Line } from '../../src/chat/card.ts';
import { digestOf, fold } from '../../src/notify/digest.ts';
import { countOutbox, reportOutbox } from '../../src/notify/report.ts';
import { fromRow, type OutboxRow } from '../../src/notify/row.ts';
import { until } from '../support/test-clock.ts';
import { card, type Desk, drained, here, line, openDesk } from './harness.ts';
import { closed, refusedForGood, tooFast } from './memory-chat.ts';

/** The row for a line about a ready server with a long name and this number of ports. */
function ready(n: number, ports: number): OutboxRow {
  const id = `93924761c${String(n).padStart(3, '0')}`;
  const links = Array.from({ length: ports }, (_, port): Inline[] => [
    port === 0 ? ': ' : ' · ',
    { code: `${id}.pr.edgegap.net:${31_000 + port}` },
  ]).flat();
  const line: Line = {
    kind: 'line',
    tone: 'success',
    text: [
      { mention: '123456789012345678', name: 'Ada Lovelace' },
      ' ',
      { bold: 'kart_racing-dedicated v1.2.345' },
      ' ',
      { code: id },
      ' is ready',
      ...links,
    ],
  };
  return fromRow({
    id: n,
    order_key: `d${n}`,
    kind: 'post',
    platform: 'p',
    workspace: 'w',
    channel: 'c',
    thread: null,
    person: null,
    target_json: null,
    message_json: JSON.stringify(line),
    also_to_channel: 0,
    urgent: 0,
    key: `k${n}`,
    sent_key: null,
    state: 'pending',
    holder: null,
    uncertain: 0,
    attempts: 0,
    attempted_at: null,
    next_at: 0,
    created_at: 0,
    sent_at: null,
    reason_code: null,
    reason: null,
  });
}

describe.each([
  ['Discord', fitsDiscord, (line: Line) => JSON.stringify(renderMessage(line))],
  ['Slack', fitsSlack, (line: Line) => JSON.stringify(renderSlack(line).blocks)],
] as const)('a digest on %s', (_, fits, rendered) => {
  test.each([1, 4, 8, 16, 40])(
    'a digest of lines about servers with %i ports each shows every line in full',
    (ports) => {
      const rows = Array.from({ length: 30 }, (_, n) => ready(n, ports));
      const folded = fold(rows, fits);
      expect(folded.length).toBeGreaterThan(1);
      const shown = rendered(digestOf(folded));
      for (const n of folded.keys()) {
        const id = `93924761c${String(n).padStart(3, '0')}`;
        expect(shown).toContain(`${id}.pr.edgegap.net:${31_000 + ports - 1}`);
      }
    },
  );

  test('if the first waiting line alone fills a message, the digest contains only that line', () => {
    const rows = Array.from({ length: 5 }, (_, n) => ready(n, 90));
    expect(fold(rows, fits)).toHaveLength(1);
  });
});

const all = 'server 1\nserver 2\nserver 3\nserver 4';

/** Queues four lines, each about a different deployment. */
async function four(desk: Desk): Promise<void> {
  for (let n = 1; n <= 4; n++) await desk.post(`d${n}`, `server ${n}`);
}

/** A digest of four lines whose first delivery attempt fails with `error`. */
async function waiting(error: Error, options: Parameters<typeof openDesk>[0] = {}): Promise<Desk> {
  const desk = await openDesk(options);
  desk.chat.fail('post', { error });
  await four(desk);
  await desk.worker.start();
  await desk.settle();
  return desk;
}

describe('a digest that waits to be sent again', () => {
  test('while a digest waits for a retry, later lines about its deployments wait, but edits of the cards do not', async () => {
    const desk = await waiting(tooFast());
    const target = desk.chat.add(card('Ready'), here);
    await desk.post('d3', 'server 3 terminated');
    await desk.edit('d3', target, 'Terminated');
    await desk.post('d5', 'server 5');
    await desk.settle();
    expect(desk.chat.texts).toEqual(['Terminated', 'server 5']);
    await drained(desk, 1_000);
    expect(desk.chat.texts.slice(2)).toEqual([all, 'server 3 terminated']);
  });

  test('no lines are added to a digest that waits to be sent again', async () => {
    const desk = await waiting(tooFast(5_000), { paceMs: 1_000 });
    for (let n = 5; n <= 8; n++) await desk.post(`d${n}`, `server ${n}`);
    await drained(desk, 1_000);
    expect(desk.chat.texts.toSorted()).toEqual([all, 'server 5\nserver 6\nserver 7\nserver 8']);
  });

  test('for a digest that waits for a retry, the outbox report lists each line with the reason', async () => {
    const desk = await waiting(tooFast());
    expect(await countOutbox(desk.store)).toEqual({ waiting: 4, failing: 4, undelivered: 0 });
    const [, , ...rows] = await reportOutbox(desk.store);
    expect(rows).toHaveLength(4);
    for (const [index, row] of rows.entries())
      expect(row).toMatch(
        new RegExp(`^waiting +post +memory general +d${index + 1} .* 1 +2.* chat-too-fast: Too fast\\.$`),
      );
    await drained(desk, 1_000);
    expect(await countOutbox(desk.store)).toEqual({ waiting: 0, failing: 0, undelivered: 0 });
    expect(await reportOutbox(desk.store)).toHaveLength(1);
  });

  test('if a digest cannot be posted until a person repairs the cause, each person mentioned in a line gets one direct message', async () => {
    const desk = await openDesk();
    desk.chat.fail('post', { error: closed() }, 2);
    await four(desk);
    await desk.post('d5', '', {
      message: { ...line(''), text: [{ mention: 'u1', name: 'Ana' }, ' server 5'] },
    });
    await desk.worker.start();
    await drained(desk, 60_000);
    expect(desk.chat.told.map(({ text }) => text)).toEqual([
      'u1 server 5\nI cannot post this in general: The thread is closed.',
    ]);
    expect(desk.chat.texts).toEqual([`${all}\nu1 server 5`]);
  });

  test('if a line of a waiting digest is a day old, the line is given up, and the other lines are sent separately', async () => {
    const HOUR = 60 * 60_000;
    const desk = await openDesk();
    await desk.post('d0', 'server 0');
    await desk.clock.advance(22 * HOUR);
    await four(desk);
    await desk.clock.advance(1.5 * HOUR);
    desk.chat.fail('post', { error: tooFast(45 * 60_000) });
    await desk.worker.start();
    await desk.settle();
    expect(desk.chat.calls).toEqual([`post server 0\n${all}`]);
    await drained(desk, 60_000);
    expect(desk.chat.texts).toEqual(all.split('\n'));
    const rows = desk.store
      .selectFrom('outbox')
      .select(['state', 'reason_code'])
      .where('state', '!=', 'sent');
    expect(await rows.execute()).toEqual([{ state: 'dead', reason_code: 'chat-too-fast' }]);
  });

  test('if a process takes over a digest from a dead process, the process first checks whether the digest was shown', async () => {
    for (const shown of [true, false]) {
      const desk = await openDesk();
      let alive = true;
      const inner = desk.chat.adapter();
      const dying = desk.next([
        {
          ...inner,
          async post(to, outgoing) {
            if (shown) await inner.post(to, outgoing);
            alive = false;
            return await new Promise<never>(() => undefined);
          },
        },
      ]);
      await four(desk);
      await dying.start();
      await until(() => !alive, 'the process to die');
      void dying.stop();
      desk.worker = desk.next();
      await desk.worker.start();
      await drained(desk, 1_000);
      expect(desk.chat.texts).toEqual([all]);
    }
  });
});

describe('lines of a digest that an earlier version sent with an unknown outcome', () => {
  async function fromBefore(desk: Desk): Promise<void> {
    await four(desk);
    await desk.store
      .updateTable('outbox')
      .set({ uncertain: 1, attempts: 1, attempted_at: desk.clock.now(), sent_key: '0123456789d' })
      .execute();
  }

  test('after an update of the bot, lines of an earlier digest are not sent again if the digest was shown', async () => {
    const desk = await openDesk();
    await fromBefore(desk);
    await desk.chat.adapter().post(here, { message: line(all), key: '0123456789d' });
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual([all]);
  });

  test('after an update of the bot, lines of an earlier digest are sent separately if the digest was not shown', async () => {
    const desk = await openDesk();
    await fromBefore(desk);
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual(all.split('\n'));
  });

  test('after an update, if the bot cannot check whether an earlier digest was shown, its lines say "possibly repeated"', async () => {
    const desk = await openDesk({ supports: { idempotentPosts: true } });
    desk.chat.fail('find', { error: refusedForGood() }, 4);
    await fromBefore(desk);
    await desk.worker.start();
    await drained(desk, 1_000);
    expect(desk.chat.texts).toEqual(all.split('\n').map((text) => `${text} (possibly repeated)`));
  });
});
