import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/**
 * All modules that a source text imports, including dynamic imports, re-exports, type imports, `import.meta.resolve`
 * and `require`.
 */
function importsOf(source: string): string[] {
  const code = withoutComments(source);
  const patterns = [
    /\b(?:import|export)\b(?:[\s\w$*{},]|type\s)*?\bfrom\s*(["'`])([^"'`]+)\1/g,
    /\bimport\s*(["'])([^"']+)\1/g,
    /\bimport\s*\(\s*(["'`])([^"'`]+)\1/g,
    /\b(?:require|resolve)\s*\(\s*(["'`])([^"'`]+)\1/g,
  ];
  return [
    ...new Set(patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[2] ?? ''))),
  ];
}

/** The source without comments that are on separate lines. Strings that contain `//` stay unchanged. */
function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\/\s*$/gm, '').replace(/^\s*\/\/.*$/gm, '');
}

/** For each package, the path prefixes of the files that may import the package. */
const packages: readonly [RegExp, readonly string[]][] = [
  [/^(discord\.js|discord-api-types|@discordjs\/)/, ['src/adapters/discord/']],
  [/^@slack\//, ['src/adapters/slack/']],
  [/^fastify/, ['src/server/']],
  [
    /^kysely/,
    [
      'src/store/',
      'src/replicas/',
      'src/deployments/',
      'src/bulk/',
      'src/recorder/',
      'src/notify/',
      'src/command/',
      'src/work/',
    ],
  ],
  [/^pg$/, ['src/store/']],
  [
    /^undici/,
    [
      'src/edgegap/',
      'src/simulator/',
      'src/adapters/discord/rest.ts',
      'src/adapters/discord/relay.ts',
      'src/adapters/slack/api.ts',
      'src/proxy.ts',
    ],
  ],
  [/^node:sqlite/, ['src/store/']],
  [/^pino/, ['src/log.ts']],
  [/^(chart\.js|@napi-rs\/|@fontsource\/)/, ['src/chart/']],
];

/**
 * For each room, the rooms from which it may import. A room is a folder or a file in src. Each adapter is a separate
 * room. Every room may import from COMMON.
 */
const arrows: Readonly<Record<string, readonly string[]>> = {
  clock: [],
  errors: [],
  finding: [],
  flags: [],
  graphemes: [],
  log: ['graphemes'],
  loop: ['clock'],
  proxy: [],
  thread: [],
  config: ['proxy'],
  chart: ['thread'],
  chat: ['graphemes'],
  simulator: [],
  edgegap: ['proxy'],
  store: [],
  replicas: ['edgegap', 'store'],
  work: ['replicas', 'store'],
  notify: ['chat', 'replicas', 'store', 'work'],
  // One transaction stores both the news about a deployment and the card that shows the news.
  deployments: ['chat', 'edgegap', 'notify', 'replicas', 'store', 'work'],
  metrics: ['chart', 'deployments', 'edgegap'],
  bulk: ['chat', 'deployments', 'edgegap', 'notify', 'store', 'work'],
  guard: ['deployments', 'store'],
  tail: ['chat', 'deployments', 'edgegap', 'notify', 'store', 'thread', 'work'],
  recorder: ['chat', 'deployments', 'edgegap', 'metrics', 'notify', 'store', 'work'],
  server: ['deployments'],
  command: [
    'bulk',
    'chart',
    'chat',
    'config',
    'deployments',
    'edgegap',
    'finding',
    'guard',
    'notify',
    'recorder',
    'replicas',
    'store',
    'tail',
    'work',
  ],
  commands: ['chart', 'chat', 'command', 'deployments', 'edgegap', 'finding', 'metrics', 'recorder'],
  'adapters/console': ['chat', 'command', 'graphemes'],
  'adapters/discord': ['chat', 'command', 'config', 'finding', 'proxy'],
  'adapters/slack': ['chat', 'command', 'config', 'finding', 'proxy'],
  'adapters/receiving': ['chat', 'replicas'],
  doctor: [
    'adapters/discord',
    'adapters/slack',
    'command',
    'config',
    'edgegap',
    'finding',
    'proxy',
    'server',
    'store',
  ],
  setup: ['adapters/discord', 'adapters/slack', 'chat', 'command', 'config', 'edgegap', 'finding', 'proxy'],
  'adapters/start': ['adapters/receiving', 'chat', 'replicas'],
};
const COMMON = ['clock', 'errors', 'log', 'loop'];

/** The files that build the bot from its parts. They may import from every room. */
const ROOTS = /^src\/(?:main|app|demo)\.ts$|^src\/(?:app|demo)\/|-cli\.ts$/;
const READS_ENVIRONMENT = /^src\/(?:main|config|demo)\.ts$|^src\/(?:config|demo)\/|-cli\.ts$/;

/** `src/adapters/slack/api.ts` -> `adapters/slack`, `src/log.ts` -> `log`, `commands/stop.ts` -> `commands`. */
function partOf(path: string): string {
  if (path.startsWith('commands/')) return 'commands';
  const inner = path.replace(/^src\//, '').replace(/\.ts$/, '');
  const [first = '', second = ''] = inner.split('/');
  return first === 'adapters' ? `${first}/${second}` : first;
}

function mayKnow(own: string, part: string): boolean {
  return (COMMON.includes(part) && !COMMON.includes(own)) || (arrows[own]?.includes(part) ?? false);
}

/** The circles in `graph`. Each circle is a list of names. The result is empty if there are no circles. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const found: string[][] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) found.push([...path.slice(path.indexOf(name)), name]);
    if (done.has(name) || path.includes(name)) return;
    for (const next of graph.get(name) ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of graph.keys()) visit(name, []);
  return found;
}

/** The paths of the project's files that a file imports. */
function filesImportedBy(path: string, source: string): string[] {
  return importsOf(source)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(ROOT, join(ROOT, dirname(path), name)));
}

/** The problems with the imports of a file. */
function problems(path: string, source: string): string[] {
  const found: string[] = [];
  const own = partOf(path);
  const allowed = arrows[own];
  if (!ROOTS.test(path) && allowed === undefined) found.push(`${path}: ${own} has no line in this table`);
  for (const name of importsOf(source)) {
    if (!name.startsWith('.')) {
      const rule = packages.find(([pattern]) => pattern.test(name));
      if (rule && !rule[1].some((prefix) => path.startsWith(prefix))) found.push(`${path} imports ${name}`);
      continue;
    }
    const target = relative(ROOT, join(ROOT, dirname(path), name));
    if (target === 'src/main.ts') found.push(`${path} imports main`);
    if (ROOTS.test(path)) continue;
    const part = partOf(target);
    if (!target.startsWith('src/') && part !== own) found.push(`${path} imports ${target}`);
    else if (part !== own && !mayKnow(own, part)) found.push(`${path}: ${own} must not know ${part}`);
  }
  if (/\bprocess\s*(?:\.|\[\s*["'])\s*env\b/.test(withoutComments(source)) && !READS_ENVIRONMENT.test(path))
    found.push(`${path} reads process.env`);
  // If a transaction conflicts with a different transaction, it has to be run again from its beginning. `transact` does
  // this.
  if (/\.transaction\(\)/.test(withoutComments(source)) && !path.startsWith('src/store/'))
    found.push(`${path} begins a transaction without transact`);
  return found;
}

test('no import breaks the rules of docs/architecture.md about which folders may import from which other folders', () => {
  const files = globSync(['src/**/*.ts', 'commands/**/*.ts'], { cwd: ROOT });
  expect(files.length).toBeGreaterThan(80);
  expect(files.flatMap((path) => problems(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([]);
});

test('no source file imports itself through other files, not even for types', () => {
  const files = globSync(['src/**/*.ts', 'commands/**/*.ts'], { cwd: ROOT });
  const graph = new Map(
    files.map((path) => [path, filesImportedBy(path, readFileSync(join(ROOT, path), 'utf8'))]),
  );
  expect(circles(graph)).toEqual([]);
  graph.set('src/store/schema.ts', ['src/store/store.ts']);
  expect(circles(graph)).not.toEqual([]);
});

test('no source folder imports itself through other folders', () => {
  expect(circles(new Map(Object.entries(arrows)))).toEqual([]);
  expect(circles(new Map(Object.entries({ ...arrows, chat: ['command'] })))).not.toEqual([]);
});

describe('the import check itself', () => {
  test.each([
    ['commands/x.ts', "import { Client } from 'discord.js';"],
    ['src/adapters/slack/x.ts', "import type { APIUser } from 'discord.js';"],
    ['src/app.ts', "import { App } from '@slack/bolt';"],
    ['src/app.ts', "export * from 'fastify';"],
    ['src/adapters/slack/x.ts', "import {\n  type Kysely,\n  sql,\n} from 'kysely';"],
    ['commands/x.ts', "const { request } = await import('undici');"],
    ['src/server/x.ts', "import 'undici';"],
    ['src/command/x.ts', "import '../main.ts';"],
    ['src/adapters/discord/x.ts', "import { x } from '../slack/api.ts';"],
    ['src/edgegap/x.ts', "import { store } from '../store/store.ts';"],
    ['src/chat/x.ts', "export type { Deployment } from '../deployments/deployment.ts';"],
    ['src/deployments/x.ts', "import { Turn } from '../command/run.ts';"],
    ['src/command/x.ts', "import stop from '../../commands/stop.ts';"],
    ['src/notify/x.ts', "import { api } from '../adapters/slack/api.ts';"],
    ['src/store/x.ts', 'const level = process.env.LOG_LEVEL;'],
    ['commands/x.ts', "const level = process['env'].LOG_LEVEL;"],
    ['src/newpart/x.ts', ''],
    ['src/notify/x.ts', 'await store.transaction().execute(work);'],
    ['src/server/x.ts', 'import a, { b } from "pino";'],
  ])('the import check finds a problem in the file %s with %j', (path, source) => {
    expect(problems(path, source)).not.toEqual([]);
  });

  test.each([
    ['src/adapters/discord/x.ts', "import { Client } from 'discord.js';"],
    ['src/app.ts', "import { x } from './deployments/x.ts';"],
    ['src/edgegap/x.ts', "// import { x } from '../store/x.ts';\n/*\n import 'discord.js';\n*/"],
    ['commands/x.ts', "import { defineCommand } from '../src/command/define.ts';"],
    ['src/config.ts', 'export const env = process.env;'],
  ])('the import check finds no problem in the file %s with %j', (path, source) => {
    expect(problems(path, source)).toEqual([]);
  });
});
