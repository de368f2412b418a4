import { describe, expect, test } from 'vitest';
import { completeLine } from '../../../src/adapters/console/complete.ts';
import { readLine } from '../../../src/adapters/console/typed.ts';
import { commands } from './fixtures.ts';

const known = (name: string) => commands.get(name) !== undefined;
const help = { kind: 'command', name: 'help', text: '' };

describe('a typed line at the prompt', () => {
  test.each([
    ['deploy kart-racing v1.2', { kind: 'command', name: 'deploy', text: 'kart-racing v1.2' }],
    ['  /deploy  kart-racing  ', { kind: 'command', name: 'deploy', text: 'kart-racing' }],
    ['/edgegap deploy a --near "New York"', { kind: 'command', name: 'deploy', text: 'a --near "New York"' }],
    ['edgegap list', { kind: 'command', name: 'list', text: '' }],
    ['\ufefflist', { kind: 'command', name: 'list', text: '' }],
    ['Tags: @last', { kind: 'command', name: 'Tags', text: '@last' }],
    ['tags, @last', { kind: 'command', name: 'tags', text: '@last' }],
    ['list:', { kind: 'command', name: 'list', text: '' }],
    ['Dploy x', { kind: 'command', name: 'Dploy', text: 'x' }],
    ['/edgegap', help],
    ['/', help],
    ['?', help],
    ['#12', { kind: 'press', number: 12 }],
    [' #3 ', { kind: 'press', number: 3 }],
    ['# a comment', { kind: 'nothing' }],
    ['#comment', { kind: 'nothing' }],
    ['#', { kind: 'nothing' }],
    ['', { kind: 'nothing' }],
    ['   ', { kind: 'nothing' }],
    ['exit', { kind: 'leave' }],
    ['/Quit', { kind: 'leave' }],
    ['exit now', { kind: 'command', name: 'exit', text: 'now' }],
  ])('the typed line %j is read as expected', (line, expected) =>
    expect(readLine(line, known)).toEqual(expected),
  );

  test.each([
    ['#1 please', 'type its number alone'],
    ['#1x', 'type its number alone'],
    ['#-1', 'type its number alone'],
    ['#99999999999999999999', 'No button has so large a number'],
  ])(
    'the line %j, typed at the prompt, is refused because it is neither a button press nor a comment',
    (line, problem) => {
      expect(readLine(line, known)).toEqual({ kind: 'malformed', problem: expect.stringContaining(problem) });
    },
  );

  test('if a command has the same name as a special word of the prompt, typing this word runs the command', () => {
    expect(readLine('exit', () => true)).toMatchObject({ kind: 'command', name: 'exit' });
    expect(readLine('edgegap x', () => true)).toMatchObject({ kind: 'command', name: 'edgegap', text: 'x' });
  });
});

describe('completion of a typed line', () => {
  const complete = (line: string) =>
    completeLine(line, commands, [1, 2, 12], async ({ option, typed }) =>
      (offered[option] ?? [])
        .filter((value) => value.startsWith(typed))
        .map((value) => ({ label: value, value })),
    );
  const offered: Record<string, string[]> = {
    deployment: ['@last'],
    what: ['list', 'add', 'remove', 'rename'],
  };

  test.each<[string, string[], string]>([
    ['', ['deploy ', 'stop ', 'tags '], ''],
    ['de', ['deploy '], 'de'],
    ['/de', ['/deploy '], '/de'],
    ['/edgegap st', ['stop '], 'st'],
    ['xyz', [], 'xyz'],
    ['#', ['#1', '#2', '#12'], '#'],
    ['#1', ['#1', '#12'], '#1'],
    ['deploy kart v1 --', ['--near ', '--ip ', '--tag ', '--cached '], '--'],
    ['deploy kart v1 --near Montreal --n', [], '--n'],
    ['deploy kart v1 --tag qa --t', ['--tag '], '--t'],
    ['deploy kart v1 ', ['--near ', '--ip ', '--tag ', '--cached '], ''],
    ['deploy kart v1 --cached ', ['--near ', '--ip ', '--tag '], ''],
    ['deploy ', [], ''],
    ['deploy kart v1 --near ', [], ''],
    ['stop ', ['@last '], ''],
    ['stop @l', ['@last '], '@l'],
    ['tags ', ['list ', 'add ', 'remove ', 'rename '], ''],
    ['tags re', ['remove ', 'rename '], 're'],
    ['tags add ', ['@last '], ''],
    ['nonsense ', [], ''],
    ['STOP ', ['@last '], ''],
    ['stop: ', ['@last '], ''],
    ['ST', ['stop '], 'ST'],
    ['help ', ['deploy ', 'stop ', 'tags '], ''],
    ['/Help st', ['stop '], 'st'],
    ['help stop ', [], ''],
    ['stop --deployment ', ['@last '], ''],
    ['stop --deployment @last ', [], ''],
  ])('completing the typed text %j in the terminal offers the matching words', (line, candidates, word) =>
    expect(complete(line)).resolves.toEqual([candidates, word]),
  );
});
