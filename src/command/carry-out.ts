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
 * The first response has to be sent within this time after the invocation, in milliseconds of real time. Platforms
 * allow 3000.
 */
const FIRST_RESPONSE_MS = 2_500;
/**
 * How much of this time may be spent on checks that ask Edgegap. Before a change, this also includes the time to read
 * the person's permissions.
 */
const CHECK_BUDGET_MS = 1_200;
/** The time that the store always gets, in milliseconds. */
const STORE_BUDGET_MS = 1_000;

/** The command or action that the person wants, as far as the bot can tell without asking a platform or Edgegap. */
interface Wanted<Checked> {
  readonly what: string;
  readonly permission: Permission;
  readonly mode: AckMode;
  /** Reads the person and the person's groups. Throws if the person lacks the permission. */
  authorise(): Promise<Person>;
  /** Looks up the things that the person named. Throws if a thing does not exist or cannot be used. */
  check(person: Person): Promise<Checked>;
  /** Returns the form to open instead of calling `run`, if a value is missing. */
  form?: (person: Person, checked: Checked) => Promise<Form | undefined>;
  /**
   * Called once the invocation is stored, and before anything is done. Throws if nothing may be done. Returns the function
   * that takes the claim back, for the case that nothing is done after all.
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
  /** When the invocation came, by the steady real clock. */
  readonly cameAt: number;
  /** Resolves when the fair share lets the request go on. Undefined if the request need not wait. */
  turn(): Promise<void> | undefined;
  /** Records how the invocation ended. */
  ended(how: Ending): void;
}

/** The steps from the permission to the end, which are the same for commands, buttons and forms. */
export function createCarryOut(parts: CarryOutParts) {
  const { invocation, answer, invocations, clock, realClock, cameAt, turn, ended } = parts;
  const { id, at, meanwhile } = invocation;
  /** Resolves when the store has taken the invocation, or when the store has failed or taken too long. */
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
      // Reading the person's permissions may take longer than the platform waits for the acknowledgement.
      if (!(await within(clock, CHECK_BUDGET_MS, authorising))) {
        const person = { id: meanwhile.askerId, name: meanwhile.askerId };
        taken = await begin({ ...about, person });
        if (!taken) return;
        // The channel has seen nothing of the command yet, so a refusal is private.
        answer.stored({ ...about, person, reply: invocation.reply('private') });
      }
    }
    const person = await authorising;
    const wait = turn();
    // A check may ask Edgegap as well, so the check also waits for the fair share.
    const checking = wait ? wait.then(() => wanted.check(person)) : wanted.check(person);
    const preparing = checking.then(async (checked) => ({ form: await wanted.form?.(person, checked) }));
    const budget = wait ? 0 : CHECK_BUDGET_MS;
    const spent = changes && !taken ? steadyNow(clock) - since : 0;
    // If the preparation takes longer than the first response can wait, a failure of the preparation is thrown later,
    // at `await preparing`.
    const prepared = await within(clock, Math.max(budget - spent, 0), preparing).catch(
      async (error: unknown) => {
        if (!taken && (await isRepeated(error, { ...about, person }))) return 'repeat' as const;
        throw error;
      },
    );
    if (prepared === 'repeat') return;
    const form = prepared?.form;
    // A read does not wait for the store. If the process dies before the read is stored, only the answer is lost.
    const isAcknowledged = !changes && !form && !wanted.claim;
    const acknowledging = isAcknowledged ? answer.acknowledge(mode) : undefined;
    // An invocation that only opens a form changes nothing.
    const record = { ...about, changes: changes && !form, isAcknowledged, person };
    const [begun] = await Promise.allSettled([taken || begin(record), acknowledging]);
    // An error can be shown only when it is known whether the request is acknowledged.
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
        // The platform did not take the form, so the form may still be open, and the person may send the form again.
        await release?.();
        throw error;
      }
      if ((await preparing).form) throw formTooLate();
      ended({ outcome: 'done', ...(await wanted.run(person, await checking)) });
    }
    await invocations.finish(id, 'done');
  }

  /**
   * Whether the platform has repeated the request that the checks refuse with this error. The work of the first delivery
   * may be the reason for the refusal. A question is stored first, so that a repeated request asks no second question.
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

  /** The claim reads the store, and the first response cannot wait for a store that does not answer. */
  async function claimed(claim: Promise<Release>): Promise<Release> {
    const release = await within(realClock, STORE_BUDGET_MS, claim);
    if (release) return release;
    void claim.then((late) => late()).catch(() => undefined);
    throw notStored();
  }

  /**
   * Stores the invocation. If the invocation changes something, it is stored before the acknowledgement. So the bot
   * recognises a platform's retry, and recovers the invocation after a crash. Returns false if this is a platform's
   * retry.
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
