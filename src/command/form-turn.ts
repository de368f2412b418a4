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

/** How long a form that cannot change may take, in milliseconds. Afterwards the request is acknowledged without a form. */
const FORM_MS = 1_200;

type CommandRequest = Extract<InvocationRequest, { kind: 'command' }>;

/** The parts of a turn that its forms need. */
export interface FormTurnParts {
  readonly invocation: Invocation;
  readonly services: Services;
  readonly answer: Answer;
  readonly clock: Clock;
  authorised(permission: Permission): Promise<Person>;
  /** The person who asks. Undefined until the person has been authorised. */
  asker(): Person | undefined;
  /** See `begin` of the turn. */
  begin(record: InvocationRecord): Promise<boolean>;
  /** Whether the platform has sent this request before. */
  isStored(): Promise<boolean>;
  /** Resolves when the fair share lets the request go on. */
  mayGoOn(): Promise<void>;
  /** Records the command and the target for the log. */
  about(entry: Entry, values: RawValues): void;
  /** Called when the form has been opened. */
  opened(): Promise<void>;
  /** Called when the form was made, but could not be opened. */
  failed(): Promise<void>;
  takeCommand(request: CommandRequest, key: string): Promise<void>;
  /** Carries out a part of the form, which changes nothing. */
  takePart(entry: Entry, check: () => void, run: (person: Person) => Promise<void>): Promise<void>;
}

/** The entry of a command that a request for a form means. */
export interface Meant {
  readonly command: Command;
  readonly entry: Entry;
  readonly ref: FormRef;
}

/** Finds the entry behind a form of a command, or behind a button that opens such a form. */
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

