import type { Field, Node, Rich } from '../src/chat/card.ts';
import { nearest, parseText, quoted, unaddressed } from '../src/command/argv.ts';
import { type Command, defineCommand, leastPermission, type Services } from '../src/command/define.ts';
import { application as applicationKind } from '../src/command/kinds/application.ts';
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
  },
  async run({ options, directory, catalog, prompt, may, respond }) {
    const allowed = directory.all.filter(({ command }) => may(leastPermission(command)));
    if (options.command === undefined) {
      const others = allowed.filter(({ name }) => name !== 'help');
      const fields: Field[] = allowed.map(({ name, command }) => ({
        label: prompt + name,
        value: [command.description],
      }));
      const [example] = others;
      const note: Rich = example
        ? [
            { code: `${prompt}help ${example.name}` },
            ' shows how to use one. A request_id can be shortened to its beginning, where only one deployment of this channel begins so.',
          ]
        : ['You may not look at or change deployments here. Ask an administrator of this place for access.'];
      const nodes: Node[] = [
        { kind: 'fields', fields },
        { kind: 'note', text: note },
      ];
      await respond({ kind: 'card', tone: 'neutral', title: ['What you may do here'], nodes });
      return;
    }
    const name = unaddressed(options.command);
    const [found] = namesakes(name, allowed, (one) => one.name);
    if (!found) {
      const near = nearest(
        name,
        allowed.map((one) => one.name),
      );
      throw new InputError('help-unknown', `There is no command ${quoted(name)} for you here.`, {
        hint: near ? `Did you mean ${near}?` : `There are: ${allowed.map((one) => one.name).join(', ')}.`,
      });
    }
    await respond(explain(found.name, found.command, prompt, catalog));
  },
});

function explain(name: string, command: Command, prompt: string, catalog: Services['catalog']) {
  const example = exampleOf(command, catalog);
  const fields: Field[] = Object.entries(command.options).map(
    ([option, { required, description, input }]) => ({
      label: required ? option : `${option} (optional)`,
      value: [input.type === 'choice' ? `${description}: ${input.choices.join(', ')}` : description],
    }),
  );
  const nodes: Node[] = [
    { kind: 'text', text: [command.description, '.'] },
    { kind: 'code', text: usage(prompt + name, command.options), keep: 'start' },
    ...(fields.length > 0 ? [{ kind: 'fields' as const, fields }] : []),
    ...(example
      ? [{ kind: 'text' as const, text: ['For example: ', { code: `${prompt}${name} ${example}` }] }]
      : []),
  ];
  return { kind: 'card' as const, tone: 'neutral' as const, title: [name], nodes };
}

/** The command's own, with an application and a version that there are, as far as that is known without asking. */
function exampleOf({ example = '', options }: Command, catalog: Services['catalog']): string {
  const values = parseText(example, '', options);
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
  // Nobody waits for the others; they are there the next time.
  if (!isRead) void catalog.versions(picked.name).catch(() => undefined);
  const [newest, ...older] = picked.versions.filter((one) => one.is_active).map((one) => one.name);
  const isUsual = isRead ? [newest, ...older].includes(version) : picked.name === application;
  const named = example.replace(application, typed(picked.name));
  return version && !isUsual ? named.replace(version, typed(newest ?? '<version>')) : named;
}

/** In quotation marks, where a name needs them. */
function typed(name: string): string {
  return /[\s"'=]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name;
}
