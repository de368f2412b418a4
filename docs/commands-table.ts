/** `npm run docs`: writes what the commands say of themselves into docs/commands.md, between the markers. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command, Directory, NamedCommand } from '../src/command/define.ts';
import { loadCommands } from '../src/command/load.ts';
import { permissions } from '../src/command/permissions.ts';
import { usage } from '../src/command/usage.ts';

const FILE = join(import.meta.dirname, 'commands.md');
const FOLDER = join(import.meta.dirname, '..', 'commands');
const BEGIN = '<!-- commands: written by npm run docs -->';
const END = '<!-- /commands -->';

const WHO = { open: 'everyone served', read: 'readers and operators', change: 'operators' } as const;

/** The page as it is, and as it should be. */
export async function commandsPage(): Promise<{ readonly is: string; readonly shouldBe: string }> {
  const is = await readFile(FILE, 'utf8');
  const [before, after] = [is.split(BEGIN)[0], is.split(END)[1]];
  if (before === undefined || after === undefined) throw new Error(`${FILE} has lost its markers`);
  const { all } = await loadCommands(FOLDER);
  return { is, shouldBe: `${before}${BEGIN}\n\n${describe(all)}\n\n${END}${after}` };
}

function describe(all: Directory['all']): string {
  const table = ['| command | what it does | who may |', '| --- | --- | --- |'];
  for (const { name, command } of all)
    table.push(`| [\`${name}\`](#${name}) | ${command.description} | ${whoMay(command)} |`);
  return [table.join('\n'), ...all.map(details)].join('\n\n');
}

function details({ name, command }: NamedCommand): string {
  const options = Object.entries(command.options).map(([option, spec]) => {
    const { input } = spec;
    const choices =
      input.type === 'choice' ? `: ${input.choices.map((choice) => `\`${choice}\``).join(', ')}` : '';
    return `| \`${option}\` | ${spec.required ? 'yes' : 'no'} | ${spec.description}${choices} |`;
  });
  return [
    `### ${name}`,
    `${command.description}.`,
    `\`\`\`text\n${usage(name, command.options)}\n\`\`\``,
    ['| option | required | |', '| --- | --- | --- |', ...options].join('\n'),
    ...(command.example ? [`For example: \`${name} ${command.example}\``] : []),
  ].join('\n\n');
}

function whoMay({ permission }: Command): string {
  if (typeof permission === 'string') return WHO[permissions[permission]];
  return `${WHO[permissions[permission.least]]}; what changes something, operators`;
}

if (import.meta.main) {
  const { shouldBe } = await commandsPage();
  await writeFile(FILE, shouldBe);
}
