import { randomBytes } from 'node:crypto';
import type { AckMode, Invocation, MessageRef, Person } from '../adapters/adapter.ts';
import type { ActionRef, Card, Message } from '../cards/card.ts';
import { errorCard } from '../cards/error-card.ts';
import { type Clock, steadyNow } from '../clock.ts';
import { AppError, DeliveryError, InputError, StoreError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Policy, refusal } from '../policy/authorise.ts';
import { type Permission, permissions } from '../policy/permissions.ts';
import { nearest, parseText, quoted, type RawValues } from './argv.ts';
import { type Action, type Command, type Context, leastPermission } from './define.ts';
import { interruptedLine } from './interrupted.ts';
import { type End, type InvocationRecord, type Invocations, TakenOver } from './invocations.ts';
import { parseRequestId, parseValues } from './parse.ts';
import { findDeployment, resolveValues } from './resolve.ts';
import type { DeploymentTarget, Services } from './services.ts';

/** When the first response has to leave, in milliseconds of real time since the invocation came; platforms allow 3000. */
const FIRST_RESPONSE_MS = 2_500;
/** How much of it a check against what exists may take. */
const RESOLVE_BUDGET_MS = 1_200;
/** What is left to the store in any case. */
const STORE_BUDGET_MS = 1_000;

export interface TurnParts {
  readonly services: Services;
  readonly policy: Policy;
  readonly invocations: Invocations;
  readonly clock: Clock;
  /** The machine's own: platforms wait in real time, also where the rest lives by another clock. */
  readonly realClock: Clock;
  readonly log: Logger;
}

/** What is left to do once an invocation has been found allowed and well-formed. */
interface Prepared {
  readonly what: string;
  readonly permission: Permission;
  readonly ack: AckMode;
  /** Resolves the options, and runs. */
  readonly ready: Promise<unknown>;
  run(person: Person): Promise<void>;
}

/** One invocation on its way through. */
export class Turn {
  readonly #invocation: Invocation;
  readonly #parts: TurnParts;
  readonly #cameAt: number;
  #acknowledged: AckMode | undefined;
  /** Once it is stored. */
  #record: InvocationRecord | undefined;
  /** A card is shown that somebody has to bring to an end. */
  #cardPosted = false;

  constructor(invocation: Invocation, parts: TurnParts) {
    this.#invocation = invocation;
    this.#parts = parts;
    this.#cameAt = steadyNow(parts.realClock);
  }

  async take(): Promise<void> {
    const { request } = this.#invocation;
    if (request.kind === 'action') await this.#takeAction(request.action.command, request.action.action);
    else await this.#takeCommand(request.command);
  }

