import type { AckMode, Invocation, InvocationRequest, MessageRef, Person } from '../adapters/adapter.ts';
import type { ActionRef } from '../cards/card.ts';
import { type Clock, steadyNow, within } from '../clock.ts';
import { type AppError, InputError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Policy, refusal } from '../policy/authorise.ts';
import { type Permission, permissions } from '../policy/permissions.ts';
import { Answer, type Ending } from './answer.ts';
import { isTooLong, MAX_REQUEST, nearest, parseText, quoted, type RawValues } from './argv.ts';
import { type Action, type Command, type Context, leastPermission } from './define.ts';
import type { InvocationRecord, Invocations } from './invocations.ts';
import { parseRequestId, parseValues } from './parse.ts';
import type { Presses } from './presses.ts';
import { findDeployment, resolveValues } from './resolve.ts';
import { namesakes } from './same-name.ts';
import type { DeploymentTarget, Services } from './services.ts';
import { asTyped, ENDED, type Tried, targetOf } from './tried.ts';

/** When the first response has to leave, in milliseconds of real time since the invocation came; platforms allow 3000. */
const FIRST_RESPONSE_MS = 2_500;
/** How much of it a check against what exists may take, and before a change who asks as well. */
const CHECK_BUDGET_MS = 1_200;
/** What is left to the store in any case. */
const STORE_BUDGET_MS = 1_000;

export interface TurnParts {
  readonly services: Services;
  readonly policy: Policy;
  readonly presses: Presses;
  readonly invocations: Invocations;
  readonly clock: Clock;
  /** The machine's own: platforms wait in real time, also where the rest lives by another clock. */
  readonly realClock: Clock;
  readonly log: Logger;
}

type CommandRequest = Extract<InvocationRequest, { kind: 'command' }>;

/** What is asked for, as far as that is known without asking anybody. */
interface Wanted<Checked> {
  readonly what: string;
  readonly permission: Permission;
  readonly mode: AckMode;
  /** Finds out who asks. Throws where they may not. */
  authorise(): Promise<Person>;
  /** Looks up what was named. Throws where that is not as it should be. */
  check(): Promise<Checked>;
  run(person: Person, checked: Checked): ReturnType<Command['run']>;
}

/** One invocation on its way through. */
export class Turn {
  readonly #invocation: Invocation;
  readonly #parts: TurnParts;
  readonly #cameAt: number;
  readonly #answer: Answer;
  readonly #prompt: string;
  #tried: Tried;
  #ending: Ending = { outcome: 'done' };
  /** Once it is known who asks. */
  #person: Person | undefined;
  /** Resolves when the store has taken it, or has not in time. */
  readonly #begun = Promise.withResolvers<void>();
  #wait: Promise<void> | undefined;

  constructor(invocation: Invocation, parts: TurnParts) {
    this.#invocation = invocation;
    this.#parts = parts;
    this.#prompt = invocation.prompt ?? '';
    this.#answer = new Answer(invocation, parts);
    this.#tried = asTyped(invocation.request, parts.services.directory);
    this.#cameAt = steadyNow(parts.realClock);
  }

  /** With `wait`, the invocation is only acknowledged until that resolves, and then carried out. */
  async take(wait?: Promise<void>): Promise<void> {
    this.#wait = wait;
    const { request } = this.#invocation;
    if (request.kind === 'action') await this.#takeAction(request.action, request.source);
    else await this.#takeCommand(request);
    await this.#log(this.#ending);
  }

