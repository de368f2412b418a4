import type { Card, Field, Inline, Node, Rich } from '../src/chat/card.ts';
import { asTyped, firstWord, nearest, parseText, quoted, unaddressed } from '../src/command/argv.ts';
import {
  type Command,
  type Context,
  defineCommand,
  type Entry,
  leastPermission,
  type Services,
  type Topic,
} from '../src/command/define.ts';
import { application as applicationKind } from '../src/command/kinds/application.ts';
import { deployment as deploymentKind } from '../src/command/kinds/deployment.ts';
import { version as versionKind } from '../src/command/kinds/version.ts';
import { namesakes } from '../src/command/same-name.ts';
import { usage } from '../src/command/usage.ts';
import { InputError } from '../src/errors.ts';

export default defineCommand({
  description: 'Show what you may do here',
  example: 'deploy',
  permission: 'help',
  ack: 'private',
  options: {
    command: { kind: 'string', positional: true, maxLength: 32, description: 'A command to explain' },
    subcommand: { kind: 'string', positional: true, maxLength: 32, description: 'A subcommand to explain' },
  },
  async run(context) {
    const { options, directory, may, respond } = context;
    const allowed = directory.all.filter((command) => may(leastPermission(command)));
    if (options.command === undefined) {
      const topics = TOPICS.flatMap(([topic, title]) => {
        const commands = allowed.filter((command) => command.topic === topic);
        return commands.length === 0 ? [] : [topicNode(title, commands, context)];
      });
      const example =
        allowed.find(({ name }) => name === 'deploy') ?? allowed.find(({ name }) => name !== 'help');
      const note: Rich = example
        ? [
            { typed: `help ${example.name}` },
            ' shows how to use that command. Instead of a whole request_id you can give its beginning, if that fits a single server of this channel, or else a single server that was not deployed from chat.',
          ]
        : ['You may not look at or change servers here. Ask an administrator of this place for access.'];
      const nodes: Node[] = [...topics, { kind: 'note', text: note }];
      await respond({ kind: 'card', tone: 'neutral', title: ['What you may do here'], nodes });
      return;
    }
    const [name] = firstWord(unaddressed(options.command));
    const command = find('command', name, allowed, (one) => one.name);
    const entries = command.entries.filter(({ permission }) => may(permission));
    const { subcommand } = options;
    if (subcommand !== undefined && command.usual?.word === undefined && command.usual)
      throw new InputError('help-unknown', `${command.name} has no subcommands.`, {
        hint: `\`help ${command.name}\` shows how to use ${command.name}.`,
      });
    const asked =
      subcommand === undefined
        ? entries
        : [find(`subcommand of ${command.name}`, subcommand, entries, ({ word = '' }) => word)];
    await respond(explain(command, asked, context));
  },
});

/** The topics, in the order in which help shows them. */
const TOPICS: readonly (readonly [Topic | undefined, string])[] = [
  ['start', 'Start a server'],
  ['look', 'See what runs'],
  ['change', 'Change a server'],
  ['catalogue', 'Find out what you can deploy'],
  [undefined, 'The bot'],
];

/** The commands of a topic, with an example that works in this account. */
function topicNode(title: string, commands: readonly Command[], { catalog }: Context<unknown>): Node {
  const text: Inline[] = [{ bold: title }];
  for (const { name, description } of commands) text.push('\n', { typed: name }, `: ${description}`);
  const entry = commands.map(({ usual, entries }) => usual ?? entries[0]).find((one) => one?.example);
  if (entry && entry.name !== 'help')
    text.push('\nFor example: ', { typed: `${entry.name} ${exampleOf(entry, catalog)}` });
  return { kind: 'text', text };
}

function find<Item>(noun: string, wanted: string, there: readonly Item[], nameOf: (item: Item) => string) {
  const [found] = namesakes(wanted, there, nameOf);
  if (found) return found;
  const names = there.map(nameOf);
  const near = nearest(wanted, names);
  throw new InputError('help-unknown', `There is no ${noun} ${quoted(wanted)} for you here.`, {
    hint: near ? `Did you mean ${near}?` : `There are: ${names.join(', ')}.`,
  });
}

function explain(command: Command, entries: readonly Entry[], { catalog }: Context<unknown>): Card {
  const [only] = entries.length === 1 ? entries : [];
  const { name, description } = only ?? command;
  const fields: Field[] = only
    ? Object.entries(only.options).map(([option, { required, description, input }]) => ({
        label: required === true ? `${option} (required)` : option,
        value: [input.type === 'choice' ? `${description}: ${input.choices.join(', ')}` : description],
      }))
    : entries.map(({ word = '', description }) => ({ label: word, value: [description] }));
  const example = only ? exampleOf(only, catalog) : '';
  const more: Rich = only
    ? ['For example: ', { typed: `${name} ${example}` }]
    : [{ typed: `help ${entries.at(-1)?.name}` }, ' shows more about that subcommand.'];
  const usages = entries.flatMap(
    (entry, nth): Rich => [nth === 0 ? '' : '\n', { typed: usage(entry.name, entry.options) }],
  );
  const nodes: Node[] = [
    { kind: 'text', text: [description, '.'] },
    { kind: 'text', text: usages },
    ...(fields.length > 0 ? [{ kind: 'fields' as const, fields }] : []),
    ...(example || !only ? [{ kind: 'text' as const, text: more }] : []),
  ];
  return { kind: 'card', tone: 'neutral', title: [name], nodes };
}

/**
 * The command's example for this account. The example names the newest deployment of the channel, and an application
 * and a version from the cache if the cache has any.
 */
function exampleOf({ example: written = '', options }: Entry, catalog: Services['catalog']): string {
  const values = parseText(written, '', options);
  const deployment = Object.keys(values).find((name) => options[name]?.kind === deploymentKind);
  const example = deployment ? written.replace(String(values[deployment]), '@last') : written;
  const [application, version] = [applicationKind, versionKind].map((kind) =>
    String(values[Object.keys(values).find((name) => options[name]?.kind === kind) ?? ''] ?? ''),
  );
  if (!application) return example;
  const usable = catalog.lastSeen().filter((one) => one.is_active);
  const picked =
    usable.find(({ name }) => name === application) ??
    usable.find(({ versions }) => versions.some((one) => one.is_active)) ??
    usable[0];
  if (!picked) return example;
  const isRead = picked.versions.length > 0;
  // Reads the versions in the background, so that the next call of help can use them. This answer does not wait for
  // them.
  if (!isRead) void catalog.versions(picked.name).catch(() => undefined);
  const [newest, ...older] = picked.versions.filter((one) => one.is_active).map((one) => one.name);
  const isUsual = isRead ? [newest, ...older].includes(version) : picked.name === application;
  const named = example.replace(application, asTyped(picked.name));
  return version && !isUsual ? named.replace(version, asTyped(newest ?? '<version>')) : named;
}
