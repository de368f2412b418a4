import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { loadCommands } from '../src/command/load.ts';
import { Application, AppVersion, AvailableLocation, FleetHost } from '../src/edgegap/catalogue.ts';
import {
  CrashData,
  DeploymentPort,
  DeploymentRow,
  DeploymentStatus,
  LogsAnswer,
  TagTimes,
} from '../src/edgegap/schema.ts';
import { routes } from '../src/simulator/router.ts';
import { type Simulator, startSimulator } from '../src/simulator/simulator.ts';
import {
  AT_ONCE,
  deployElsewhere,
  deployReady,
  effectOf,
  type Stage,
  stageOn,
  typeLine,
} from './command/harness.ts';
import { pacedClock } from './support/paced-clock.ts';
import { until } from './support/test-clock.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
const COMMANDS_PAGE = readFileSync(join(ROOT, 'docs/commands.md'), 'utf8');
const directory = await loadCommands(join(ROOT, 'commands'));

/**
 * The endpoints that no command uses. If a new command uses such an endpoint, the table and this list have to change.
 */
const NOT_YET: readonly string[] = [];
/** Commands that call no endpoint, or only endpoints that other commands also call. */
const WITHOUT_ENDPOINT = ['doctor', 'help', 'home', 'menu', 'orphans', 'preset'];

/** The vendor's files and the code use different names for path parameters. */
const unnamed = (endpoint: string) => endpoint.replace(/\{[^}]*\}/g, '{}');

const table = [...PAGE.matchAll(/^\| (\d+|[A-Z]) \| `([A-Z]+ \/[^`]+)` \| (?:`([^`]+)`|not yet) \|/gm)].map(
  ([, number = '', endpoint = '', command]) => ({ number, endpoint: unnamed(endpoint), command }),
);
const done = table.flatMap(({ endpoint, command }) => (command === undefined ? [] : [{ endpoint, command }]));

describe('the table of endpoints in docs/api.md', () => {
  test("the table in docs/api.md has the 17 endpoints of Edgegap's reference and two helpers, each with a section", () => {
    const numbers = Array.from({ length: 17 }, (_, index) => String(index + 1));
    expect(table.map(({ number }) => number)).toEqual([...numbers, 'A', 'B']);
    expect(new Set(table.map(({ endpoint }) => endpoint)).size).toBe(19);
    for (const { number, endpoint } of table.slice(0, 12))
      expect(unnamed(PAGE)).toContain(`### ${number}. ${endpoint}`);
  });

  test('docs/api.md marks exactly the endpoints that no command uses as "not yet"', () => {
    const marked = table.filter(({ command }) => command === undefined).map(({ endpoint }) => endpoint);
    expect(marked).toEqual(NOT_YET);
  });

  test('the table in docs/api.md contains exactly the endpoints that the simulator answers', () => {
    const answered = routes.map(({ method, path }) => unnamed(`${method} ${path}`));
    expect(table.map(({ endpoint }) => endpoint).toSorted()).toEqual(answered.toSorted());
  });

  test('each command in docs/api.md exists and has a section with its usage in docs/commands.md', () => {
    const known = directory.all.flatMap(({ entries }) => entries.map(({ name }) => name));
    for (const { command } of done) {
      expect(known).toContain(command);
      expect(COMMANDS_PAGE).toContain(`\n### ${command.split(' ')[0]}\n`);
      // Checks the line in docs/commands.md that shows how to type the command.
      expect(COMMANDS_PAGE).toMatch(new RegExp(`^${command} [<[]`, 'm'));
    }
  });

  test('docs/api.md contains each command that calls Edgegap', () => {
    const named = new Set(done.map(({ command }) => command.split(' ')[0]));
    const absent = directory.all.map(({ name }) => name).filter((name) => !named.has(name));
    expect(absent).toEqual(WITHOUT_ENDPOINT);
  });
});

