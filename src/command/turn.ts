import type { AckMode, Invocation, InvocationRequest, Person } from '../chat/port.ts';
import { sourceIn } from '../chat/request.ts';
import { type Clock, steadyNow, within } from '../clock.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import type { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createAnswer, type Ending } from './answer.ts';
import { type RawValues, tooLong } from './argv.ts';
import type { Policy } from './authorise.ts';
import { calledBy } from './call.ts';
import { asksForHelp, choose, unknownCommand } from './choose.ts';
import { createContexts } from './context.ts';
import { type Command, type Entry, leastPermission, type OpensForm, type Services } from './define.ts';
import type { DoublePresses } from './double-press.ts';
import { findAction, staleControl } from './find-action.ts';
import type { InvocationRecord, Invocations } from './invocations.ts';
import { findDeployment, parseRequestId } from './kinds/deployment.ts';
import { argumentOnCard } from './on-card.ts';
import { formImpossible, formTooLate } from './open-form.ts';
import { parseValues } from './parse.ts';
import { type Permission, type PermissionLevel, permissions } from './permissions.ts';
import { ENDED, summaryOf, targetOf } from './request-summary.ts';
import { resolveValues, withExpanded, withSource } from './resolve.ts';
import { namesakes } from './same-name.ts';
import { usageHint } from './usage.ts';

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
/** Levels for which a person's rights may be up to ten minutes old. */
const FOR_MANY: readonly PermissionLevel[] = ['open', 'read'];

export interface TurnParts {
  readonly services: Services;
  readonly policy: Policy;
  readonly presses: DoublePresses;
  readonly invocations: Invocations;
  readonly clock: Clock;
  /** The machine's clock. Platforms wait in real time, even if a test sets `clock`. */
  readonly realClock: Clock;
  readonly log: Logger;
}

type CommandRequest = Extract<InvocationRequest, { kind: 'command' }>;
type PressedRequest = Exclude<InvocationRequest, CommandRequest>;

/** The command or action that the person wants, as far as the bot can tell without asking a platform or Edgegap. */
interface Wanted<Checked> {
  readonly what: string;
  readonly permission: Permission;
  readonly mode: AckMode;
  /** Reads the person and the person's groups. Throws if the person lacks the permission. */
  authorise(): Promise<Person>;
  /** Looks up the things that the person named. Throws if a thing does not exist or cannot be used. */
  check(person: Person): Promise<Checked>;
  /**
   * Returns the form to open instead of calling `run`, if there is such a form. Undefined for a command that never
   * opens a form.
   */
  readonly form: ((person: Person, checked: Checked) => OpensForm) | undefined;
  /** The hint that the person gets if the form cannot be opened. */
  readonly withoutForm: string;
  run(person: Person, checked: Checked): ReturnType<Entry['run']>;
}

export type Turn = ReturnType<typeof createTurn>;

