import type { Form } from '../chat/form.ts';
import type { AckMode, Invocation, Person } from '../chat/port.ts';
import { type Clock, steadyNow, within } from '../clock.ts';
import type { Answer, Ending } from './answer.ts';
import type { Entry } from './define.ts';
import { type InvocationRecord, type Invocations, notStored } from './invocations.ts';
import { formTooLate } from './open-form.ts';
import { type Permission, permissions } from './permissions.ts';
import { Question } from './question.ts';

/**
 * The bot must send the first response within this time after the invocation arrived, in milliseconds of real time.
 * Platforms wait 3000 ms.
 */
const FIRST_RESPONSE_MS = 2_500;
/**
 * The part of `FIRST_RESPONSE_MS` for checks that ask Edgegap. For a request that changes something, this part also
 * includes the time to read the person's permissions.
 */
const CHECK_BUDGET_MS = 1_200;
/** The store gets at least this time to answer, in milliseconds. */
const STORE_BUDGET_MS = 1_000;

/** The command or action that the person wants, with a function for each step. */
interface Wanted<Checked> {
  readonly what: string;
  readonly permission: Permission;
  readonly mode: AckMode;
  /** Reads the person and the person's groups. Throws if the person lacks the permission. */
  authorise(): Promise<Person>;
  /** Looks up the named things, for example the deployment. Throws if a thing does not exist or cannot be used. */
  check(person: Person): Promise<Checked>;
  /** Returns a form if a value is missing. The bot then opens the form and does not call `run`. */
  form?: (person: Person, checked: Checked) => Promise<Form | undefined>;
  /**
   * Called after the invocation is stored and before `run`. Claims a submitted form, and throws if another submission
   * has claimed the form. Returns a function that releases the claim if `run` is not called.
   */
  claim?: () => Promise<Release>;
  run(person: Person, checked: Checked): ReturnType<Entry['run']>;
}

/** Never rejects. */
type Release = () => Promise<void>;

interface CarryOutParts {
  readonly invocation: Invocation;
  readonly answer: Answer;
  readonly invocations: Invocations;
  readonly clock: Clock;
  /** See `TurnParts`. */
  readonly realClock: Clock;
  /** When the invocation arrived, by the steady real clock. */
  readonly cameAt: number;
  /** Resolves when the limit per person allows the request to continue. Undefined if the request need not wait. */
  turn(): Promise<void> | undefined;
  /** Records how the invocation ended. */
  ended(how: Ending): void;
}

/**
 * Carries out a request from the check of permissions to the end. The steps are the same for commands, buttons and
 * forms.
 */
