import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCommands } from '../../src/command/load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(import.meta.dirname, '.commands-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const GOOD = `description: 'Do it', permission: 'help', ack: 'private', options: {}, run: async () => {}`;
const file = (body: string) => `export default { ${body} };\n`;
const group = (subcommands: string) => `description: 'Tag', subcommands: { ${subcommands} }`;
const option = (spec: string) => file(GOOD.replace('options: {}', `options: { ${spec} }`));
const many = (count: number, one: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => one(n)).join(', ');

test('a valid command file becomes a command named after the file, and other files in the folder are ignored', async () => {
  await writeFile(join(folder, 'do-it.ts'), file(GOOD));
  await writeFile(join(folder, 'README.md'), 'Commands');
  const directory = await loadCommands(folder);
  expect(directory.all.map(({ name }) => name)).toEqual(['do-it']);
  expect(directory.get('do-it')?.description).toBe('Do it');
});

test.each<[string, string, RegExp]>([
  ['Stop.ts', file(GOOD), /file name must be lower case/],
  ['do_it.ts', file(GOOD), /file name must be lower case/],
  ['do.test.ts', file(GOOD), /file name must be lower case/],
  [`${'x'.repeat(33)}.ts`, file(GOOD), /at most 32/],
  ['one.js', file(GOOD), /must end in \.ts/],
  ['one.ts', 'export const x = 1;', /no default export made with defineCommand/],
  ['one.ts', 'export default null;', /no default export/],
  ['one.ts', "throw new Error('broken');", /cannot be loaded: broken/],
  ['one.ts', "import './no-such-file.ts';", /cannot be loaded/],
  ['one.ts', file(GOOD.replace('Do it', '')), /description must have 1 to 100/],
  ['one.ts', file(GOOD.replace('Do it', 'x'.repeat(101))), /description must have 1 to 100/],
  ['one.ts', file(GOOD.replace("'help'", "'everything'")), /permission is not one of help, /],
  ['one.ts', file(GOOD.replace("'private'", "'update'")), /ack must be/],
  ['one.ts', option(many(26, (n) => `o${n}: { kind: 'string', description: 'x' }`)), /more than 25 options/],
  ['one.ts', option("Near: { kind: 'string', description: 'x' }"), /option name "Near"/],
  ['one.ts', option("near: { kind: 'string', description: '' }"), /description of near/],
  ['one.ts', option("near: { kind: 'planet', description: 'x' }"), /kind of near is unknown: planet/],
  ['one.ts', option("n: { kind: 'integer', min: 2, max: 1, description: 'x' }"), /no number between/],
  ['one.ts', option("n: { kind: 'string', maxLength: 6001, description: 'x' }"), /over 6000/],
  ['one.ts', option("c: { kind: 'choice', choices: [], description: 'x' }"), /1 to 25 choices/],
  [
    'one.ts',
    option(`c: { kind: 'choice', choices: [${many(26, (n) => `'${n}'`)}], description: 'x' }`),
    /1 to 25 choices/,
  ],
  ['one.ts', option("c: { kind: 'choice', choices: ['a', 'A'], description: 'x' }"), /a choice twice/],
  [
    'one.ts',
    option(`c: { kind: 'choice', choices: ['${'x'.repeat(101)}'], description: 'x' }`),
    /1 to 100 characters/,
  ],
  [
    'one.ts',
    option(
      "a: { kind: 'string', description: 'x' }, b: { kind: 'string', required: true, description: 'x' }",
    ),
    /required option b must come before/,
  ],
  [
    'one.ts',
    option(
      "a: { kind: 'string', description: 'x' }, b: { kind: 'string', positional: true, description: 'x' }",
    ),
    /positional option b must come before/,
  ],
  ['one.ts', file(group('')), /must have 1 to 25 subcommands/],
  ['one.ts', file(group(many(26, (n) => `s${n}: { ${GOOD} }`))), /must have 1 to 25 subcommands/],
  ['one.ts', file(group(`Add: { ${GOOD} }`)), /subcommand "Add" is not lower case words/],
  ['one.ts', file(group('add: {}')), /add: is not made with defineCommand/],
  ['one.ts', file(group(`add: { ${GOOD.replace('Do it', '')} }`)), /add: the description must have 1 to 100/],
  ['one.ts', file(group(`add: { ${GOOD.replace("'help'", "'all'")} }`)), /add: the permission is not one of/],
  ['one.ts', file(group(`add: { ${GOOD}, actions: {} }`)), /add: actions belong to the command/],
  [
    'one.ts',
    file(`${group(`add: { ${GOOD} }`)}, usual: 'list'`),
    /usual subcommand list is not among the subcommands/,
  ],
  ['one.ts', file(group(`add: { ${GOOD} }`).replace('Tag', '')), /the description must have 1 to 100/],
  ['one.ts', file(`${GOOD}, actions: { form: {} }`), /"form" stands for the form of the command/],
  ['one.ts', file(`${GOOD}, layout: { first: ['map'] }`), /layout names the option map/],
  [
    'one.ts',
    option("o: { kind: 'string', description: 'x' } }, layout: { first: ['o', 'o']"),
    /layout names an option twice/,
  ],
  [
    'one.ts',
    option(
      `${many(6, (n) => `o${n}: { kind: 'string', description: 'x' }`)} }, layout: { first: [], more: { Rest: [${many(6, (n) => `'o${n}'`)}] }`,
    ),
    /"Rest" of the layout has more than 5/,
  ],
  ['one.ts', file(`${GOOD}, actions: { Go: {} }`), /action name "Go"/],
  ['one.ts', file(`${GOOD}, actions: { ${'g'.repeat(40)}: {} }`), /too long/],
  ['one.ts', file(`${GOOD}, actions: { go: { permission: 'nope' } }`), /permission of go/],
  ['one.ts', file(`${GOOD}, actions: { go: { permission: 'help', ack: 'loud' } }`), /ack of go/],
  ['one.ts', file(`${GOOD}, actions: { go: { permission: 'help', ack: 'update' } }`), /no function "run"/],
])(
  'a command file "%s" with a mistake is refused, and the error names the file',
  async (name, content, words) => {
    await writeFile(join(folder, name), content);
    const error = await loadCommands(folder).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).toMatch(words);
    expect(error?.message).toContain(`commands/${name}`);
  },
);

test('two files for the same command are refused, and the error names both files', async () => {
  await writeFile(join(folder, 'stop.js'), file(GOOD));
  await writeFile(join(folder, 'stop.ts'), file(GOOD));
  await expect(loadCommands(folder)).rejects.toThrow(
    /commands\/stop\.js|stop\.js is the command stop already/,
  );
});

test('the bot does not start with a folder of more than 100 commands', async () => {
  for (let n = 0; n < 101; n++) await writeFile(join(folder, `c${n}.ts`), file(GOOD));
  await expect(loadCommands(folder)).rejects.toThrow(/commands\/c\d+\.ts: there are more than 100 commands/);
});
