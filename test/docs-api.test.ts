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
import { deployElsewhere, deployReady, effectOf, type Stage, stageOn, typeLine } from './command/harness.ts';
import { until } from './support/test-clock.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
const COMMANDS_PAGE = readFileSync(join(ROOT, 'docs/commands.md'), 'utf8');
const directory = await loadCommands(join(ROOT, 'commands'));

/** The endpoints that no command reaches: the first command that does has to change the table and this list. */
const NOT_YET = ['DELETE /v1/self/stop/{}/{}', 'POST /v1/deploy', 'POST /v2/private-fleets/deployments'];
/** Commands that ask Edgegap for nothing. */
const WITHOUT_ENDPOINT = ['help'];

/** The names of parameters in a path differ between the vendor's files and the code. */
const unnamed = (endpoint: string) => endpoint.replace(/\{[^}]*\}/g, '{}');

const table = [...PAGE.matchAll(/^\| (\d+|[A-Z]) \| `([A-Z]+ \/[^`]+)` \| (?:`([^`]+)`|not yet) \|/gm)].map(
  ([, number = '', endpoint = '', command]) => ({ number, endpoint: unnamed(endpoint), command }),
);
const done = table.flatMap(({ endpoint, command }) => (command === undefined ? [] : [{ endpoint, command }]));

describe('the table of endpoints in docs/api.md', () => {
  test('the table has the 17 endpoints of the reference and two helpers, each with a section', () => {
    const numbers = Array.from({ length: 17 }, (_, index) => String(index + 1));
    expect(table.map(({ number }) => number)).toEqual([...numbers, 'A', 'B']);
    expect(new Set(table.map(({ endpoint }) => endpoint)).size).toBe(19);
    for (const { number, endpoint } of table.slice(0, 12))
      expect(unnamed(PAGE)).toContain(`### ${number}. ${endpoint}`);
  });

  test('exactly the endpoints of the list above are marked "not yet"', () => {
    const marked = table.filter(({ command }) => command === undefined).map(({ endpoint }) => endpoint);
    expect(marked).toEqual(NOT_YET);
  });

  test('the table holds exactly the endpoints that the simulator answers', () => {
    const answered = routes.map(({ method, path }) => unnamed(`${method} ${path}`));
    expect(table.map(({ endpoint }) => endpoint).toSorted()).toEqual(answered.toSorted());
  });

  test('each command in the table exists, and docs/commands.md has its section and shows how to type the command', () => {
    const known = directory.all.flatMap(({ entries }) => entries.map(({ name }) => name));
    for (const { command } of done) {
      expect(known).toContain(command);
      expect(COMMANDS_PAGE).toContain(`\n### ${command.split(' ')[0]}\n`);
      // The line in docs/commands.md that shows how to type the command.
      expect(COMMANDS_PAGE).toMatch(new RegExp(`^${command} [<[]`, 'm'));
    }
  });

  test('each command that asks Edgegap stands in the table', () => {
    const named = new Set(done.map(({ command }) => command.split(' ')[0]));
    const absent = directory.all.map(({ name }) => name).filter((name) => !named.has(name));
    expect(absent).toEqual(WITHOUT_ENDPOINT);
  });
});

describe('the parameters and fields in docs/api.md', () => {
  test('each option that the page names exists', () => {
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
  )('each field that the bot reads of %s is named', (_, schema) => {
    for (const field of Object.keys(schema.shape)) expect(PAGE).toContain(`\`${field}\``);
  });
});

describe('the commands in the table', () => {
  let stage: Stage;
  const asked = new Map<string, Set<string>>();
  beforeAll(async () => {
    stage = await stageOn('console');
    const id = await deployReady(stage);
    for (let n = 0; n < 2; n++) await deployElsewhere(stage.simulator, 'lobby-chat', 'stable', ['many']);
    await deployElsewhere(stage.simulator, 'lobby-chat', 'stable');
    const since = (from: number) =>
      stage.simulator.requests.slice(from).map(({ method, path }) => `${method} ${patternOf(method, path)}`);
    asked.set('deploy', new Set(since(0)));
    for (const [command, line] of [
      ['status', `status ${id}`],
      ['list', 'list'],
      ['locations', 'locations --application kart-racing --version v1.2'],
      ['versions', 'versions arena-shooter'],
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
    ] as const) {
      const from = stage.simulator.requests.length;
      await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line));
      const confirmed = { stop: 'Stop it', 'bulk-stop': 'Stop 2 deployments' };
      if (command === 'stop' || command === 'bulk-stop')
        await effectOf(stage, 'operator', () => stage.driver.press('operator', confirmed[command]));
      if (command === 'bulk-stop')
        await until(
          async () => (await stage.driver.channel()).some(({ text }) => text.includes('Stopped 2')),
          command,
        );
      asked.set(command, new Set(since(from)));
    }
  });
  afterAll(() => stage?.close());

  test.each(done)('$command asks for $endpoint', ({ command, endpoint }) => {
    expect([...(asked.get(command) ?? [])]).toContain(endpoint);
  });
});

/** The path of the simulator's route that answers this request, without the names of its parameters. */
function patternOf(method: string, path: string): string {
  const fits = (pattern: string) => new RegExp(`^${pattern.replaceAll('{}', '[^/]+')}$`).test(path);
  const patterns = routes.filter((route) => route.method === method).map((route) => unnamed(route.path));
  return patterns.find((pattern) => pattern === path) ?? patterns.find(fits) ?? path;
}
