/** `npm run docs`: writes the descriptions of all commands into docs/commands.md, between the markers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, type Directory, type Entry, leastPermission } from '../src/command/define.ts';
import { loadCommands } from '../src/command/load.ts';
import { permissions } from '../src/command/permissions.ts';
import { usage } from '../src/command/usage.ts';

const FILE = join(import.meta.dirname, 'commands.md');
const FOLDER = join(import.meta.dirname, '..', 'commands');
const BEGIN = '<!-- commands: written by npm run docs -->';
const END = '<!-- /commands -->';

const WHO = {
  open: 'everyone whom the bot answers',
  read: 'readers and operators',
  inspect: 'operators',
  change: 'operators',
} as const;

/** Returns the present page, and the page with the current descriptions. */
export async function commandsPage(): Promise<{ readonly is: string; readonly shouldBe: string }> {
  const is = await readFile(FILE, 'utf8');
  const [before, after] = [is.split(BEGIN)[0], is.split(END)[1]];
  if (before === undefined || after === undefined) throw new Error(`${FILE} has lost its markers`);
  const { all } = await loadCommands(FOLDER);
  return { is, shouldBe: `${before}${BEGIN}\n\n${describe(all)}\n\n${END}${after}` };
}

function describe(all: Directory['all']): string {
  const table = ['| command | purpose | who may use it |', '| --- | --- | --- |'];
  for (const command of all)
    table.push(`| [\`${command.name}\`](#${command.name}) | ${command.description} | ${whoMay(command)} |`);
  return [table.join('\n'), ...all.map(details)].join('\n\n');
}

function details({ name, description, entries }: Command): string {
  const [first] = entries;
  if (entries.length === 1 && first && first.word === undefined)
    return [`### ${name}`, entryDetails(first)].join('\n\n');
  const parts = entries.map((entry) => `#### ${entry.name}\n\n${entryDetails(entry)}`);
  return [`### ${name}`, `${description}.`, ...parts].join('\n\n');
}

function entryDetails({ name, description, options, example }: Entry): string {
  const rows = Object.entries(options).map(([option, { required, unless, description: what, input }]) => {
    const choices =
      input.type === 'choice' ? `: ${input.choices.map((choice) => `\`${choice}\``).join(', ')}` : '';
    const needed = neededText(required, unless);
    return `| \`${option}\` | ${needed} | ${what}${choices} |`;
  });
  return [
    `${description}.`,
    `\`\`\`text\n${usage(name, options)}\n\`\`\``,
    ...(rows.length > 0
      ? [['| option | required | meaning |', '| --- | --- | --- |', ...rows].join('\n')]
      : []),
    ...(example ? [`For example: \`${name} ${example}\``] : []),
  ].join('\n\n');
}

function whoMay(command: Command): string {
  const least = permissions[leastPermission(command)];
  const isUniform = command.entries.every(({ permission }) => permissions[permission] === least);
  return isUniform ? WHO[least] : `${WHO[least]}; only operators may make changes`;
}

if (import.meta.main) {
  const { shouldBe } = await commandsPage();
  await writeFile(FILE, shouldBe);
}

function neededText(required: boolean | 'or-preset' | undefined, unless: string | undefined): string {
  if (required === 'or-preset') return 'yes, here or in the preset';
  if (!required) return 'no';
  return unless === undefined ? 'yes' : `unless \`${unless}\` is given`;
}
