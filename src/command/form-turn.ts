import type { Button } from '../chat/card.ts';
import type { Form } from '../chat/form.ts';
import type {
  ActionRequest,
  ClosedForm,
  FormRequest,
  Invocation,
  InvocationRequest,
  Person,
} from '../chat/port.ts';
import { type Clock, within } from '../clock.ts';
import { EdgegapError } from '../edgegap/errors.ts';
import { DeliveryError, InputError, RefusedError } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { RawValues } from './argv.ts';
import type { Command, Entry, Services } from './define.ts';
import { addedTo } from './forms/added.ts';
import { buildForm, type FormParts, givenFields, panel } from './forms/build.ts';
import { knownPage, layoutOf, optionsOn, type Page, pageWith } from './forms/layout.ts';
import { openFormFor } from './forms/open.ts';
import { FORM, type FormRef, formRef } from './forms/ref.ts';
import { formClosed, keptValues, takeValues } from './forms/state.ts';
import { outdatedField, shownText, valuesIn, withoutDots, withoutShown } from './forms/values.ts';
import type { InvocationRecord } from './invocations.ts';
import { formImpossible, formTooLate } from './open-form.ts';
import { parseValues } from './parse.ts';
import type { Permission } from './permissions.ts';
import { usageHint } from './usage.ts';

/**
 * The maximum time to prepare a form that cannot change while it is open, in milliseconds. After this time, the bot
 * acknowledges the request without a form.
 */
const FORM_MS = 1_200;

type CommandRequest = Extract<InvocationRequest, { kind: 'command' }>;

/** The functions and services that the code for forms needs from the turn. A turn carries out a single invocation. */
export interface FormTurnParts {
  readonly invocation: Invocation;
  readonly services: Services;
  readonly answer: Answer;
  readonly clock: Clock;
  authorised(permission: Permission): Promise<Person>;
  /** The person who sent the request. Undefined until the bot has read the person's permissions. */
  asker(): Person | undefined;
  /** Stores the invocation. See `begin` in `carry-out.ts`. */
  begin(record: InvocationRecord): Promise<boolean>;
  /** Whether the platform has sent this request before. */
  isStored(): Promise<boolean>;
  /** Resolves when the limit per person allows the request to continue. */
  mayGoOn(): Promise<void>;
  /** Records the command and the target for the log. */
  about(entry: Entry, values: RawValues): void;
  /** Called when the form has been opened. */
  opened(): Promise<void>;
  /** Called when the bot has made the form but could not open the form. */
  failed(): Promise<void>;
  takeCommand(request: CommandRequest, key: string): Promise<void>;
  /** Carries out the submission of a part of the form. The submission of a part changes nothing. */
  takePart(entry: Entry, check: () => void, run: (person: Person) => Promise<void>): Promise<void>;
}

/** The command and the entry to which a form belongs. */
export interface Meant {
  readonly command: Command;
  readonly entry: Entry;
  readonly ref: FormRef;
}

/** Finds the entry of a form, or of a button that opens a form. */
export function meantBy(
  { directory }: Pick<Services, 'directory'>,
  request: InvocationRequest | ClosedForm,
): Meant | undefined {
  const { action } = 'action' in request ? request : {};
  const command = action?.action === FORM ? directory.get(action.command) : undefined;
  if (!action || !command) return undefined;
  const ref = formRef(action.arg);
  const entry = command.entries.find(({ word }) => word === ref.word);
  return entry && { command, entry, ref: { ...ref, page: knownPage(layoutOf(entry), ref.page) } };
}

