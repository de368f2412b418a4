import type { Card, Field, Inline, Node, Rich } from '../src/chat/card.ts';
import { asTyped, firstWord, nearest, parseText, quoted, unaddressed } from '../src/command/argv.ts';
import { NO_ACCESS } from '../src/command/authorise.ts';
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
  actions: {
    topic: {
      permission: 'help',
      ack: 'update',
      run: (context) => context.respond(topicCard(context, context.chosen[0] ?? '') ?? overview(context)),
    },
  },
  async run(context) {
    const { options, may, respond } = context;
    const allowed = allowedTo(context);
    if (options.command === undefined) return await respond(overview(context));
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
const TOPICS: readonly (readonly [id: string, topic: Topic | undefined, title: string])[] = [
  ['start', 'start', 'Start a server'],
  ['look', 'look', 'See what runs'],
  ['change', 'change', 'Change a server'],
  ['catalogue', 'catalogue', 'Find out what you can deploy'],
  ['bot', undefined, 'The bot'],
];

type Helping = Pick<Context<unknown>, 'directory' | 'may' | 'catalog'>;

function allowedTo({ directory, may }: Helping): Command[] {
  return directory.all.filter((command) => may(leastPermission(command)));
}

/** Topics in which the person may use at least one command. */
function topicsFor(context: Helping) {
  const allowed = allowedTo(context);
  return TOPICS.map(([id, topic, title]) => {
    const commands = allowed.filter((command) => command.topic === topic);
    return { id, title, commands };
  }).filter(({ commands }) => commands.length > 0);
}

/** Lists the topics with only the names of the commands, so that the card fits the screen of a phone. */
function overview(context: Helping): Card {
  const topics = topicsFor(context);
  const fields = topics.map(
    ({ title, commands }): Field => ({
      label: title,
      value: commands.flatMap(({ name }, nth): Rich => [nth === 0 ? '' : ' ', { typed: name }]),
    }),
  );
  const [first] = topics.find(({ id }) => id !== 'bot')?.commands ?? [];
  const nodes: Node[] = [
    { kind: 'fields', fields },
    ...(first ? [{ kind: 'text', text: exampleText([first], context.catalog) } as const] : []),
    { kind: 'note', text: first ? explains(first) : [NO_ACCESS] },
    topicMenu(topics),
  ];
  return { kind: 'card', tone: 'neutral', title: ['What you may do here'], nodes };
}

/** Describes each command of a topic. Returns undefined if the person may not use any command of the topic. */
function topicCard(context: Helping, wanted: string): Card | undefined {
  const topics = topicsFor(context);
  const topic = topics.find(({ id }) => id === wanted);
  if (!topic) return undefined;
  const { title, commands } = topic;
  const lines = commands.flatMap(
    ({ name, description }, nth): Rich => [nth === 0 ? '' : '\n', { typed: name }, ` ${description}`],
  );
  const example = exampleText(commands, context.catalog);
  const nodes: Node[] = [
    { kind: 'text', text: lines },
    ...(example.length > 0 ? [{ kind: 'text', text: example } as const] : []),
    {
      kind: 'note',
      text: [
        ...(wanted === 'look' || wanted === 'change' ? [SHORT_IDS] : []),
        ...(commands[0] ? explains(commands[0]) : []),
      ],
    },
    topicMenu(topics),
  ];
  return { kind: 'card', tone: 'neutral', title: [title], nodes };
}

const SHORT_IDS =
  'Instead of a whole request_id you can give its beginning, if that fits a single server of this channel, or else a single server that was not deployed from chat. ';

function explains({ name }: Command): Rich {
  return [{ typed: `help ${name}` }, ' shows how to use that command.'];
}

function topicMenu(topics: ReturnType<typeof topicsFor>): Node {
  return {
    kind: 'select',
    placeholder: 'Explain a topic',
    choices: topics.map(({ id, title }) => ({ label: title, value: id })),
    action: { command: 'help', action: 'topic', arg: '' },
  };
}

/** Returns an example of the first command that has an example, with names from this Edgegap account. */
function exampleText(commands: readonly Command[], catalog: Services['catalog']): Inline[] {
  const entry = commands.map(({ usual, entries }) => usual ?? entries[0]).find((one) => one?.example);
  if (!entry || entry.name === 'help') return [];
  return ['For example: ', { typed: `${entry.name} ${exampleOf(entry, catalog)}` }];
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
    ...(example ? [{ kind: 'text' as const, text: more }] : []),
    { kind: 'text', text: usages },
    ...(fields.length > 0 ? [{ kind: 'fields' as const, fields }] : []),
    ...(only ? [] : [{ kind: 'note' as const, text: more }]),
  ];
  return { kind: 'card', tone: 'neutral', title: [name], nodes };
}

/**
 * Adapts the command's example to this Edgegap account. `@last`, the newest deployment of the channel, replaces a
 * request_id. Names from the cache replace the application and the version if the account does not have the names in
 * the example.
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
  // Reads the versions in the background for the next call of `help`. The current answer does not wait for the
  // versions.
  if (!isRead) void catalog.versions(picked.name).catch(() => undefined);
  const [newest, ...older] = picked.versions.filter((one) => one.is_active).map((one) => one.name);
  const isUsual = isRead ? [newest, ...older].includes(version) : picked.name === application;
  const named = example.replace(application, asTyped(picked.name));
  return version && !isUsual ? named.replace(version, asTyped(newest ?? '<version>')) : named;
}