  async #takeCommand(given: string): Promise<void> {
    const name = given.toLowerCase();
    const { directory, settings } = this.#parts.services;
    const command = directory.get(name);
    const least = command ? leastPermission(command) : 'help';
    // Before anything else is said: a stranger learns nothing, not even which commands there are.
    let person = await this.#authorised(least);
    if (!command) {
      const allowed = directory.all.filter((one) => this.#may(person, leastPermission(one.command)));
      throw unknownCommand(
        given,
        allowed.map((one) => one.name),
      );
    }
    const { request } = this.#invocation;
    const raw: RawValues =
      request.kind !== 'command'
        ? {}
        : request.args.kind === 'text'
          ? parseText(request.args.text, name, command.options)
          : request.args.values;
    const parsed = parseValues(raw, name, command.options, settings);
    const permission =
      typeof command.permission === 'string' ? command.permission : command.permission.of(parsed as never);
    if (permission !== least) person = await this.#authorised(permission);
    const ready = this.#resolve(command, parsed);
    await this.#carryOut(person, {
      what: name,
      permission,
      ack: typeof command.ack === 'string' ? command.ack : command.ack(parsed as never),
      ready,
      run: async () => command.run(this.#context(person, (await ready) as never)),
    });
  }

  async #takeAction(name: string, actionName: string): Promise<void> {
    const { request } = this.#invocation;
    const { actions = {} } = this.#parts.services.directory.get(name) ?? {};
    const action: Action | undefined = Object.hasOwn(actions, actionName) ? actions[actionName] : undefined;
    const person = await this.#authorised(action?.permission ?? 'help');
    if (!action || request.kind !== 'action')
      throw new InputError('action-unknown', 'This button is from an older version of me.', {
        hint: 'Run the command again for a fresh one.',
      });
    const ready = this.#checkAction(action, request.action);
    await this.#carryOut(person, {
      what: `${name}:${actionName}`,
      permission: action.permission,
      ack: action.ack,
      ready,
      run: async () => {
        const context = { ...this.#context(person, {}), action: request.action, source: request.source };
        const target = await ready;
        if (action.on !== 'deployment') await action.run(context);
        else if (target) await action.run({ ...context, target });
      },
    });
  }

  /** Puts what exists in place of what was named, and lets the command have its own look. */
  async #resolve(
    command: Command,
    parsed: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const { services } = this.#parts;
    const options = await resolveValues(parsed, command.options, this.#invocation.at, services);
    await command.check?.({ ...services, options: options as never });
    return options;
  }

  async #checkAction(action: Action, ref: ActionRef): Promise<DeploymentTarget | undefined> {
    const { services } = this.#parts;
    if (action.on === 'deployment')
      return await findDeployment(services, this.#invocation.at, parseRequestId(ref.arg));
    await action.check?.({ ...services, action: ref });
    return undefined;
  }

  async #carryOut(person: Person, { what, permission, ack: mode, ready, run }: Prepared): Promise<void> {
    const { invocations, log } = this.#parts;
    await this.#withinBudget(ready);
    const { id, at } = this.#invocation;
    const changes = permissions[permission] === 'change';
    const reply = this.#invocation.reply(mode);
    const record = { id, at, person, what, changes, mode, reply };
    // Stored before it is acknowledged: a platform that retries, or a crash from here on, finds it.
    const left = FIRST_RESPONSE_MS - (steadyNow(this.#parts.realClock) - this.#cameAt);
    if (!(await invocations.begin(record, Math.max(left, STORE_BUDGET_MS)))) {
      log.info({ invocation: id, what }, 'invocation: a repeat, already taken');
      return;
    }
    this.#record = record;
    await this.#invocation.acknowledge(mode);
    this.#acknowledged = mode;
    log.info(
      { invocation: id, what, person: person.id, channel: at.channel, platform: at.platform },
      'invocation: taken',
    );
    await run(person);
    await invocations.finish(id, 'done');
  }

  async #authorised(permission: Permission): Promise<Person> {
    const person = await this.#invocation.person(permissions[permission] === 'change' ? 'fresh' : 'cached');
    this.#check(person, permission);
    return person;
  }

  #check(person: Person, permission: Permission): void {
    const refused = refusal(this.#parts.policy, this.#invocation.at.platform, person, permission);
    if (refused) throw refused;
  }

  #may(person: Person, permission: Permission): boolean {
    return refusal(this.#parts.policy, this.#invocation.at.platform, person, permission) === undefined;
  }

  /** Waits for the check to fail or pass, but no longer than the first response can wait. */
  async #withinBudget(ready: Promise<unknown>): Promise<void> {
    // Awaited again by `run`; until then a late failure is not an unhandled one.
    ready.catch(() => undefined);
    let cancel = (): void => undefined;
    const budget = new Promise<void>((resolve) => {
      cancel = this.#parts.clock.after(RESOLVE_BUDGET_MS, resolve);
    });
    try {
      await Promise.race([ready, budget]);
    } finally {
      cancel();
    }
  }

  #context<Options>(person: Person, options: Options): Context<Options> {
    const invocation = this.#invocation;
    const { services } = this.#parts;
    return {
      ...services,
      options,
      asker: { id: person.id, name: person.name, at: invocation.at },
      invocationId: invocation.id,
      may: (permission) => this.#may(person, permission),
      respond: (message) => this.#respond(message),
      postCard: (message) => this.#postCard(message),
    };
  }

  /** An answer that the platform does not take just now is given as soon as it does. */
  async #respond(message: Message): Promise<void> {
    try {
      await this.#invocation.respond(message);
    } catch (error) {
      if (!(await this.#owed(error, message))) throw error;
    }
  }

  async #postCard(message: Message): Promise<MessageRef> {
    const { invocations } = this.#parts;
    await invocations.confirmInDoubt(this.#invocation.id);
    const card = await this.#invocation.postCard(message);
    this.#cardPosted = true;
    return card;
  }

  /** `end` is what the invocation has come to with it. */
  async #owed(error: unknown, message: Message, end?: End): Promise<boolean> {
    const { invocations, log } = this.#parts;
    if (!this.#record || !isPassing(error)) return false;
    await invocations.owe(this.#record, message, end);
    const { id } = this.#invocation;
    log.warn({ invocation: id, code: error.code }, 'invocation: its answer is left to the outbox');
    return true;
  }

  /** Tells the person, whichever way is still open. What is not for people goes to the log. */
  async report(error: unknown): Promise<void> {
    const { log, invocations } = this.#parts;
    const { id } = this.#invocation;
    if (error instanceof TakenOver) {
      log.warn({ invocation: id }, 'invocation: another process has answered it');
      return await this.#takeBack();
    }
    const incident = randomBytes(4).toString('hex');
    if (error instanceof StoreError)
      log.error(
        { invocation: id, code: error.code, problem: error.problem },
        'invocation: the database failed',
      );
    else if (error instanceof AppError)
      log.info({ invocation: id, code: error.code }, 'invocation: refused or failed');
    else log.error({ err: error, invocation: id, incident }, 'invocation: failed in an unexpected way');
    const card = errorCard(error, incident, this.#acknowledged !== undefined);
    try {
      await this.#tell(card);
    } catch (failure) {
      log.warn({ err: failure, invocation: id, incident }, 'invocation: the answer could not be delivered');
      if (await this.#owed(failure, card, 'failed')) return;
    }
    if (this.#record) await invocations.finish(id, 'failed');
  }

  /** The card that was posted after another process had answered would stand for ever: it says what that one said. */
  async #takeBack(): Promise<void> {
    const { log, services } = this.#parts;
    if (!this.#cardPosted || !this.#record) return;
    const { id, what, changes, person } = this.#record;
    const about = { what, changes, how: 'interrupted', mention: person } as const;
    try {
      await this.#respond(interruptedLine(services.directory, about));
    } catch (err) {
      log.warn({ err, invocation: id }, 'invocation: its card could not be taken back');
    }
  }

  async #tell(card: Card): Promise<void> {
    const { request } = this.#invocation;
    if (this.#acknowledged === undefined) return await this.#invocation.refuse(card);
    // What everybody sees, the live card above all, is not to be replaced by one person's failure.
    const shared =
      this.#acknowledged === 'update' && request.kind === 'action' && request.source !== undefined;
    try {
      await (shared ? this.#invocation.respondPrivately(card) : this.#invocation.respond(card));
    } catch (error) {
      if (isPassing(error)) throw error;
      // A channel that cannot be posted in may be why it failed: the person is still there.
      if (shared || this.#acknowledged === 'private') throw error;
      await this.#invocation.respondPrivately(card);
    }
  }
}

function isPassing(error: unknown): error is DeliveryError {
  return error instanceof DeliveryError && error.retryable;
}

function unknownCommand(given: string, known: readonly string[]): InputError {
  const near = nearest(given, known);
  return new InputError('command-unknown', `There is no command ${quoted(given)}.`, {
    hint: near ? `Did you mean ${near}? help shows all commands.` : `There are: ${known.join(', ')}.`,
  });
}
