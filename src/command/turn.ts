import type { AckMode, Invocation, Person } from '../adapters/adapter.ts';
import type { ActionRef } from '../cards/card.ts';
import { type Clock, steadyNow, within } from '../clock.ts';
import { InputError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Policy, refusal } from '../policy/authorise.ts';
import { type Permission, permissions } from '../policy/permissions.ts';
import { Answer } from './answer.ts';
import { nearest, parseText, quoted, type RawValues } from './argv.ts';
import { type Action, type Command, type Context, leastPermission } from './define.ts';
import type { Invocations } from './invocations.ts';
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
  readonly #answer: Answer;

  constructor(invocation: Invocation, parts: TurnParts) {
    this.#invocation = invocation;
    this.#parts = parts;
    this.#answer = new Answer(invocation, parts);
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
    const ready = this.#resolve(name, command, parsed);
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
    name: string,
    command: Command,
    parsed: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const { services } = this.#parts;
    const specs = command.options;
    const options = await resolveValues(parsed, { name, specs }, this.#invocation.at, services);
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
    const { invocations, clock, realClock, log } = this.#parts;
    // Where the check takes longer than the first response can wait, its failure comes when `run` awaits it.
    await within(clock, RESOLVE_BUDGET_MS, ready);
    const { id, at } = this.#invocation;
    const changes = permissions[permission] === 'change';
    const reply = this.#invocation.reply(mode);
    const record = { id, at, person, what, changes, mode, reply };
    // Stored before it is acknowledged: a platform that retries, or a crash from here on, finds it.
    const left = FIRST_RESPONSE_MS - (steadyNow(realClock) - this.#cameAt);
    if (!(await invocations.begin(record, Math.max(left, STORE_BUDGET_MS)))) {
      log.info({ invocation: id, what }, 'invocation: a repeat, already taken');
      return;
    }
    this.#answer.stored(record);
    await this.#answer.acknowledge(mode);
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

  #context<Options>(person: Person, options: Options): Context<Options> {
    const invocation = this.#invocation;
    const { services } = this.#parts;
    return {
      ...services,
      options,
      asker: { id: person.id, name: person.name, at: invocation.at },
      invocationId: invocation.id,
      may: (permission) => this.#may(person, permission),
      respond: (message) => this.#answer.respond(message),
      postCard: (message) => this.#answer.postCard(message),
    };
  }

  /** Tells the person what became of it: `error` is what `take` rejected with. */
  async report(error: unknown): Promise<void> {
    await this.#answer.report(error);
  }
}

function unknownCommand(given: string, known: readonly string[]): InputError {
  const near = nearest(given, known);
  return new InputError('command-unknown', `There is no command ${quoted(given)}.`, {
    hint: near ? `Did you mean ${near}? help shows all commands.` : `There are: ${known.join(', ')}.`,
  });
}
