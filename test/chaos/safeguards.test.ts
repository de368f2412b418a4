import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { enteredAt, phaseOf } from '../../src/simulator/deployment.ts';
import { type ChaosOptions, runChaos } from './chaos.ts';
import type { Sabotage } from './preload.ts';
import { type Ask, clearSky, type Kill } from './schedule.ts';
import type { Verdict } from './verdict.ts';

/** A case spends most of its time waiting. */
vi.setConfig({ testTimeout: 300_000, maxConcurrency: 3 });

let compiled: string;
beforeAll(async () => {
  compiled = await mkdtemp(join(tmpdir(), 'chatops-compiled-'));
});
afterAll(() => rm(compiled, { recursive: true, force: true }));

/** With this factor, a two-minute search for a deployment takes two seconds. */
const FACTOR = 60;

const deploys: Ask = {
  gapMs: 1,
  persona: 'operator',
  deed: { kind: 'deploy', application: 'lobby-chat', version: 'stable' },
  againAfterMs: null,
  double: false,
  blind: true,
};

const looks: Ask = {
  ...deploys,
  gapMs: 1_500,
  deed: { kind: 'about', name: 'status', pick: 0 },
  blind: false,
};

const kills: Kill = {
  gapMs: 0,
  asks: 0,
  victim: 0,
  signal: 'SIGKILL',
  early: true,
  moment: null,
  lagMs: 0,
  pauseMs: 0,
};

type Stage = Parameters<NonNullable<ChaosOptions['arrange']>>[0];

interface Case {
  readonly name: string;
  readonly without: readonly Sabotage[];
  readonly shows:
    | keyof Pick<Verdict, 'twice' | 'lost' | 'duplicated' | 'backwards' | 'unanswered'>
    | 'violation'
    | 'limit';
  /** The exact problem. Needed if a different problem of the same kind could also appear. */
  readonly problem?: RegExp;
  /** Whether the test also runs the case with all safeguards and expects no problem. */
  readonly controlled?: true;
  readonly platform?: ChaosOptions['platform'];
  readonly factor?: number;
  /** If true, two processes run on PostgreSQL. */
  readonly several?: true;
  readonly maxRunning?: number;
  readonly asks?: readonly Ask[];
  readonly kills?: readonly Kill[];
  readonly arrange?: (stage: Stage) => void;
}

