import type { AckMode, Invocation, InvocationRequest, Person } from '../chat/port.ts';
import { sourceIn } from '../chat/request.ts';
import { type Clock, steadyNow } from '../clock.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import { type AppError, InputError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createAnswer, type Ending } from './answer.ts';
import { type RawValues, tooLong } from './argv.ts';
import type { Policy } from './authorise.ts';
import { calledBy } from './call.ts';
import { createCarryOut } from './carry-out.ts';
import { asksForHelp, choose, unknownCommand } from './choose.ts';
import { createContexts } from './context.ts';
import { type Command, type Entry, leastPermission, type Services } from './define.ts';
import type { DoublePresses } from './double-press.ts';
import { findAction, staleControl } from './find-action.ts';
import { createFormTurn, meantBy, Repeated } from './form-turn.ts';
import { sentAlready } from './forms/state.ts';
import { lacking } from './forms/values.ts';
import type { Invocations } from './invocations.ts';
import { findDeployment, parseRequestId } from './kinds/deployment.ts';
import { argumentOnCard } from './on-card.ts';
import { parseValues } from './parse.ts';
import { type Permission, type PermissionLevel, permissions } from './permissions.ts';
import { ENDED, summaryOf, targetOf } from './request-summary.ts';
import { resolveValues, withExpanded, withSource } from './resolve.ts';
import { namesakes } from './same-name.ts';

/** For a command of one of these levels, the bot may use cached permissions that are up to ten minutes old. */
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

/**
 * The result of the checks of a command: the values of the options, or the error about a missing value. A form can ask
 * for the missing value.
 */
type Checked = { readonly options: Readonly<Record<string, unknown>> } | { readonly lacks: InputError };

export type Turn = ReturnType<typeof createTurn>;