/** Opens and reads the forms of commands, for a single invocation. */
export function createFormTurn(parts: FormTurnParts) {
  const { invocation, services, answer, clock } = parts;
  const { at, id, adapter } = invocation;
  const abilities = adapter.supports.forms;
  const live = abilities?.live ?? false;

  /**
   * The parts of a form. A field whose value comes from a preset stays empty. If the field showed the value and the
   * person cleared the field, the preset would set the value again. There is one exception: the option on which other
   * choices depend. If the form cannot change while it is open, `given` contains the preset's value for this option,
   * unless `picks` is true.
   */
  async function partsFor(
    { id, name }: Person,
    entry: Entry,
    given: RawValues,
    { page = '', picks = false }: Partial<Pick<FormRef, 'page' | 'picks'>> = {},
  ): Promise<FormParts> {
    if (!abilities) throw formImpossible(usageHint(entry.name, entry.options));
    const added = await addedTo(given, entry, { ...services, at });
    const { pick = '' } = layoutOf(entry);
    const picked = live || picks ? undefined : added?.values[pick];
    const all = picked === undefined ? given : { ...given, [pick]: picked };
    return { entry, page, given: all, added, abilities, services, asker: { id, name, at } };
  }

  /**
   * Opens the form of a command. The bot does not check the values here, because it checks the submission. `given`
   * returns the values with which the form opens.
   */
  async function open(
    entry: Entry,
    authorise: () => Promise<Person>,
    given: (person: Person) => Promise<RawValues>,
    ref?: FormRef,
  ): Promise<void> {
    if (!invocation.openForm) throw formImpossible(usageHint(entry.name, entry.options));
    answer.needs(entry.permission);
    const making = make();
    // If the platform fails first, no code awaits `making`, so a rejection of `making` must be handled here.
    making.catch(() => undefined);
    try {
      if (!live && !(await within(clock, FORM_MS, making))) {
        await answer.acknowledge('private');
        await making;
        throw formTooLate();
      }
      await invocation.openForm(making);
    } catch (error) {
      // If `make` stores the invocation after this error, the invocation has to be ended, because it will not be
      // carried out.
      void making.then(() => parts.failed()).catch(() => undefined);
      throw error;
    }
    await parts.opened();

    async function make() {
      const person = await authorise();
      await parts.mayGoOn();
      const form = await buildForm(await partsFor(person, entry, await given(person), ref));
      const reply = invocation.reply('private');
      const record = { id, at, person, what: entry.name, changes: false, mode: 'private', reply } as const;
      if (!(await parts.begin(record))) throw new Repeated();
      answer.stored(record);
      return form;
    }
  }

  /**
   * If the request fails with an error that the person can correct in a form, the answer gets a button that opens the
   * form.
   */
  function offer(entry: Entry, given: RawValues): void {
    if (!abilities) return;
    answer.remedy({
      entered: () => [],
      async button(error, begun) {
        const person = parts.asker();
        return person && asksForForm(error, begun) ? await opener(person, entry, given, '') : undefined;
      },
    });
  }

  /**
   * If a submitted form fails with an error that another attempt can avoid, the answer gets a button that opens the
   * form again. If the button cannot be made, the answer shows the values `entered`. `given` returns all values.
   */
  function offerAgain({ entry, ref }: Meant, given: () => Promise<RawValues>, entered: RawValues): void {
    answer.remedy({
      entered: (error, begun) => (!begun && isCorrectable(error, begun) ? givenFields(entry, entered) : []),
      async button(error, begun) {
        if (!isCorrectable(error, begun)) return undefined;
        // If the bot refused the request because too many requests were waiting, it has not read the person's
        // permissions yet.
        const person = parts.asker() ?? (await parts.authorised(entry.permission));
        return await opener(person, entry, await given(), ref.page, error);
      },
    });
  }

  async function opener(
    { id, name }: Person,
    entry: Entry,
    given: RawValues,
    submitted: Page,
    error?: unknown,
  ): Promise<Button> {
    const option = error instanceof InputError ? error.option : undefined;
    const layout = layoutOf(entry);
    const isPick = !live && option !== undefined && option === layout.pick;
    const page = live || option === undefined ? submitted : isPick ? 'pick' : pageWith(layout, option);
    const context = { ...services, asker: { id, name, at } };
    const action = await openFormFor(context, entry.name, withoutMistake(entry, given, option), page);
    return { label: isMistake(error) ? 'Correct it' : 'Open form', style: 'primary', action };
  }

  /**
   * The values of a submitted form. `kept` holds the values with which the form opened, if the bot still has these
   * values.
   */
  async function submittedValues({ fields }: FormRequest, { entry, ref }: Meant) {
    const { options } = entry;
    const id = invocation.meanwhile?.askerId ?? (await invocation.person('cached')).id;
    const kept = await keptValues(services, { id, at }, ref.key);
    const known = withoutShown(kept ?? {}, optionsOn(layoutOf(entry), ref.page, live), options, abilities);
    const entered = kept ? valuesIn(fields, options, kept) : withoutDots(valuesIn(fields, options));
    return { kept, known, entered, given: { ...known, ...entered } };
  }

  /** Offers the form again if the request fails before the bot has read the values. */
  function offerSubmitted(request: FormRequest, meant: Meant): void {
    const { entry } = meant;
    const given = async () => (await submittedValues(request, meant)).given;
    offerAgain(meant, given, withoutDots(valuesIn(request.fields, entry.options)));
  }

  /**
   * The values with which the form opens again. The wrong value is removed if the form cannot show it. The person then
   * gets an empty field, or the menu that comes before the form.
   */
  function withoutMistake(entry: Entry, given: RawValues, name = ''): RawValues {
    const option = entry.options[name];
    const { [name]: value, ...others } = given;
    if (!abilities || !option || value === undefined) return given;
    const isAsked = live || name !== layoutOf(entry).pick;
    return isAsked && shownText(value, option, abilities) !== undefined ? given : others;
  }

  return {
    /** Whether the platform can open a form as the response to this request. */
    possible: abilities !== undefined && invocation.openForm !== undefined,
    offer,
    offerSubmitted,
    open,
    /** Makes the form of a command. */
    async build(person: Person, entry: Entry, given: RawValues): Promise<Form> {
      return await buildForm(await partsFor(person, entry, given));
    },
    /** Carries out a submitted form like a typed command with the same values. */
    async takeSubmission(request: FormRequest, meant: Meant): Promise<void> {
      const { command, entry, ref } = meant;
      const { options, permission } = entry;
      offerSubmitted(request, meant);
      const { kept, known, entered, given } = await submittedValues(request, meant);
      answer.unseen(Object.keys(known).filter((name) => entered[name] === undefined));
      parts.about(entry, given);
      // `takeCommand` deletes the stored values, so the button for another attempt gets the values from memory.
      offerAgain(meant, async () => given, given);
      const outdated = outdatedField(request.fields, options);
      if (!kept || outdated) {
        await parts.authorised(permission);
        // If the invocation is stored, the platform sent this request before, and the first request has deleted the
        // stored values.
        if (await parts.isStored()) throw new Repeated();
        throw outdated ?? formClosed();
      }
      if (/^\d/.test(ref.page)) {
        const check = () => void parseValues(given, entry.name, optional(entry), services.settings);
        const show = async (person: Person) =>
          answer.respond(await panel(await partsFor(person, entry, given)));
        return await parts.takePart(entry, check, show);
      }
      const args = { kind: 'values', subcommand: entry.word, values: given } as const;
      await parts.takeCommand({ kind: 'command', command: command.name, args }, ref.key);
    },
    /** Opens the form when a person presses a button, chooses from a menu or uses a shortcut. */
    async takeOpener({ fields, chosen }: ActionRequest, { entry, ref }: Meant): Promise<void> {
      const layout = layoutOf(entry);
      const { pick } = layout;
      const picked = pick !== undefined && chosen[0] !== undefined ? { [pick]: chosen[0] } : {};
      parts.about(entry, picked);
      offer(entry, picked);
      const given = async (person: Person) => {
        const kept = await keptValues(services, { id: person.id, at }, ref.key);
        if (!kept) throw formClosed();
        // The request of a button inside a form contains the fields of the form, so it shows which fields the person
        // has cleared.
        const shown = fields ? optionsOn(layout, '', live) : [];
        const known = withoutShown(kept, shown, entry.options, abilities);
        const all = { ...known, ...valuesIn(fields ?? {}, entry.options, kept), ...picked };
        offer(entry, all);
        return all;
      };
      await open(entry, () => parts.authorised(entry.permission), given, ref);
    },
    /** Makes sure that the bot carries out a form only once, even if the person submits the form several times. */
    async claim(key: string): Promise<() => Promise<void>> {
      const release = await takeValues(services, key);
      if (!release) throw formClosed();
      return () => release().catch(() => undefined);
    },
  };
}

/** Thrown if the platform sends the same request a second time. */
export class Repeated extends Error {}

/** The options of an entry, all of them optional, because a part of the form does not contain all options. */
function optional({ options }: Entry): Entry['options'] {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { ...option, required: false }]),
  );
}

/** Whether this attempt has changed nothing, and another attempt may succeed with the same or other values. */
function isCorrectable(error: unknown, begun: boolean): boolean {
  if (error instanceof RefusedError) return error.later;
  if (error instanceof DeliveryError) return !begun && (error.retryable || error.outcome === 'unknown');
  return error instanceof InputError || !begun;
}

/** Whether the request may succeed with other values. */
function isMistake(error: unknown): boolean {
  return (error instanceof InputError && !isOver(error)) || error instanceof EdgegapError;
}

/** Whether the form can no longer be submitted. The values in the form may still be correct. */
function isOver(error: unknown): boolean {
  return error instanceof InputError && /^form-(?:closed|outdated)$/.test(error.code);
}

function asksForForm(error: unknown, begun: boolean): boolean {
  if (error instanceof InputError) return error.missing || isOver(error);
  return error instanceof DeliveryError && !begun;
}
