import type { AckMode, Invocation, InvocationRequest, Person } from '../chat/port.ts';
import { type Clock, steadyNow, within } from '../clock.ts';
import { InputError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Answer } from './answer.ts';
import { isTooLong, MAX_REQUEST, nearest, parseText, quoted, type RawValues, usageHint } from './argv.ts';
import { type Policy, refusal } from './authorise.ts';
import {
  type CheckContext,
  type Command,
  type Context,
  leastPermission,
  type OpensForm,
  type Services,
} from './define.ts';
import type { InvocationRecord, Invocations } from './invocations.ts';
import { formImpossible, formTooLate } from './open-form.ts';
import { parseRequestId, parseValues } from './parse.ts';
import { type Permission, permissions } from './permissions.ts';
import { findPressed, stale } from './pressed.ts';
import type { Presses } from './presses.ts';
import { findDeployment, resolveValues } from './resolve.ts';
import { namesakes } from './same-name.ts';

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
type PressedRequest = Exclude<InvocationRequest, CommandRequest>;

/** What is asked for, as far as that is known without asking anybody. */
interface Wanted<Checked> {
  readonly what: string;
  readonly permission: Permission;
  readonly mode: AckMode;
  /** Finds out who asks. Throws where they may not. */
  authorise(): Promise<Person>;
  /** Looks up what was named. Throws where that is not as it should be. */
  check(): Promise<Checked>;
  /** The form to open in place of `run`, if any. */
  form(checked: Checked): OpensForm;
  /** How to go on where that form cannot be opened. */
  readonly withoutForm: string;
  run(person: Person, checked: Checked): Promise<void>;
}

/** One invocation on its way through. */
export class Turn {
  readonly #invocation: Invocation;
  readonly #parts: TurnParts;
  readonly #cameAt: number;
  readonly #answer: Answer;
  readonly #prompt: string;
  /** Resolves when the store has taken it, or has not in time. */
  readonly #begun = Promise.withResolvers<void>();

  constructor(invocation: Invocation, parts: TurnParts) {
    this.#invocation = invocation;
    this.#parts = parts;
    this.#prompt = invocation.prompt ?? '';
    this.#answer = new Answer(invocation, parts);
    this.#cameAt = steadyNow(parts.realClock);
  }

  async take(): Promise<void> {
    const { request } = this.#invocation;
    if (isTooLong(request)) {
      await this.#authorised('help');
      throw new InputError('text-too-long', `That is too long: I read at most ${MAX_REQUEST} characters.`, {
        hint: `Nothing was done. Type ${request.kind === 'form' ? 'less' : 'a shorter command'}.`,
      });
    }
    if (request.kind === 'command') await this.#takeCommand(request);
    else await this.#takePressed(request);
  }

  async #takeCommand(request: CommandRequest): Promise<void> {
    const { directory } = this.#parts.services;
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
      form: (options) => command.form?.(this.#checkContext(options as never)),
      withoutForm: usageHint(this.#prompt + name, command.options),
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

  async #takePressed(request: PressedRequest): Promise<void> {
    const { services } = this.#parts;
    const { source } = request;
    const found = findPressed(services.directory, request);
    if (!found) {
      await this.#authorised('help');
      throw stale(request);
    }
    const { action, pressed } = found;
    const { command, action: name, arg } = pressed.action;
    let release: (() => void) | undefined;
    const { id, at } = this.#invocation;
    await this.#carryOut({
      what: `${command}:${name}`,
      permission: action.permission,
      mode: action.ack,
      authorise: async () => {
        const person = await this.#authorised(action.permission);
        const button = JSON.stringify([at.platform, at.workspace, at.channel, source, pressed, person.id]);
        if (action.ack === 'public') release = this.#parts.presses.take(button, id);
        return person;
      },
      async check() {
        if (action.on === 'deployment') return await findDeployment(services, at, parseRequestId(arg));
        await action.check?.({ ...services, ...pressed });
        return undefined;
      },
      form(target) {
        if (action.on !== 'deployment') return action.form?.({ ...services, ...pressed });
        return target && action.form?.({ ...services, ...pressed, target });
      },
      withoutForm: 'Type the command instead; help shows how.',
      run: async (person, target) => {
        const context = { ...this.#context(person, {}), ...pressed, source };
        if (action.on !== 'deployment') await action.run(context);
        else if (target) await action.run({ ...context, target });
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
    const checked = await command.check?.(this.#checkContext(options as never));
    return checked ?? options;
  }

  #checkContext<Options>(options: Options): CheckContext<Options> {
    return { ...this.#parts.services, prompt: this.#prompt, options };
  }

  async #carryOut<Checked>(wanted: Wanted<Checked>): Promise<void> {
    const { invocations, clock, log } = this.#parts;
    const { id, at, meanwhile } = this.#invocation;
    const { what, mode } = wanted;
    const changes = permissions[wanted.permission] === 'change';
    const about = { id, at, what, changes, mode, reply: this.#invocation.reply(mode) };
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
    const checking = wanted.check();
    const preparing = checking.then((checked) => wanted.form(checked)).then((form) => ({ form }));
    const spent = changes && !taken ? steadyNow(clock) - since : 0;
    // Where it takes longer than the first response can wait, its failure comes when it is awaited.
    const prepared = await within(clock, Math.max(CHECK_BUDGET_MS - spent, 0), preparing);
    const form = prepared?.form;
    if (form && !this.#invocation.openForm) throw formImpossible(wanted.withoutForm);
    // A form asks, and changes nothing.
    const record = { ...about, changes: changes && !form, person };
    if (!taken && !(await this.#begin(record))) return;
    this.#answer.stored(record);
    await (form ? this.#invocation.openForm?.(form) : this.#answer.acknowledge(mode));
    log.info(
      { invocation: id, what, person: person.id, channel: at.channel, platform: at.platform },
      'invocation: taken',
    );
    if (!form) {
      if ((await preparing).form) throw formTooLate();
      await wanted.run(person, await checking);
    }
    await invocations.finish(id, 'done');
  }

  /** Before it is acknowledged: a platform that retries, or a crash from here on, finds it. False for such a retry. */
  async #begin(record: InvocationRecord): Promise<boolean> {
    const { invocations, realClock, log } = this.#parts;
    const { id, what } = record;
    const left = FIRST_RESPONSE_MS - (steadyNow(realClock) - this.#cameAt);
    try {
      const taken = await invocations.begin(record, Math.max(left, STORE_BUDGET_MS));
      if (!taken) log.info({ invocation: id, what }, 'invocation: a repeat, already taken');
      return taken;
    } finally {
      this.#begun.resolve();
    }
  }

  async #authorised(permission: Permission): Promise<Person> {
    const person = await this.#invocation.person(permissions[permission] === 'change' ? 'fresh' : 'cached');
    const refused = refusal(this.#parts.policy, this.#invocation.at.platform, person, permission);
    if (refused) throw refused;
    return person;
  }

  #may(person: Person, permission: Permission): boolean {
    return refusal(this.#parts.policy, this.#invocation.at.platform, person, permission) === undefined;
  }

  #context<Options>(person: Person, options: Options): Context<Options> {
    const invocation = this.#invocation;
    return {
      ...this.#checkContext(options),
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