/** Takes a single invocation through all steps of the pipeline in `run.ts`. */
export function createTurn(invocation: Invocation, parts: TurnParts) {
  const { services, presses, invocations, clock, realClock, log } = parts;
  const { id, at, meanwhile } = invocation;
  const answer = createAnswer(invocation, parts);
  const contexts = createContexts(invocation, parts, answer);
  const { lookup } = contexts;
  const cameAt = steadyNow(realClock);
  const { carryOut, begin } = createCarryOut({
    invocation,
    answer,
    invocations,
    clock,
    realClock,
    cameAt,
    turn: () => wait,
    ended(how) {
      ending = how;
    },
  });
  const forms = createFormTurn({
    invocation,
    services,
    answer,
    clock,
    authorised,
    begin,
    about,
    takeCommand,
    asker: () => asker,
    isStored: () => invocations.isStored(id),
    mayGoOn: async () => await wait,
    async opened() {
      ending = { outcome: 'form' };
      await invocations.finish(id, 'done');
    },
    failed: () => invocations.finish(id, 'failed'),
    takePart: (entry, check, run) =>
      carryOut<void>({
        what: entry.name,
        permission: entry.permission,
        mode: 'update',
        authorise: () => authorised(entry.permission),
        check: async () => check(),
        run,
      }),
  });
  let summary = summaryOf(invocation.request, services.directory);
  let ending: Ending = { outcome: 'done' };
  /** The person who sent the request. Undefined until the bot has read the person's permissions. */
  let asker: Person | undefined;
  /** Resolves when the limit per person allows the request to continue. Undefined if the request need not wait. */
  let wait: Promise<void> | undefined;
  /**
   * Whether `take` was called. Stays false if the request was refused before, for example because too many requests
   * were waiting.
   */
  let taken = false;

  /** `key` is the key of the submitted form. Undefined if the person typed the command. */
  async function takeCommand(request: CommandRequest, key?: string): Promise<void> {
    const { directory } = services;
    const given = request.command;
    const [found, ...others] = namesakes(given, directory.all, ({ name }) => name);
    const command = others.length > 0 ? undefined : found;
    if (command && asksForHelp(command, request.args))
      return await takeCommand({ ...request, command: 'help', args: { kind: 'text', text: command.name } });
    const least = command ? leastPermission(command) : 'help';
    const typed = read(command, request);
    const authorise = async (despite: 'mistake' | 'nothing' = 'nothing') => {
      // The permission is checked first, so that a person without permission does not learn which commands exist.
      const person = await authorised(least);
      if (!command) {
        const mayUse = (one: Command) => !contexts.refusal(person, leastPermission(one));
        throw unknownCommand(given, directory.all.filter(mayUse));
      }
      if (!typed.chosen || (!typed.parsed && despite === 'nothing')) throw typed.mistake;
      const { permission } = typed.chosen.entry;
      return permission === least ? person : await authorised(permission);
    };
    const mayAsk = key === undefined && forms.possible;
    if (typed.chosen && key === undefined) {
      const { entry, raw } = typed.chosen;
      forms.offer(entry, raw);
      if (mayAsk && lacking(entry.options, raw) !== undefined)
        return await forms.open(
          entry,
          () => authorise('mistake'),
          async () => raw,
        );
    }
    if (!typed.parsed) return void (await authorise());
    const { entry } = typed.chosen;
    let { raw } = typed.chosen;
    await carryOut<Checked>({
      what: entry.name,
      permission: entry.permission,
      mode: ackOf(entry, typed.parsed),
      authorise,
      check: async (person) => {
        raw = await withExpanded(typed.parsed, raw, entry, lookup);
        try {
          return { options: await resolve(person, entry, raw) };
        } catch (error) {
          if (mayAsk && error instanceof InputError && error.missing) return { lacks: error };
          throw withSource(error, typed.parsed, raw, entry);
        }
      },
      ...(mayAsk
        ? {
            form: async (person, found) =>
              'lacks' in found ? await forms.build(person, entry, typed.chosen.raw) : undefined,
          }
        : {}),
      ...(key === undefined ? {} : { claim: () => forms.claim(key) }),
      async run(person, found) {
        if ('lacks' in found) throw found.lacks;
        return await entry.run(contexts.forRun(person, found.options, raw));
      },
    });
  }

  /**
   * Finds the entry, and parses the values that the person typed or picked, without asking Edgegap. If the values
   * contain an error, returns the error as `mistake`.
   */
  function read(command: Command | undefined, { args }: CommandRequest) {
    let chosen: ReturnType<typeof choose> | undefined;
    try {
      if (!command) return { chosen, parsed: undefined, mistake: undefined };
      chosen = choose(command, args);
      about(chosen.entry, chosen.raw);
      return { chosen, parsed: parse(chosen.entry, chosen.raw), mistake: undefined };
    } catch (mistake) {
      return { chosen, parsed: undefined, mistake };
    }
  }

  function about({ name, options }: Entry, values: Readonly<Record<string, unknown>>): void {
    summary = { command: name, target: targetOf(options, values) };
  }

  function parse({ name, options }: Entry, raw: RawValues) {
    return parseValues(raw, name, options, services.settings);
  }

  async function takePressed(request: PressedRequest): Promise<void> {
    const meant = meantBy(services, request);
    if (meant && request.kind === 'form') return await forms.takeSubmission(request, meant);
    if (meant && request.kind === 'action') return await forms.takeOpener(request, meant);
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

  /** Replaces names by the named things, and then runs the `check` of the command. */
  async function resolve(person: Person, entry: Entry, raw: RawValues) {
    const options = await resolveValues(parse(entry, raw), entry.name, entry.options, lookup);
    about(entry, options);
    const checked = await entry.check?.(contexts.forCheck(person, options, raw));
    return checked ?? options;
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
    // If `meanwhile` is set, only the person's id is known. The log line then contains no name, because the bot would
    // have to ask the platform for the name.
    asker ??= meanwhile ? undefined : await invocation.person('cached').catch(() => undefined);
    const { id: person = meanwhile?.askerId, name = undefined } = asker ?? {};
    const where = { invocation: id, platform, workspace, channel, person, name };
    const ms = Math.round(steadyNow(realClock) - cameAt);
    log[ending.err ? 'error' : 'info']({ ...where, ...summary, ...ending, ms }, ENDED);
  }

  return {
    /**
     * Carries out the invocation. With `mayGoOn`, this happens after `mayGoOn` has resolved. Until then, the bot may
     * only acknowledge the invocation.
     */
    async take(mayGoOn?: Promise<void>): Promise<void> {
      wait = mayGoOn;
      taken = true;
      const { request } = invocation;
      const refused = tooLong(request);
      if (refused) {
        await authorised('help');
        throw refused;
      }
      try {
        const called = request.kind === 'command' ? request : calledBy(request, services.directory);
        if (called) await takeCommand(called);
        else if (request.kind !== 'command') await takePressed(request);
      } catch (error) {
        if (!(error instanceof Repeated)) throw error;
        ending = { outcome: 'repeat' };
      }
      // If `maySkip` is true, the person may have submitted the same form again. The person then gets a line about
      // this. If `maySkip` is false, only the platform itself repeats a request, and the first request gets the answer.
      if (ending.outcome === 'repeat' && request.kind === 'form' && invocation.maySkip)
        await invocation.refuse(sentAlready());
      await logEnd(ending);
    },
    /** Tells the person about the error that `take` has thrown. */
    async report(error: unknown): Promise<void> {
      const { request } = invocation;
      const meant = request.kind === 'form' && !taken ? meantBy(services, request) : undefined;
      if (meant && request.kind === 'form') forms.offerSubmitted(request, meant);
      logEnd(await answer.report(error));
    },
    /** Refuses the invocation without an answer. */
    drop: ({ code }: AppError) => logEnd({ outcome: 'refused', code }),
  };
}

function ackOf({ ack }: Entry, { share }: Readonly<Record<string, unknown>>): AckMode {
  if (ack !== 'private-unless-shared') return ack;
  return share === true ? 'public' : 'private';
}
