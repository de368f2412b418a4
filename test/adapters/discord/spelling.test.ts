import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { spellingFor } from '../../../src/adapters/discord/spelling.ts';
import { isCommandLine, withTyped } from '../../../src/chat/typed.ts';
import type { Directory } from '../../../src/command/define.ts';
import { loadCommands } from '../../../src/command/load.ts';

let directory: Directory;
beforeAll(async () => {
  directory = await loadCommands(join(import.meta.dirname, '..', '..', '..', 'commands'));
});

const ids = { of: (guild: string, name: string) => (guild === 'home' ? `id-of-${name}` : undefined) };

test.each([
  ['list', { typed: 'list', id: 'id-of-list' }],
  ['tags add', { typed: 'tags add', id: 'id-of-tags' }],
  // On Discord, a command with subcommands can only be used together with a subcommand.
  ['tags', { typed: 'tags list', id: 'id-of-tags' }],
  ['deploy <application> [<version>] [--near <city>]', { typed: 'deploy', id: 'id-of-deploy' }],
  [
    'deploy kart-racing v1.2 --near Montreal --tag qa',
    { typed: '/deploy application: kart-racing version: v1.2 near: Montreal tag: qa' },
  ],
  ['deploy @qa', { typed: '/deploy preset: qa' }],
  ['logs @last --grep heartbeat --invert', { typed: '/logs deployment: @last grep: heartbeat invert: True' }],
  ['help deploy', { typed: '/help command: deploy' }],
  ['--near Montreal', { typed: 'near: Montreal' }],
  ['--near "New York" --all', { typed: 'near: New York all: True' }],
  ['--tag=qa', { typed: 'tag: qa' }],
  ['no-such-command now', { typed: '/no-such-command now' }],
  ['list one two "three', { typed: '/list one two "three' }],
])('on Discord, the bot shows the command "%s" as %j', (typed, shown) => {
  expect(spellingFor('home', { directory, ids })(typed)).toEqual(shown);
});

test('if the id of a command is unknown in a Discord server, messages there show the command as plain text', () => {
  const spelling = spellingFor('elsewhere', { directory, ids });
  expect(['list', 'tags add', 'deploy kart-racing'].map((typed) => spelling(typed).typed)).toEqual([
    '/list',
    '/tags add',
    '/deploy application: kart-racing',
  ]);
});

test("the example of each command can be converted to Discord's spelling of commands", () => {
  const spelling = spellingFor('home', { directory, ids });
  for (const { name, example } of directory.all.flatMap(({ entries }) => entries)) {
    if (!example) continue;
    const { typed } = spelling(`${name} ${example}`);
    expect(typed).toMatch(new RegExp(`^/${name} [a-z-]+: `));
    expect(typed).not.toContain('--');
  }
});

test('a hint treats text in backticks as a command only if no letter or quotation mark touches the backticks', () => {
  expect(withTyped('Use `list`, or (`--near Montreal`).')).toEqual([
    'Use ',
    { typed: 'list' },
    ', or (',
    { typed: '--near Montreal' },
    ').',
  ]);
  for (const literal of ['a`b`c', 'There is no “`x`”.', '``', 'an `open mark', 'two\n`li\nnes`'])
    expect(withTyped(literal)).toEqual([literal]);
  expect([isCommandLine('list'), isCommandLine('--near Montreal')]).toEqual([true, false]);
});