const cases: readonly Case[] = [
  {
    name: 'a command that a platform delivers twice becomes a single invocation',
    without: [
      {
        file: 'src/command/invocations.ts',
        text: 'return new Set(inserted.map(({ id }) => id));',
        instead: 'return new Set(records.map(({ id }) => id));',
      },
      {
        // Without this safeguard, an invocation that is carried out twice would make two deployments.
        file: 'src/deployments/intent.ts',
        text: 'invocation_id: intent.invocationId,',
        instead: 'invocation_id: intent.invocationId + intent.id,',
      },
    ],
    shows: 'twice',
    // Discord sends each interaction once. Slack repeats an event until it is acknowledged.
    platform: 'slack',
    asks: [{ ...deploys, againAfterMs: 1 }],
  },
  {
    name: 'a deploy is never sent again after an unknown outcome',
    without: [
      {
        file: 'src/edgegap/transport.ts',
        text: 'const again = isRepeatable(request);',
        instead: 'const again = true;',
      },
    ],
    shows: 'twice',
    arrange: ({ simulator }) =>
      simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'after' }),
  },
  {
    name: 'a deploy with an unknown outcome is searched for by its tag',
    without: [
      {
        file: 'src/deployments/status-poll.ts',
        text: 'rows.find((row) => row.tags.includes(tag))',
        instead: 'undefined',
      },
    ],
    shows: 'lost',
    arrange({ simulator }) {
      simulator.faults.next({ endpoint: 'deploy' }, { kind: 'reset', when: 'after' });
      simulator.faults.next({ callback: 'any' }, { kind: 'drop' }, 9);
    },
  },
  {
    name: 'a deploy that a dead process left unfinished is searched for',
    without: [
      {
        file: 'src/deployments/schedule.ts',
        text: ".where('phase', '=', 'requesting')",
        instead: ".where('phase', '=', 'none')",
      },
    ],
    shows: 'lost',
    kills: [{ ...kills, moment: 'deploy' }],
    arrange: ({ simulator }) => void simulator.faults.next({ callback: 'any' }, { kind: 'drop' }, 9),
  },
  {
    name: 'an event without a callback is found by asking Edgegap',
    without: [{ file: 'src/deployments/reconciler.ts', text: 'await this.#checkDue();', instead: '' }],
    shows: 'lost',
    arrange: ({ simulator }) => void simulator.faults.next({ callback: 'any' }, { kind: 'drop' }, 9),
  },
  {
    name: 'an event that is found by asking is reported although a later event has already followed',
    without: [
      {
        file: 'src/deployments/repository.ts',
        text: 'if (!before.doubted) return',
        instead: 'if (before) return',
      },
      {
        file: 'src/deployments/status-poll.ts',
        text: 'if (doubted && !again) await this.#apply(deployment, seen(doubted));',
        instead: '',
      },
    ],
    shows: 'lost',
    arrange({ simulator }) {
      simulator.faults.next({ callback: 'any' }, { kind: 'drop' }, 9);
      when(() => {
        const ready = [...simulator.deployments.values()].find((one) => phaseOf(one) === 'READY');
        const since = ready && enteredAt(ready, 'READY');
        const asked = simulator.requests.some(
          ({ endpoint, at, status }) =>
            endpoint === 'status' && status === 200 && since !== undefined && at > since,
        );
        // The deployment terminates before the bot requests the status a second time.
        if (ready && asked) simulator.terminate(ready.request_id);
        return ready !== undefined && asked;
      });
    },
  },
  {
    name: 'each event is reported once',
    without: [
      {
        file: 'src/deployments/state.ts',
        text: 'const readyNow = ready && deployment.readyAt === undefined;',
        instead: 'const readyNow = ready;',
      },
    ],
    shows: 'duplicated',
    // Without this safeguard, each status poll of a ready server would report the event again.
    asks: [deploys, ...Array.from({ length: 7 }, () => looks)],
    // The kill waits until half of the requests have been sent.
    kills: [{ ...kills, asks: 4, early: false, gapMs: 1_500, pauseMs: 1 }],
  },
  {
    name: 'a late event does not return a deployment to an earlier status',
    without: [
      {
        file: 'src/deployments/state.ts',
        text: 'const forward = deployment.endedAt === undefined && (rank < 0 || rank >= reached);',
        instead: 'const forward = true;',
      },
      {
        // Otherwise the bot would read the deployment's status again and correct it.
        file: 'src/deployments/deployment.ts',
        text: "return endedAt !== undefined && status !== 'TERMINATED';",
        instead: 'return false;',
      },
    ],
    shows: 'backwards',
    arrange({ simulator }) {
      // The held callback arrives just after the callback about the end.
      simulator.faults.next({ callback: 'ready' }, { kind: 'hold' });
      when(() => {
        const ready = [...simulator.deployments.values()].find((one) => phaseOf(one) === 'READY');
        if (ready) simulator.terminate(ready.request_id);
        return ready !== undefined;
      });
    },
  },
  {
    name: 'a message is written in the same transaction as its event',
    without: [
      {
        file: 'src/deployments/repository.ts',
        text: 'await announce(tx, clock, { before, after, happened: all, source, dashboard });',
        instead:
          'setTimeout(() => announce(this.#store, clock, { before, after, happened, source, dashboard }), 90_000);',
      },
    ],
    shows: 'lost',
    kills: [{ ...kills, moment: 'callback' }],
  },
  {
    name: 'a callback is stored before the bot answers the callback',
    without: [
      {
        file: 'src/server/callbacks.ts',
        text: "await callbacks.receive(event, id, Buffer.isBuffer(body) ? body.toString('utf8') : '');",
        instead: 'setTimeout(() => callbacks.receive(event, id, String(body)), 1_000);',
      },
    ],
    shows: 'lost',
    // The bot can also miss the callback about the end, because no process is running at that time.
    problem: /: nobody was told "ready"$/,
    controlled: true,
    kills: [{ ...kills, moment: 'callback', pauseMs: 1_000 }],
    // On a slow machine, a status poll could otherwise find the event before the callback arrives.
    factor: 10,
    arrange: ({ simulator }) =>
      when(() => {
        const taken = simulator.callbacks.find(({ event, status }) => event === 'ready' && status === 200);
        if (taken) simulator.terminate(taken.request_id);
        return taken !== undefined;
      }),
  },
  {
    name: 'a command that a dead process left unfinished is answered',
    without: [
      {
        file: 'src/command/recovery.ts',
        text: 'await answer(id);',
        instead: '',
      },
    ],
    shows: 'unanswered',
    kills: [{ ...kills, moment: 'answer' }],
  },
  {
    name: 'a message that a dead process was sending is taken over',
    without: [
      {
        file: 'src/notify/worker.ts',
        text: 'await claims.takeOver();\n      takenOverAt',
        instead: 'takenOverAt',
      },
    ],
    shows: 'lost',
    kills: [{ ...kills, moment: 'edit' }],
  },
  {
    name: 'a message that may have been sent is searched for first',
    without: [
      {
        file: 'src/notify/send.ts',
        text: "const shown = row.uncertain ? await whetherShown(adapter, row, now) : 'no';",
        instead: "const shown = 'no';",
      },
    ],
    shows: 'duplicated',
    // Waits until Discord no longer remembers the nonce, which takes five minutes.
    kills: [{ ...kills, moment: 'post', pauseMs: (5 * 60_000) / FACTOR + 500 }],
  },
  {
    name: 'a message that may have been sent is not repeated where the channel can be searched',
    without: [
      {
        file: 'src/notify/send.ts',
        text: "return found ? 'yes' : 'no';",
        instead: "return 'unknowable';",
      },
    ],
    shows: 'duplicated',
    problem: /possibly repeated/,
    kills: [{ ...kills, moment: 'post', pauseMs: (5 * 60_000) / FACTOR + 500 }],
  },
  {
    name: 'the intent is committed before the request leaves',
    without: [
      {
        file: 'src/deployments/repository.ts',
        text: 'return { deployment: fromRow(inserted), created: true };',
        instead: `
          await tx.deleteFrom('deployments').where('id', '=', id).execute();
          setTimeout(() => this.#store.insertInto('deployments').values(inserted).execute(), 3_000);
          return { deployment: fromRow(inserted), created: true };`,
      },
    ],
    shows: 'lost',
    kills: [{ ...kills, moment: 'deploy' }],
    arrange: ({ simulator }) => void simulator.faults.next({ callback: 'any' }, { kind: 'drop' }, 9),
  },
  {
    name: 'a single process at a time sends to a channel',
    several: true,
    without: [
      {
        file: 'src/notify/channels.ts',
        text: 'id: channelId(place), holder',
        instead: 'id: channelId(place) + membership.id, holder',
      },
      {
        // This wait has no time limit, because the database may be slow.
        file: 'src/notify/claims.ts',
        text: 'if (batch.length > 0) break;',
        instead: 'if (batch.length > 0) { await new Promise((done) => setTimeout(done, 500)); break; }',
      },
      {
        file: 'src/notify/claims.ts',
        text: ".where('state', '=', 'pending')\n      .returningAll()",
        instead: '.returningAll()',
      },
    ],
    shows: 'duplicated',
    // Discord would recognise the repeated messages by their nonce.
    platform: 'slack',
  },
  {
    name: 'no more deployments run at the same time than MAX_RUNNING allows',
    without: [
      {
        file: 'src/guard/guard.ts',
        text: 'if (reached < limit) return;',
        instead: 'return;',
      },
    ],
    shows: 'limit',
    controlled: true,
    maxRunning: 1,
    asks: [deploys, { ...deploys, gapMs: 500 }, { ...deploys, gapMs: 500 }],
  },
  {
    name: 'a single process receives from the gateway',
    several: true,
    without: [
      {
        file: 'src/replicas/leases.ts',
        text: 'return isUnbroken() && (numInsertedOrUpdatedRows ?? 0n) > 0n;',
        instead: 'return true;',
      },
      {
        // Two processes on the same gateway session would take it from each other in turn, so each process starts its
        // own session.
        file: 'src/replicas/leases.ts',
        text: 'return row?.bookmark ?? undefined;',
        instead: 'return undefined;',
      },
    ],
    shows: 'violation',
  },
  {
    name: 'the gateway session is taken over from a dead process',
    several: true,
    without: [
      {
        file: 'src/replicas/leases.ts',
        text: "eb.or([eb('leases.holder', '=', id), this.#membership.gone(eb.ref('leases.holder'))]),",
        instead: "eb('leases.holder', '=', id),",
      },
    ],
    shows: 'violation',
    // The first kill shows that a process has the lease.
    kills: [
      { ...kills, moment: 'deploy' },
      { ...kills, victim: 1 },
    ],
  },
];