/** Takes a single invocation through all steps of the pipeline. */
export function createTurn(invocation: Invocation, parts: TurnParts) {
  const { services, presses, invocations, clock, realClock, log } = parts;
  const { id, at, meanwhile } = invocation;
  const answer = createAnswer(invocation, parts);
  const contexts = createContexts(invocation, parts, answer);
  const { lookup } = contexts;
  const cameAt = steadyNow(realClock);
  let summary = summaryOf(invocation.request, services.directory);
  let ending: Ending = { outcome: 'done' };
  /** The person who asks. Undefined until the person has been read. */
  let asker: Person | undefined;
  /** Resolves when the store has taken the invocation, or when the store has failed or taken too long. */
  const begun = Promise.withResolvers<void>();
  /** Resolves when the fair share lets the request go on. Undefined if the request need not wait. */
  let wait: Promise<void> | undefined;

  async function takeCommand(request: CommandRequest): Promise<void> {
    const { directory } = services;
    const given = request.command;
    const [found, ...others] = namesakes(given, directory.all, ({ name }) => name);
    const command = others.length > 0 ? undefined : found;
    if (command && asksForHelp(command, request.args))
      return await takeCommand({ ...request, command: 'help', args: { kind: 'text', text: command.name } });
    const least = command ? leastPermission(command) : 'help';
    const typed = read(command, request);
    const authorise = async () => {
      // This comes first, because a stranger must learn nothing, not even which commands exist.
      const person = await authorised(least);
      if (!command) {
        const mayUse = (one: Command) => !contexts.refusal(person, leastPermission(one));
        throw unknownCommand(given, directory.all.filter(mayUse));
      }
      if ('mistake' in typed) throw typed.mistake;
      const { permission } = typed.entry;
      return permission === least ? person : await authorised(permission);
    };
    if ('mistake' in typed) return void (await authorise());
    const { entry } = typed;
    let { raw } = typed;
    await carryOut({
      what: entry.name,
      permission: entry.permission,
      mode: ackOf(entry, typed.parsed),
      authorise,
      check: async (person) => {
        raw = await withExpanded(typed.parsed, raw, entry, lookup);
        return await resolve(person, entry, raw).catch((error: unknown) => {
          throw withSource(error, typed.parsed, raw, entry);
        });
      },
      form: entry.form && ((person, options) => entry.form?.(contexts.forCheck(person, options, raw))),
      withoutForm: usageHint(entry.name, entry.options),
      run: (person, options) => entry.run(contexts.forRun(person, options, raw)),
    });
  }

  /**
   * Finds the entry, and checks the values that the person typed or picked, without asking Edgegap. If the text has a
   * mistake, returns the mistake instead.
   */
  function read(command: Command | undefined, { args }: CommandRequest) {
    try {
      if (!command) return { mistake: undefined };
      const { entry, raw } = choose(command, args);
      summary = { command: entry.name, target: targetOf(entry.options, raw) };
      return { entry, raw, parsed: parse(entry, raw) };
    } catch (mistake) {
      return { mistake };
    }
  }

  function parse({ name, options }: Entry, raw: RawValues) {
    return parseValues(raw, name, options, services.settings);
  }

  async function takePressed(request: PressedRequest): Promise<void> {
    const found = findAction(services.directory, request);
    if (!found) {
      await authorised('help');
      throw staleControl(request);
    }
    const { action } = found;
    let { pressed } = found;
    const { command, action: name } = pressed.action;
    const source = sourceIn(request);
    const on = request.kind === 'message' ? request.message : source;
    let release: (() => void) | undefined;
    await carryOut<DeploymentTarget | undefined>({
      what: `${command}:${name}`,
      permission: action.permission,
      mode: action.ack,
      authorise: async () => {
        const person = await authorised(action.permission);
        const button = JSON.stringify([at.platform, at.workspace, at.channel, on, pressed, person.id]);
        if (action.ack === 'public' || action.once) release = presses.take(button, id);
        return person;
      },
      check: async (person) => {
        if (request.kind === 'message') {
          const arg = await argumentOnCard(action, request, { ...lookup, directory: services.directory });
          pressed = { ...pressed, action: { ...pressed.action, arg } };
        }
        if (action.on === 'deployment') return await targetOfButton(pressed.chosen[0] ?? pressed.action.arg);
        await action.check?.({ ...contexts.forCheck(person, {}), ...pressed });
        return undefined;
      },
      form:
        action.form &&
        ((_person, target) => {
          if (action.on !== 'deployment') return action.form?.({ ...services, ...pressed });
          return target && action.form?.({ ...services, ...pressed, target });
        }),
      withoutForm: 'Type the command instead; `help` shows how.',
      run: async (person, target) => {
        const context = { ...contexts.forRun(person, {}), ...pressed, source };
        if (action.on !== 'deployment') return await action.run(context);
        if (target) return await action.run({ ...context, target });
      },
    }).finally(() => release?.());
  }

  async function targetOfButton(arg: string): Promise<DeploymentTarget> {
    const target = await findDeployment(lookup, parseRequestId(arg.replace(/\..*$/, '')));
    summary = { ...summary, target: target.request_id };
    return target;
  }

  /** Replaces names by the named things, then runs the command's own check. */
  async function resolve(person: Person, entry: Entry, raw: RawValues) {
    const options = await resolveValues(parse(entry, raw), entry.name, entry.options, lookup);
    summary = { command: entry.name, target: targetOf(entry.options, options) };
    const checked = await entry.check?.(contexts.forCheck(person, options, raw));
    return checked ?? options;
  }

  async function carryOut<Checked>(wanted: Wanted<Checked>): Promise<void> {
    const { what, mode } = wanted;
    const changes = permissions[wanted.permission] === 'change';
    const about = { id, at, what, changes, mode, reply: invocation.reply(mode) };
    answer.needs(wanted.permission);
    const since = steadyNow(clock);
    const authorising = wanted.authorise();
    let taken = false;
    if (changes && meanwhile) {
      meanwhile.holdBack(begun.promise);
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
    // A check may ask Edgegap as well, so the check also waits for the fair share.
    const checking = wait ? wait.then(() => wanted.check(person)) : wanted.check(person);
    const preparing = checking.then(async (checked) => ({ form: await wanted.form?.(person, checked) }));
    // A form must be the first response, so an invocation that may open a form waits a little for the fair share.
    const budget = wait && !wanted.form ? 0 : CHECK_BUDGET_MS;
    const spent = changes && !taken ? steadyNow(clock) - since : 0;
    // If the preparation takes longer than the first response can wait, a failure of the preparation is thrown later,
    // at `await preparing`.
    const form = (await within(clock, Math.max(budget - spent, 0), preparing))?.form;
    if (form && !invocation.openForm) throw formImpossible(wanted.withoutForm);
    // An invocation that only opens a form changes nothing.
    const record = { ...about, changes: changes && !form, person };
    if (!taken && !(await begin(record))) return;
    answer.stored(record);
    if (form) {
      await invocation.openForm?.(form);
      ending = { outcome: 'form' };
    } else {
      await answer.acknowledge(mode);
      if ((await preparing).form) throw formTooLate();
      ending = { outcome: 'done', ...(await wanted.run(person, await checking)) };
    }
    await invocations.finish(id, 'done');
  }

  /**
   * Stores the invocation before the acknowledgement. This is needed to recognise a platform's retry, and to recover
   * the invocation after a crash. Returns false if this is a platform's retry.
   */
  async function begin(record: InvocationRecord): Promise<boolean> {
    const left = FIRST_RESPONSE_MS - (steadyNow(realClock) - cameAt);
    try {
      const taken = await invocations.begin(record, Math.max(left, STORE_BUDGET_MS));
      if (!taken) ending = { outcome: 'repeat' };
      return taken;
    } finally {
      begun.resolve();
    }
  }

  async function authorised(permission: Permission): Promise<Person> {
    asker = await invocation.person(FOR_MANY.includes(permissions[permission]) ? 'cached' : 'fresh');
    const refused = contexts.refusal(asker, permission);
    if (refused) throw refused;
    return asker;
  }

  /** Writes the log line of the invocation: the person, the command, its target and the outcome. */
  async function logEnd(ending: Ending): Promise<void> {
    const { platform, workspace, channel } = at;
    // If `meanwhile` is set, only the person's id is known. The name for the log is not worth a request to the
    // platform.
    asker ??= meanwhile ? undefined : await invocation.person('cached').catch(() => undefined);
    const { id: person = meanwhile?.askerId, name = undefined } = asker ?? {};
    const where = { invocation: id, platform, workspace, channel, person, name };
    const ms = Math.round(steadyNow(realClock) - cameAt);
    log[ending.err ? 'error' : 'info']({ ...where, ...summary, ...ending, ms }, ENDED);
  }

  return {
    /** Carries out the invocation. With `mayGoOn`, the invocation is only acknowledged until `mayGoOn` resolves. */
    async take(mayGoOn?: Promise<void>): Promise<void> {
      wait = mayGoOn;
      const { request } = invocation;
      const refused = tooLong(request);
      if (refused) {
        await authorised('help');
        throw refused;
      }
      const called = request.kind === 'command' ? request : calledBy(request, services.directory);
      if (called) await takeCommand(called);
      else if (request.kind !== 'command') await takePressed(request);
      await logEnd(ending);
    },
    /** Tells the person about the error with which `take` rejected. */
    report: async (error: unknown) => logEnd(await answer.report(error)),
    /** Refuses the invocation without an answer. */
    drop: ({ code }: AppError) => logEnd({ outcome: 'refused', code }),
  };
}

function ackOf({ ack }: Entry, { share }: Readonly<Record<string, unknown>>): AckMode {
  if (ack !== 'private-unless-shared') return ack;
  return share === true ? 'public' : 'private';
}