export function createCarryOut(parts: CarryOutParts) {
  const { invocation, answer, invocations, clock, realClock, cameAt, turn, ended } = parts;
  const { id, at, meanwhile } = invocation;
  /** Resolves when the invocation is stored. Also resolves if the store fails or takes too long. */
  const isStored = Promise.withResolvers<void>();

  async function carryOut<Checked>(wanted: Wanted<Checked>): Promise<void> {
    const { what, mode } = wanted;
    const changes = permissions[wanted.permission] === 'change';
    const about = { id, at, what, changes, mode, reply: invocation.reply(mode) };
    answer.needs(wanted.permission);
    const since = steadyNow(clock);
    const authorising = wanted.authorise();
    let taken = false;
    if (changes && meanwhile) {
      meanwhile.holdBack(isStored.promise);
      // If reading the permissions takes too long, the invocation is stored now. The adapter can then acknowledge the
      // invocation in time.
      if (!(await within(clock, CHECK_BUDGET_MS, authorising))) {
        const person = { id: meanwhile.askerId, name: meanwhile.askerId };
        taken = await begin({ ...about, person });
        if (!taken) return;
        // The channel has not seen the command yet, so a refusal is private.
        answer.stored({ ...about, person, reply: invocation.reply('private') });
      }
    }
    const person = await authorising;
    const wait = turn();
    // A check may ask Edgegap, so the check also waits until the limit per person allows the request to continue.
    const checking = wait ? wait.then(() => wanted.check(person)) : wanted.check(person);
    const preparing = checking.then(async (checked) => ({ form: await wanted.form?.(person, checked) }));
    const budget = wait ? 0 : CHECK_BUDGET_MS;
    const spent = changes && !taken ? steadyNow(clock) - since : 0;
    // The preparation may take longer than the first response can wait. An error of the preparation is then thrown
    // later, at `await preparing`.
    const prepared = await within(clock, Math.max(budget - spent, 0), preparing).catch(
      async (error: unknown) => {
        if (!taken && (await isRepeated(error, { ...about, person }))) return 'repeat' as const;
        throw error;
      },
    );
    if (prepared === 'repeat') return;
    const form = prepared?.form;
    // A request that only reads is acknowledged before it is stored. If the process crashes before the store has
    // answered, only the answer is lost.
    const isAcknowledged = !changes && !form && !wanted.claim;
    const acknowledging = isAcknowledged ? answer.acknowledge(mode) : undefined;
    // An invocation that only opens a form changes nothing.
    const record = { ...about, changes: changes && !form, isAcknowledged, person };
    const [begun] = await Promise.allSettled([taken || begin(record), acknowledging]);
    // The way to show an error depends on whether the request is acknowledged. So the bot waits for the store and for
    // the acknowledgement first.
    if (begun.status === 'rejected') throw begun.reason;
    if (!begun.value) return;
    answer.stored(record);
    const release = wanted.claim && (await claimed(wanted.claim()));
    if (form) {
      await invocation.openForm?.(Promise.resolve(form));
      ended({ outcome: 'form' });
    } else {
      try {
        await (acknowledging ?? answer.acknowledge(mode));
      } catch (error) {
        // The platform did not receive the acknowledgement. The form may still be open, and the person can submit the
        // form again.
        await release?.();
        throw error;
      }
      if ((await preparing).form) throw formTooLate();
      ended({ outcome: 'done', ...(await wanted.run(person, await checking)) });
    }
    await invocations.finish(id, 'done');
  }

  /**
   * Whether the platform sent the refused request before. The checks may refuse a repeated request because the first
   * request has already made the change. If the error is a Question, the invocation is stored now, so that a repeated
   * request shows no second question.
   */
  async function isRepeated(error: unknown, wanted: InvocationRecord): Promise<boolean> {
    if (!(error instanceof Question)) {
      const looking = within(realClock, STORE_BUDGET_MS, invocations.isStored(id));
      const isKnown = (await looking.catch(() => false)) ?? false;
      if (isKnown) ended({ outcome: 'repeat' });
      return isKnown;
    }
    const mode = 'private';
    const record = { ...wanted, changes: false, mode, reply: invocation.reply(mode) } as const;
    const taken = await begin(record);
    if (taken) answer.stored(record);
    return !taken;
  }

  /**
   * Waits for the claim, which uses the store. If the store takes too long, throws, because the first response cannot
   * wait.
   */
  async function claimed(claim: Promise<Release>): Promise<Release> {
    const release = await within(realClock, STORE_BUDGET_MS, claim);
    if (release) return release;
    void claim.then((late) => late()).catch(() => undefined);
    throw notStored();
  }

  /**
   * Stores the invocation. If the invocation changes something, the bot stores it before the acknowledgement. The
   * stored row lets the bot recognise a platform's retry, and recover the invocation after a crash. Returns false for a
   * platform's retry.
   */
  async function begin(record: InvocationRecord): Promise<boolean> {
    const left = FIRST_RESPONSE_MS - (steadyNow(realClock) - cameAt);
    try {
      const taken = await invocations.begin(record, Math.max(left, STORE_BUDGET_MS));
      if (!taken) ended({ outcome: 'repeat' });
      return taken;
    } finally {
      isStored.resolve();
    }
  }

  return { carryOut, begin };
}
