import type { Card, Field, Node } from '../src/chat/card.ts';
import { counted, rowText } from '../src/chat/facts.ts';
import { withTyped } from '../src/chat/typed.ts';
import { quoted } from '../src/command/argv.ts';
import { type CheckContext, type Context, defineCommand, defineGroup } from '../src/command/define.ts';
import { checkPart, type Given } from '../src/command/deploy-order.ts';
import type { FormLayout } from '../src/command/forms/form-layout.ts';
import { findPreset } from '../src/command/kinds/preset.ts';
import type { OptionSpecs } from '../src/command/options.ts';
import { pageAction, pageFoot, pageOf, pageOption } from '../src/command/pages.ts';
import { MOST_PRESETS, type Preset } from '../src/command/presets.ts';
import { InputError } from '../src/errors.ts';
import deploy from './deploy.ts';

const ROWS = 10;

/**
 * The options of `deploy` that a preset can hold. Hidden variables are excluded, because the bot shows the values of a
 * preset in chat.
 */
const savable: OptionSpecs = Object.fromEntries(
  Object.entries(deploy.options as OptionSpecs)
    .filter(([, { kind }]) => kind !== 'preset' && kind !== 'hidden-variables')
    .map(([option, spec]) => [option, { ...spec, required: false }]),
);

const name = (description: string) =>
  ({
    kind: 'preset-name',
    required: true,
    positional: true,
    placeholder: 'For example qa',
    description,
  }) as const;

/** The form of `preset save`: a field for the name of the preset, followed by the fields of `deploy`. */
function saveLayout(): FormLayout {
  const { first, more = {} } = deploy.layout ?? { first: [] };
  const saved = (names: readonly string[]) => names.filter((name) => Object.hasOwn(savable, name));
  const [lifetime, others] = [saved(['for']), saved(first).filter((name) => name !== 'for')];
  const groups = Object.entries(more).map(([title, names]) => [title, saved(names)] as const);
  return {
    title: 'Save a preset',
    submit: 'Save',
    first: ['name', ...others],
    more: { 'Lifetime and name': [...lifetime, 'replace'], ...Object.fromEntries(groups) },
  };
}

const change = { permission: 'presets.change', ack: 'private' } as const;

export default defineGroup({
  description: 'Save options of deploy under a name, and list, show or delete what is saved',
  topic: 'start',
  usual: 'list',
  actions: { page: pageAction<object>((context, _, page) => list(context, page)) },
  subcommands: {
    list: defineCommand({
      description: 'List the presets',
      permission: 'deployments.read',
      ack: 'private',
      options: { page: pageOption },
      run: (context) => list(context, context.options.page ?? 1),
    }),
    show: defineCommand({
      description: 'Show the options of a preset',
      example: 'qa',
      permission: 'deployments.read',
      ack: 'private',
      options: { name: { ...name('The preset to show'), label: 'Preset' } },
      layout: { title: 'Show a preset', submit: 'Show', first: ['name'] },
      check: async (context) => void (await found(context)),
      async run(context) {
        const preset = await found(context);
        await context.respond(presetCard(context, preset, ['Preset '], howToDeploy(context)));
      },
    }),
    save: defineCommand({
      ...change,
      description: 'Save options of deploy under a name',
      example: 'qa kart-racing v1.2 --near Montreal --tag qa',
      interrupted:
        'The preset may or may not have been saved: look with `preset list`, and ask again if not.',
      options: {
        name: { ...name('The name of the preset'), asText: true },
        ...savable,
        replace: {
          kind: 'boolean',
          label: 'Replace a preset',
          description: 'Replace the preset of this name',
        },
      },
      layout: saveLayout(),
      check: maySave,
      run: save,
    }),
    delete: defineCommand({
      ...change,
      description: 'Delete a preset, and show what it held',
      example: 'qa',
      interrupted:
        'The preset may or may not have been deleted: look with `preset list`, and ask again if not.',
      options: { name: { ...name('The preset to delete'), label: 'Preset' } },
      layout: { title: 'Delete a preset', submit: 'Delete', first: ['name'] },
      check: async (context) => void (await found(context)),
      async run(context) {
        const preset = await found(context);
        await context.presets.delete(context.asker.at, preset.name);
        const note = 'To have the preset back, save these options again.';
        await context.respond(presetCard(context, preset, ['Deleted the preset '], note));
      },
    }),
  },
});

interface Named {
  readonly name: string;
}
interface Saving extends Named, Partial<Given> {
  readonly replace: boolean | undefined;
}

function found({ presets, asker, options }: CheckContext<Named>): Promise<Preset> {
  return findPreset(presets, asker.at, options.name);
}