describe('the parameters and fields in docs/api.md', () => {
  test('each command option that docs/api.md names exists', () => {
    const options = directory.all.flatMap(({ entries }) =>
      entries.flatMap(({ name, options: given }) =>
        Object.keys(given).map((option) => `${name} --${option}`),
      ),
    );
    const named = [...PAGE.matchAll(/`([a-z]+(?: [a-z]+)? --[a-z-]+)`/g)].map(([, option]) => option);
    expect(named.length).toBeGreaterThan(20);
    expect(options).toEqual(expect.arrayContaining([...new Set([...named, 'status --details'])]));
  });

  test.each(
    Object.entries({
      DeploymentStatus,
      DeploymentPort,
      DeploymentRow,
      AvailableLocation,
      LogsAnswer,
      CrashData,
      TagTimes,
      FleetHost,
      Application,
      AppVersion,
    }) as [string, z.ZodObject][],
  )('docs/api.md names each field that the bot reads of %s', (_, schema) => {
    for (const field of Object.keys(schema.shape)) expect(PAGE).toContain(`\`${field}\``);
  });
});

describe('the commands in the endpoint table', () => {
  let edgegap: Simulator;
  let stage: Stage;
  const asked = new Map<string, Set<string>>();
  beforeAll(async () => {
    const clock = pacedClock(1);
    edgegap = await startSimulator({ clock, ...AT_ONCE });
    // Edgegap refuses the call of `self-stop`, because the bot's deployment must keep running.
    const ARBITRIUM_DELETE_URL = `${edgegap.url}/v1/self/stop/abc/660`;
    const environment = { ARBITRIUM_DELETE_URL, ARBITRIUM_DELETE_TOKEN: 'none' };
    stage = await stageOn('console', { clock, edgegap, environment });
    const id = await deployReady(stage);
    for (const options of ['--near Montreal --fleet tournament', '--ip 203.0.113.7 --command /bin/server'])
      await effectOf(stage, 'operator', () => typeLine(stage, 'operator', `deploy kart-racing ${options}`));
    for (let n = 0; n < 2; n++) await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['many']);
    await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const since = (from: number) =>
      stage.simulator.requests.slice(from).map(({ method, path }) => `${method} ${patternOf(method, path)}`);
    asked.set('deploy', new Set(since(0)));
    for (const [command, line] of [
      ['status', `status ${id}`],
      ['list', 'list'],
      ['locations', 'locations --application kart-racing --version v1.2'],
      // For active applications, the bot reads the versions in advance. So the test uses an inactive application.
      ['versions', 'versions retired-prototype'],
      ['logs', `logs ${id}`],
      ['metrics', `metrics ${id}`],
      ['hosts', 'hosts tournament'],
      ['tags add', `tags add ${id} night`],
      ['tags list', `tags list ${id}`],
      ['tags show', `tags show ${id} night`],
      ['tags rename', `tags rename ${id} night day`],
      ['tags remove', `tags remove ${id} day`],
      ['stop', `stop ${id}`],
      ['bulk-stop', 'bulk-stop --tag many'],
      ['self-stop', 'self-stop'],
    ] as const) {
      const from = stage.simulator.requests.length;
      await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
      const buttons = { stop: 'Stop it', 'self-stop': 'Stop the bot', 'bulk-stop': 'Stop 2 servers' };
      const button = (buttons as Readonly<Record<string, string>>)[command];
      if (button) await effectOf(stage, 'operator', () => stage.driver.press('operator', button));
      if (command === 'bulk-stop')
        await until(
          async () => (await stage.driver.channel()).some(({ text }) => text.includes('Stopped 2')),
          command,
        );
      asked.set(command, new Set(since(from)));
    }
  });
  afterAll(async () => {
    await stage?.close();
    await edgegap?.close();
  });

  test.each(done)(
    'the command $command calls the endpoint $endpoint, as stated in docs/api.md',
    ({ command, endpoint }) => {
      expect([...(asked.get(command) ?? [])]).toContain(endpoint);
    },
  );
});

/** The path of the simulator's route that answers this request, without the names of its parameters. */
function patternOf(method: string, path: string): string {
  const fits = (pattern: string) => new RegExp(`^${pattern.replaceAll('{}', '[^/]+')}$`).test(path);
  const patterns = routes.filter((route) => route.method === method).map((route) => unnamed(route.path));
  return patterns.find((pattern) => pattern === path) ?? patterns.find(fits) ?? path;
}