/** Runs a case, and returns its problems. */
async function play(
  { arrange, ...one }: Case,
  how: Pick<ChaosOptions, 'without' | 'settleMs'>,
): Promise<{ problems: readonly string[]; said: string }> {
  const {
    platform = 'discord',
    several = false,
    factor = FACTOR,
    asks = [deploys],
    kills = [],
    maxRunning = 0,
  } = one;
  const said: string[] = [];
  const { problems } = await runChaos({
    schedule: { ...clearSky, asks, kills },
    platform,
    database: several ? 'postgres' : 'sqlite',
    replicas: several ? 2 : 1,
    ...(maxRunning > 0 ? { maxRunning } : {}),
    postgres: inject('postgres'),
    factor,
    momentMs: 60_000,
    responseMs: 60_000,
    compiled,
    keep: false,
    say: (line) => void said.push(line),
    ...(arrange ? { arrange } : {}),
    ...how,
  });
  return { problems, said: said.join('\n') };
}

// Without the safeguard, some problems occur only if two events happen at the same moment. If a run shows no problem,
// it is therefore repeated.
test.concurrent.each(cases)(
  'if a safeguard is removed, the chaos check finds a problem: $name',
  { retry: 2 },
  async ({ without, shows, problem = /^/, ...one }) => {
    // A duplicate ends the run at once. A missing message may still arrive, so the run waits.
    const settleMs =
      shows === 'twice' || shows === 'duplicated' ? 30_000 : shows === 'backwards' ? 15_000 : 5_000;
    const { problems, said } = await play({ without, shows, ...one }, { without, settleMs });
    expect(
      problems.filter((one) => one.startsWith(shows) && problem.test(one)),
      said,
    ).not.toEqual([]);
  },
);

test.concurrent.each(cases.filter(({ controlled }) => controlled))(
  'if every safeguard is in place, the chaos check finds no problem: $name',
  async (one) => {
    const { problems, said } = await play(one, { settleMs: 120_000 });
    expect(problems, said).toEqual([]);
  },
);

test('each piece of source code that a chaos case removes occurs exactly once in its file', () => {
  for (const { file, text } of cases.flatMap(({ without }) => without)) {
    const source = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
    expect(source.split(text), `${file}: ${text}`).toHaveLength(2);
  }
});

/** Repeats the act until it returns true. */
function when(act: () => boolean): void {
  const timer = setInterval(() => act() && clearInterval(timer), 5);
  timer.unref();
}