  async #takeCommand(request: CommandRequest): Promise<void> {
    const { directory } = this.#parts.services;
    if (isTooLong(request)) {
      await this.#authorised('help');
      throw new InputError('text-too-long', `That is too long: I read at most ${MAX_REQUEST} characters.`, {
        hint: 'Nothing was done. Type a shorter command.',
      });
    }
    const given = request.command;
    const names = directory.all.map((one) => one.name);
    const [name = given, ...others] = namesakes(given, names, (one) => one);
    const command = others.length > 0 ? undefined : directory.get(name);
    const least = command ? leastPermission(command) : 'help';
    const typed = this.#read(name, command, request);
    const authorise = async () => {
      // Before anything else is said: a stranger learns nothing, not even which commands there are.
      const person = await this.#authorised(least);
      if (!command) {
        const allowed = directory.all.filter((one) => this.#may(person, leastPermission(one.command)));
        throw unknownCommand(
          given,
          allowed.map((one) => one.name),
        );
      }
      if ('mistake' in typed) throw typed.mistake;
      return typed.permission === least ? person : await this.#authorised(typed.permission);
    };
    if (!command || 'mistake' in typed) return void (await authorise());
    const { parsed, ...wanted } = typed;
    await this.#carryOut({
      ...wanted,
      what: name,
      authorise,
      check: () => this.#resolve(name, command, parsed),
      run: (person, options) => command.run(this.#context(person, options as never)),
    });
  }

  /** What was typed or picked, as far as the command itself tells; or what is wrong with it. */
  #read(name: string, command: Command | undefined, { args }: CommandRequest) {
    try {
      if (!command) return { mistake: undefined };
      const shown = this.#prompt + name;
      const { options } = command;
      const raw: RawValues = args.kind === 'text' ? parseText(args.text, shown, options) : args.values;
      this.#tried = { command: name, target: targetOf(options, raw) };
      const parsed = parseValues(raw, shown, options, this.#parts.services.settings);
      const { permission, ack } = command;
      return {
        parsed,
        permission: typeof permission === 'string' ? permission : permission.of(parsed as never),
        mode: typeof ack === 'string' ? ack : ack(parsed as never),
      };
    } catch (mistake) {
      return { mistake };
    }
  }

  async #takeAction(ref: ActionRef, source: MessageRef | undefined): Promise<void> {
    const { actions = {} } = this.#parts.services.directory.get(ref.command) ?? {};
    const action: Action | undefined = Object.hasOwn(actions, ref.action) ? actions[ref.action] : undefined;
    if (!action) {
      await this.#authorised('help');
      throw new InputError('action-unknown', 'This button is from an older version of me.', {
        hint: 'Run the command again for a fresh one.',
      });
    }
    let release: (() => void) | undefined;
    const { id, at } = this.#invocation;
    await this.#carryOut({
      what: `${ref.command}:${ref.action}`,
      permission: action.permission,
      mode: action.ack,
      authorise: async () => {
        const person = await this.#authorised(action.permission);
        const button = JSON.stringify([at.platform, at.workspace, at.channel, source, ref, person.id]);
        if (action.ack === 'public') release = this.#parts.presses.take(button, id);
        return person;
      },
      check: () => this.#checkAction(action, ref),
      run: async (person, target) => {
        const context = { ...this.#context(person, {}), action: ref, source };
        if (action.on !== 'deployment') return await action.run(context);
        if (target) return await action.run({ ...context, target });
      },
    }).finally(() => release?.());
  }

  /** Puts what exists in place of what was named, and lets the command have its own look. */
  async #resolve(
    name: string,
    command: Command,
    parsed: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const { services } = this.#parts;
    const specs = command.options;
    const shown = { name: this.#prompt + name, specs };
    const options = await resolveValues(parsed, shown, this.#invocation.at, services);
    this.#tried = { command: name, target: targetOf(specs, options) };
    const checked = await command.check?.({ ...services, prompt: this.#prompt, options: options as never });
    return checked ?? options;
  }

  async #checkAction(action: Action, ref: ActionRef): Promise<DeploymentTarget | undefined> {
    const { services } = this.#parts;
    if (action.on === 'deployment') {
      const target = await findDeployment(services, this.#invocation.at, parseRequestId(ref.arg));
      this.#tried = { ...this.#tried, target: target.request_id };
      return target;
    }
    await action.check?.({ ...services, action: ref });
    return undefined;
  }

  async #carryOut<Checked>(wanted: Wanted<Checked>): Promise<void> {
    const { invocations, clock } = this.#parts;
    const { id, at, meanwhile } = this.#invocation;
    const { what, mode } = wanted;
    const changes = permissions[wanted.permission] === 'change';
    const about = { id, at, what, changes, mode, reply: this.#invocation.reply(mode) };
    this.#answer.permission = wanted.permission;
    const since = steadyNow(clock);
    const authorising = wanted.authorise();
    let taken = false;
    if (changes && meanwhile) {
      meanwhile.holdBack(this.#begun.promise);
      // Whoever asks may take longer to be known than the platform waits for an acknowledgement, which comes after it.
      if (!(await within(clock, CHECK_BUDGET_MS, authorising))) {
        const person = { id: meanwhile.askerId, name: meanwhile.askerId };
        taken = await this.#begin({ ...about, person });
        if (!taken) return;
        // Nothing has been announced yet: what it is refused for is private.
        this.#answer.stored({ ...about, person, reply: this.#invocation.reply('private') });
      }
    }
    const person = await authorising;
    const record = { ...about, person };
    // A check may ask Edgegap as well.
    const checking = this.#wait ? this.#wait.then(wanted.check) : wanted.check();
    const budget = this.#wait ? 0 : CHECK_BUDGET_MS;
    const spent = changes && !taken ? steadyNow(clock) - since : 0;
    // Where it takes longer than the first response can wait, its failure comes when it is awaited.
    await within(clock, Math.max(budget - spent, 0), checking);
    if (!taken && !(await this.#begin(record))) return;
    this.#answer.stored(record);
    await this.#answer.acknowledge(mode);
    this.#ending = { outcome: 'done', ...(await wanted.run(person, await checking)) };
    await invocations.finish(id, 'done');
  }

  /** Before it is acknowledged: a platform that retries, or a crash from here on, finds it. False for such a retry. */
  async #begin(record: InvocationRecord): Promise<boolean> {
    const { invocations, realClock } = this.#parts;
    const left = FIRST_RESPONSE_MS - (steadyNow(realClock) - this.#cameAt);
    try {
      const taken = await invocations.begin(record, Math.max(left, STORE_BUDGET_MS));
      if (!taken) this.#ending = { outcome: 'repeat' };
      return taken;
    } finally {
      this.#begun.resolve();
    }
  }

  async #authorised(permission: Permission): Promise<Person> {
    const person = await this.#invocation.person(permissions[permission] === 'change' ? 'fresh' : 'cached');
    this.#person = person;
    const refused = refusal(this.#parts.policy, this.#invocation.at.platform, person, permission);
    if (refused) throw refused;
    return person;
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
      prompt: this.#prompt,
      asker: { id: person.id, name: person.name, at: invocation.at },
      invocationId: invocation.id,
      may: (permission) => this.#may(person, permission),
      respond: (message) => this.#answer.respond(message),
      postCard: (message) => this.#answer.postCard(message),
    };
  }

  /** Tells the person what became of it: `error` is what `take` rejected with. */
  async report(error: unknown): Promise<void> {
    await this.#log(await this.#answer.report(error));
  }

  /** Refused without an answer. */
  async drop({ code }: AppError): Promise<void> {
    await this.#log({ outcome: 'refused', code });
  }

  /** The one line of each invocation: who tried what, on what, and what became of the request. */
  async #log(ending: Ending): Promise<void> {
    const { log, realClock } = this.#parts;
    const { id: invocation, at, meanwhile } = this.#invocation;
    const { platform, workspace, channel } = at;
    // Where the platform sends the person along, the name costs no question.
    const known = meanwhile ? undefined : await this.#invocation.person('cached').catch(() => undefined);
    const { id: person = meanwhile?.askerId, name = undefined } = this.#person ?? known ?? {};
    const where = { invocation, platform, workspace, channel, person, name };
    const ms = Math.round(steadyNow(realClock) - this.#cameAt);
    const line = { ...where, ...this.#tried, ...ending, ms };
    log[ending.err ? 'error' : 'info'](line, ENDED);
  }
}

function unknownCommand(given: string, known: readonly string[]): InputError {
  const near = nearest(given, known);
  return new InputError('command-unknown', `There is no command ${quoted(given)}.`, {
    hint: near ? `Did you mean ${near}? help shows all commands.` : `There are: ${known.join(', ')}.`,
  });
}