/** The forms of the commands, for a single invocation. */
export function createFormTurn(parts: FormTurnParts) {
  const { invocation, services, answer, clock } = parts;
  const { at, id, adapter } = invocation;
  const abilities = adapter.supports.forms;
  const live = abilities?.live ?? false;

  /**
   * The parts of a form. The fields whose values a preset gives stay empty, because a value that the person removes would
   * come back from the preset. But a form that cannot change is filled with the option on which other choices depend.
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
   * Opens the form of a command. Nothing is checked, because the submission is checked. `given` returns the values with
   * which the form opens.
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
    // If the platform cannot be reached in the meantime, nothing awaits the form any more.
    making.catch(() => undefined);
    try {
      if (!live && !(await within(clock, FORM_MS, making))) {
        await answer.acknowledge('private');
        await making;
        throw formTooLate();
      }
      await invocation.openForm(making);
    } catch (error) {
      // The form may be stored only now. Nobody carries this request out any more.
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

  /** If the request fails in a way that a form can mend, the answer gets a button that opens the form. */
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
   * If a submitted form fails in a way that another try can mend, the answer gets a button that opens the form again. If
   * there can be no button, the answer shows the values `entered`. `given` returns all values.
   */
  function offerAgain({ entry, ref }: Meant, given: () => Promise<RawValues>, entered: RawValues): void {
    answer.remedy({
      entered: (error, begun) => (!begun && isCorrectable(error, begun) ? givenFields(entry, entered) : []),
      async button(error, begun) {
        if (!isCorrectable(error, begun)) return undefined;
        // A request that was refused before its turn has not been authorised.
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

  /** The values of a submitted form. `kept` are the values with which the form opened, if they are still known. */
  async function submittedValues({ fields }: FormRequest, { entry, ref }: Meant) {
    const { options } = entry;
    const id = invocation.meanwhile?.askerId ?? (await invocation.person('cached')).id;
    const kept = await keptValues(services, { id, at }, ref.key);
    const known = withoutShown(kept ?? {}, optionsOn(layoutOf(entry), ref.page, live), options, abilities);
    const entered = kept ? valuesIn(fields, options, kept) : withoutDots(valuesIn(fields, options));
    return { kept, known, entered, given: { ...known, ...entered } };
  }

  /** Offers the form again for the case that the request fails before its values are read. */
  function offerSubmitted(request: FormRequest, meant: Meant): void {
    const { entry } = meant;
    const given = async () => (await submittedValues(request, meant)).given;
    offerAgain(meant, given, withoutDots(valuesIn(request.fields, entry.options)));
  }

  /**
   * The values without the mistake, if the form would not show the mistake. The person then gets an empty field or the
   * menu in front of the form.
   */
  function withoutMistake(entry: Entry, given: RawValues, name = ''): RawValues {
    const option = entry.options[name];
    const { [name]: value, ...others } = given;
    if (!abilities || !option || value === undefined) return given;
    const isAsked = live || name !== layoutOf(entry).pick;
    return isAsked && shownText(value, option, abilities) !== undefined ? given : others;
  }

  return {
    /** Whether the request can be answered with a form. */
    possible: abilities !== undefined && invocation.openForm !== undefined,
    offer,
    offerSubmitted,
    open,
    /** Makes the form of a command. */
    async build(person: Person, entry: Entry, given: RawValues): Promise<Form> {
      return await buildForm(await partsFor(person, entry, given));
    },
    /** Takes a submitted form like a typed command with the same values. */
    async takeSubmission(request: FormRequest, meant: Meant): Promise<void> {
      const { command, entry, ref } = meant;
      const { options, permission } = entry;
      offerSubmitted(request, meant);
      const { kept, known, entered, given } = await submittedValues(request, meant);
      answer.unseen(Object.keys(known).filter((name) => entered[name] === undefined));
      parts.about(entry, given);
      // The kept values are soon taken.
      offerAgain(meant, async () => given, given);
      const outdated = outdatedField(request.fields, options);
      if (!kept || outdated) {
        await parts.authorised(permission);
        // The platform has sent this request before, and the first request has taken the values.
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
    /** Opens the form behind a button, a menu or a shortcut. */
    async takeOpener({ fields, chosen }: ActionRequest, { entry, ref }: Meant): Promise<void> {
      const layout = layoutOf(entry);
      const { pick } = layout;
      const picked = pick !== undefined && chosen[0] !== undefined ? { [pick]: chosen[0] } : {};
      parts.about(entry, picked);
      offer(entry, picked);
      const given = async (person: Person) => {
        const kept = await keptValues(services, { id: person.id, at }, ref.key);
        if (!kept) throw formClosed();
        // A button inside a form also says which fields the person has emptied.
        const shown = fields ? optionsOn(layout, '', live) : [];
        const known = withoutShown(kept, shown, entry.options, abilities);
        const all = { ...known, ...valuesIn(fields ?? {}, entry.options, kept), ...picked };
        offer(entry, all);
        return all;
      };
      await open(entry, () => parts.authorised(entry.permission), given, ref);
    },
    /** Makes sure that a form is carried out only once, even if the person has sent the form several times. */
    async claim(key: string): Promise<() => Promise<void>> {
      const release = await takeValues(services, key);
      if (!release) throw formClosed();
      return () => release().catch(() => undefined);
    },
  };
}

/** Thrown if the platform sends the request for a form a second time. */
export class Repeated extends Error {}

/** The options of an entry, of which a part of the form may leave out any. */
function optional({ options }: Entry): Entry['options'] {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { ...option, required: false }]),
  );
}

/** Whether another try may succeed, perhaps with other values, and this try has changed nothing. */
function isCorrectable(error: unknown, begun: boolean): boolean {
  if (error instanceof RefusedError) return error.later;
  if (error instanceof DeliveryError) return !begun && (error.retryable || error.outcome === 'unknown');
  return error instanceof InputError || !begun;
}

/** Whether other values may succeed. */
function isMistake(error: unknown): boolean {
  return (error instanceof InputError && !isOver(error)) || error instanceof EdgegapError;
}

/** Whether the form itself can no longer be sent. Its values may be right. */
function isOver(error: unknown): boolean {
  return error instanceof InputError && /^form-(?:closed|outdated)$/.test(error.code);
}

function asksForForm(error: unknown, begun: boolean): boolean {
  if (error instanceof InputError) return error.missing || isOver(error);
  return error instanceof DeliveryError && !begun;
}