function howToDeploy({ options }: CheckContext<Named>): string {
  return `Deploy with \`deploy @${options.name}\`.`;
}

/** The definition of an option of `deploy`. Undefined if `deploy` does not have the option. */
function specOf({ directory }: CheckContext<unknown>, option: string) {
  return directory.get('deploy')?.usual?.options[option];
}

/**
 * Returns the preset to save. If the person typed, for example, the name of an application in a different spelling, the
 * preset contains the exact name.
 */
function wanted(context: CheckContext<Saving>): Preset {
  const { given, asker, clock } = context;
  const values: Readonly<Record<string, unknown>> = { ...context.options };
  const options = Object.entries(given).flatMap(([option, typed]) => {
    const value = Object.hasOwn(savable, option) ? values[option] : undefined;
    if (value === undefined) return [];
    const isName = typeof value === 'string' && typeof typed === 'string';
    const exact = isName ? value : specOf(context, option)?.kind.exact?.(value);
    return [[option, exact ?? typed] as const];
  });
  const { name } = context.options;
  return { name, options: Object.fromEntries(options), savedBy: asker.name, savedAt: clock.now() };
}

async function maySave(context: CheckContext<Saving>): Promise<void> {
  const { name, options } = wanted(context);
  if (Object.keys(options).length === 0)
    throw new InputError('preset-empty', 'A preset needs at least one option of deploy.', {
      hint: `For example: \`preset save ${name} kart-racing v1.2 --near Montreal\``,
      missing: true,
    });
  await checkPart(context, context.options);
  const all = await context.presets.all(context.asker.at);
  const exists = all.some((one) => one.name === name);
  if (exists && !context.options.replace) throw taken(name);
  if (!exists && all.length >= MOST_PRESETS)
    throw new InputError('preset-limit', `There are ${all.length} presets here, and no more fit.`, {
      hint: 'Nothing was saved. Delete a preset that nobody needs (`preset delete`), then ask again.',
    });
}

function taken(name: string): InputError {
  return new InputError('preset-exists', `There is a preset ${quoted(name)} already.`, {
    hint: 'Nothing was saved. Choose another name, or add `--replace`.',
    option: 'name',
  });
}

async function save(context: Context<Saving>): Promise<void> {
  const { presets, asker, options, respond } = context;
  const preset = wanted(context);
  if (!(await presets.save(asker.at, preset, options.replace ?? false))) throw taken(preset.name);
  await respond(presetCard(context, preset, ['Saved the preset '], howToDeploy(context)));
}

function presetCard(context: Context<unknown>, preset: Preset, title: readonly string[], note: string): Card {
  const fields = Object.entries(preset.options).map(([option, given]): Field => {
    const spec = specOf(context, option);
    const shown = spec?.shown ?? spec?.kind.shown;
    const text = shown ? shown(given) : [given].flat().join(', ');
    // If `deploy` no longer has the option, the bot cannot know whether the value is secret, and does not show the
    // value.
    return { label: option, value: [spec ? text : 'deploy no longer has this option'] };
  });
  const nodes: Node[] = [
    { kind: 'fields', fields },
    {
      kind: 'note',
      text: [
        `Saved by ${preset.savedBy} `,
        { time: preset.savedAt, style: 'relative' },
        ...withTyped(`. ${note}`),
      ],
    },
  ];
  return { kind: 'card', tone: 'neutral', title: [...title, { code: preset.name }], nodes };
}

async function list(context: Context<unknown>, page: number): Promise<void> {
  const all = await context.presets.all(context.asker.at);
  const { rows, ...at } = pageOf(all, page, ROWS);
  const empty = 'Save a preset with: `preset save qa kart-racing v1.2 --near Montreal`';
  const nodes: Node[] = [
    ...(all.length === 0 ? [{ kind: 'text', text: withTyped(empty) } as const] : []),
    ...rows.map(row),
    ...(await pageFoot(context, 'preset', {}, at)),
  ];
  const title = [all.length === 0 ? 'No presets yet' : counted(all.length, 'preset')];
  await context.respond({ kind: 'card', tone: 'neutral', title, nodes });
}

/** Shows the values of the positional options, followed by only the names of the other options. */
function row({ name, options, savedBy }: Preset): Node {
  const [plain, others] = [true, false].map((isPlain) =>
    Object.keys(options).filter((option) => (savable[option]?.positional ?? false) === isPlain),
  );
  const values = (plain ?? []).map((option) => String(options[option])).join(' ');
  const more = others?.length ? `with ${others.join(', ')}` : '';
  return rowText([{ bold: name }], [values, more, `saved by ${savedBy}`]);
}
