import type { Field, Node, Rich } from '../src/cards/card.ts';
import { nearest, quoted, usage } from '../src/command/argv.ts';
import { type Command, defineCommand, leastPermission } from '../src/command/define.ts';
import { InputError } from '../src/errors.ts';

export default defineCommand({
  description: 'Show what you may do here',
  example: 'deploy',
  permission: 'help',
  ack: 'private',
  options: {
    command: { kind: 'string', positional: true, maxLength: 32, description: 'A command to explain' },
  },
  async run({ options, directory, may, respond }) {
    const allowed = directory.all.filter(({ command }) => may(leastPermission(command)));
    if (options.command === undefined) {
      const others = allowed.filter(({ name }) => name !== 'help');
      const fields: Field[] = allowed.map(({ name, command }) => ({
        label: name,
        value: [command.description],
      }));
      const [example] = others;
      const note: Rich = example
        ? [
            { code: `help ${example.name}` },
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
    const name = options.command.toLowerCase().replace(/^\//, '');
    const found = allowed.find((one) => one.name === name);
    if (!found) {
      const near = nearest(
        name,
        allowed.map((one) => one.name),
      );
      throw new InputError('help-unknown', `There is no command ${quoted(name)} for you here.`, {
        hint: near ? `Did you mean ${near}?` : `There are: ${allowed.map((one) => one.name).join(', ')}.`,
      });
    }
    await respond(explain(found.name, found.command));
  },
});

function explain(name: string, command: Command) {
  const fields: Field[] = Object.entries(command.options).map(([option, spec]) => ({
    label: spec.required ? option : `${option} (optional)`,
    value: [spec.kind === 'choice' ? `${spec.description}: ${spec.choices.join(', ')}` : spec.description],
  }));
  const nodes: Node[] = [
    { kind: 'text', text: [command.description, '.'] },
    { kind: 'code', text: usage(name, command.options), keep: 'start' },
    ...(fields.length > 0 ? [{ kind: 'fields' as const, fields }] : []),
    ...(command.example
      ? [{ kind: 'text' as const, text: ['For example: ', { code: `${name} ${command.example}` }] }]
      : []),
  ];
  return { kind: 'card' as const, tone: 'neutral' as const, title: [name], nodes };
}
