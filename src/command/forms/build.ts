import type { ActionRef, Card, Choice, Field, Node } from '../../chat/card.ts';
import type { Form, FormField } from '../../chat/form.ts';
import type { FormAbilities } from '../../chat/port.ts';
import type { RawValues } from '../argv.ts';
import type { Asker, Entry, Services } from '../define.ts';
import { Question } from '../question.ts';
import type { Added } from './added.ts';
import { choicesFor, type FieldParts, fieldsFor } from './fields.ts';
import { inWords, type Layout, layoutOf, optionsOn, type Page } from './layout.ts';
import { formAction } from './ref.ts';
import { keepValues } from './state.ts';
import { writeField } from './values.ts';

/** The data from which the form for a person is built. */
export interface FormParts {
  readonly entry: Entry;
  readonly page: Page;
  /** The values so far. */
  readonly given: RawValues;
  /** The values that a preset gives to the fields that stay empty. */
  readonly added?: Added | undefined;
  readonly abilities: FormAbilities;
  readonly services: Services;
  readonly asker: Asker;
}

/**
 * Makes a form. Throws InputError if a menu of the form would have no choices. Some forms cannot change while they are
 * open. If the choices of such a form depend on an option without a value, throws a Question with a menu for this
 * option.
 */
export async function buildForm(parts: FormParts): Promise<Form> {
  const { entry, given, abilities, services, asker } = parts;
  const layout = layoutOf(entry);
  const { pick, more } = layout;
  if (!abilities.live && parts.page === '' && pick !== undefined && given[pick] === undefined)
    throw await pickFirst(parts);
  const isHere = (name: string) => given[name] !== undefined && !entry.options[name]?.kind.onlyInForm;
  const opensAll = abilities.live && more.some(({ options }) => options.some(isHere));
  const page = opensAll ? 'all' : parts.page;
  const key = await keepValues(services, asker, given);
  const fields = await pageFields(page, layout, parts);
  const picked = pick !== undefined && !abilities.live && page === '' ? ` ${String(given[pick])}` : '';
  return {
    title: (picked ? inWords(entry.name) + picked : undefined) ?? groupTitle(layout, page) ?? layout.title,
    submitLabel: layout.submit,
    posts: entry.ack === 'public',
    submit: formAction(entry, key, page),
    fields,
    ...(abilities.live && page === '' && more.length > 0
      ? { more: { label: 'More options', action: formAction(entry, key, 'all') } }
      : {}),
  };
}

function groupTitle({ more }: Layout, page: Page): string | undefined {
  return more[Number(page) - 1]?.title;
}

async function pageFields(page: Page, layout: Layout, parts: FormParts): Promise<FormField[]> {
  const { abilities } = parts;
  const about = fieldParts(parts);
  if (page !== 'all') {
    const names = optionsOn(layout, page, abilities.live).slice(0, abilities.fields);
    return await fieldsFor(names, about, abilities.fields);
  }
  const groups = [{ title: undefined, options: layout.first }, ...layout.more];
  const fields = await Promise.all(
    groups.map(async ({ title, options }) => {
      const [first, ...rest] = await fieldsFor(options, about, 0);
      return first && title !== undefined
        ? [{ ...first, heading: title }, ...rest]
        : [first ?? [], rest].flat();
    }),
  );
  return fields.flat();
}

function fieldParts({ entry, given, added, abilities, services, asker }: FormParts): FieldParts {
  return { entry, given, added, abilities, suggesting: { ...services, at: asker.at } };
}

/** A question with a menu for the option on which the other choices depend. */
async function pickFirst(parts: FormParts): Promise<Question> {
  const card = await panel(parts);
  return new Question(
    'form-pick',
    'I have to ask more with a menu, and could not show the menu. Try again.',
    card,
  );
}

/**
 * The private message from which a person opens the parts of a form. The message shows the values so far, a menu for
 * the option on which the other choices depend, and a button for each part.
 */
export async function panel(parts: FormParts): Promise<Card> {
  const { entry, given, services, asker, abilities } = parts;
  const layout = layoutOf(entry);
  const { pick, more, title } = layout;
  const key = Object.keys(given).length > 0 ? await keepValues(services, asker, given) : '';
  const option = pick === undefined ? undefined : entry.options[pick];
  const all = pick !== undefined && option ? await choicesFor(pick, option, fieldParts(parts)) : [];
  const isPicked = pick === undefined || given[pick] !== undefined;
  const button = (label: string, style: 'primary' | 'secondary', action: ActionRef) => ({
    label,
    style,
    action,
  });
  const buttons = [
    ...(isPicked ? [button('Continue', 'primary', formAction(entry, key))] : []),
    ...more.map((group, index) => button(group.title, 'secondary', formAction(entry, key, `${index + 1}`))),
  ];
  const fields = givenFields(entry, given);
  const nodes: Node[] = [
    ...(fields.length > 0 ? [{ kind: 'fields', fields } as const] : []),
    ...(pick === undefined
      ? []
      : menuNodes(entry, pick, {
          all,
          most: abilities.choices,
          key,
          isPicked,
          rest: restOf(entry, layout),
          hasMore: more.length > 0,
        })),
    ...(buttons.length > 0 ? [{ kind: 'buttons', buttons } as const] : []),
  ];
  return { kind: 'card', tone: 'neutral', title: [title], nodes };
}

/** The names of the fields in the form that follows the menu, for example `version, city and tags`. */
function restOf({ options }: Entry, { first, pick }: Layout): string {
  const names = first.filter((name) => name !== pick);
  const labels = names.map((name) => (options[name]?.label ?? inWords(name)).toLowerCase());
  return new Intl.ListFormat('en-GB').format(labels) || 'the rest';
}

function menuNodes(
  entry: Entry,
  pick: string,
  {
    all,
    most,
    key,
    isPicked,
    rest,
    hasMore,
  }: {
    readonly all: readonly Choice[];
    readonly most: number;
    readonly key: string;
    readonly isPicked: boolean;
    readonly rest: string;
    readonly hasMore: boolean;
  },
): Node[] {
  const choices = all.slice(0, most);
  if (choices.length === 0)
    return [{ kind: 'text', text: [`Type the ${pick} with the command: I do not know any right now.`] }];
  const others = `The menu shows ${most} of ${all.length >= 100 ? 'many' : all.length}. For another ${pick}, type its name in the option ${pick} of the command.`;
  const words = isPicked
    ? `Continue, or choose another ${pick}.`
    : `Then a form asks for ${rest}.${hasMore ? ' For rarer options, use the buttons first.' : ''}`;
  return [
    { kind: 'select', placeholder: `Choose the ${pick}`, choices, action: formAction(entry, key, 'pick') },
    { kind: 'note', text: [words] },
    ...(all.length > most ? [{ kind: 'note', text: [others] } as const] : []),
  ];
}

/** The values so far, as the fields of a card. A value that may be secret is not shown. */
export function givenFields({ options }: Entry, given: RawValues): Field[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const option = options[name];
    if (!option) return [];
    const shown = option.shown ?? option.kind.shown;
    return [
      { label: option.label ?? inWords(name), value: [shown ? shown(value) : writeField(value, option)] },
    ];
  });
}
