import type { AckMode, Invocation, InvocationRequest, Person } from '../chat/port.ts';
import { type Clock, steadyNow, within } from '../clock.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import type { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Answer, type Ending } from './answer.ts';
import { tooLong } from './argv.ts';
import type { Policy } from './authorise.ts';
import { asksForHelp, choose, unknownCommand } from './choose.ts';
import { createContexts } from './context.ts';
import { type Command, type Entry, leastPermission, type OpensForm, type Services } from './define.ts';
import type { InvocationRecord, Invocations } from './invocations.ts';
import { findDeployment, parseRequestId } from './kinds/deployment.ts';
import { formImpossible, formTooLate } from './open-form.ts';
import { parseValues } from './parse.ts';
import { type Permission, permissions } from './permissions.ts';
import { findPressed, stale } from './pressed.ts';
import type { Presses } from './presses.ts';
import { resolveValues } from './resolve.ts';
import { namesakes } from './same-name.ts';
import { asTyped, ENDED, type Tried, targetOf } from './tried.ts';
import { usageHint } from './usage.ts';

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
  /** The form to open in place of `run`, if any; undefined where there never is one. */
  readonly form: ((checked: Checked) => OpensForm) | undefined;
  /** How to go on where that form cannot be opened. */
  readonly withoutForm: string;
  run(person: Person, checked: Checked): ReturnType<Entry['run']>;
}

/** One invocation on its way through. */
export class Turn {
  readonly #invocation: Invocation;
  readonly #parts: TurnParts;
  readonly #cameAt: number;
  readonly #answer: Answer;
  readonly #contexts: ReturnType<typeof createContexts>;
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
    this.#answer = new Answer(invocation, parts);
    this.#contexts = createContexts(invocation, parts, this.#answer);
    this.#tried = asTyped(invocation.request, parts.services.directory);
    this.#cameAt = steadyNow(parts.realClock);
  }

  /** With `wait`, the invocation is only acknowledged until that resolves, and then carried out. */
  async take(wait?: Promise<void>): Promise<void> {
    this.#wait = wait;
    const { request } = this.#invocation;
    const refused = tooLong(request);
    if (refused) {
      await this.#authorised('help');
      throw refused;
    }
    if (request.kind === 'command') await this.#takeCommand(request);
    else await this.#takePressed(request);
    await this.#log(this.#ending);
  }

  async #takeCommand(request: CommandRequest): Promise<void> {
    const { directory } = this.#parts.services;
    const given = request.command;
    const [found, ...others] = namesakes(given, directory.all, ({ name }) => name);
    const command = others.length > 0 ? undefined : found;
    if (command && asksForHelp(command, request.args))
      return await this.#takeCommand({
        ...request,
        command: 'help',
        args: { kind: 'text', text: command.name },
      });
    const least = command ? leastPermission(command) : 'help';
    const typed = this.#read(command, request);
    const authorise = async () => {
      // Before anything else is said: a stranger learns nothing, not even which commands there are.
      const person = await this.#authorised(least);
      if (!command) {
        const mayUse = (one: Command) => !this.#contexts.refusal(person, leastPermission(one));
        throw unknownCommand(given, directory.all.filter(mayUse));
      }
      if ('mistake' in typed) throw typed.mistake;
      const { permission } = typed.entry;
      return permission === least ? person : await this.#authorised(permission);
    };
    if ('mistake' in typed) return void (await authorise());
    const { entry, parsed } = typed;
    await this.#carryOut({
      what: entry.name,
      permission: entry.permission,
      mode: entry.ack,
      authorise,
      check: () => this.#resolve(entry, parsed),
      form: entry.form && ((options) => entry.form?.(this.#contexts.forCheck(options))),
      withoutForm: usageHint(this.#contexts.prompt + entry.name, entry.options),
      run: (person, options) => entry.run(this.#contexts.forRun(person, options)),
    });
  }

  /** What was typed or picked, as far as the command itself tells; or what is wrong with it. */
  #read(command: Command | undefined, { args }: CommandRequest) {
    const { prompt } = this.#contexts;
    try {
      if (!command) return { mistake: undefined };
      const { entry, raw } = choose(command, args, prompt);
      this.#tried = { command: entry.name, target: targetOf(entry.options, raw) };
      const { settings } = this.#parts.services;
      const parsed = parseValues(raw, prompt + entry.name, entry.options, settings);
      return { entry, parsed };
    } catch (mistake) {
      return { mistake };
    }
  }

  async #takePressed(request: PressedRequest): Promise<void> {
    const { services, presses } = this.#parts;
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
    await this.#carryOut<DeploymentTarget | undefined>({
      what: `${command}:${name}`,
      permission: action.permission,
      mode: action.ack,
      authorise: async () => {
        const person = await this.#authorised(action.permission);
        const button = JSON.stringify([at.platform, at.workspace, at.channel, source, pressed, person.id]);
        if (action.ack === 'public') release = presses.take(button, id);
        return person;
      },
      check: async () => {
        if (action.on === 'deployment') return await this.#targetOf(pressed.chosen[0] ?? arg);
        await action.check?.({ ...services, ...pressed });
        return undefined;
      },
      form:
        action.form &&
        ((target) => {
          if (action.on !== 'deployment') return action.form?.({ ...services, ...pressed });
          return target && action.form?.({ ...services, ...pressed, target });
        }),
      withoutForm: 'Type the command instead; help shows how.',
      run: async (person, target) => {
        const context = { ...this.#contexts.forRun(person, {}), ...pressed, source };
        if (action.on !== 'deployment') return await action.run(context);
        if (target) return await action.run({ ...context, target });
      },
    }).finally(() => release?.());
  }

  async #targetOf(arg: string): Promise<DeploymentTarget> {
    const target = await findDeployment(this.#contexts.lookup, parseRequestId(arg.replace(/\..*$/, '')));
    this.#tried = { ...this.#tried, target: target.request_id };
    return target;
  }

  /** Puts what exists in place of what was named, and lets the command have its own look. */
  async #resolve(entry: Entry, parsed: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const { lookup, prompt } = this.#contexts;
    const options = await resolveValues(parsed, prompt + entry.name, entry.options, lookup);
    this.#tried = { command: entry.name, target: targetOf(entry.options, options) };
    const checked = await entry.check?.(this.#contexts.forCheck(options));
    return checked ?? options;
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
    // A check may ask Edgegap as well.
    const checking = this.#wait ? this.#wait.then(wanted.check) : wanted.check();
    const preparing = checking.then(async (checked) => ({ form: await wanted.form?.(checked) }));
    // A form is a first response: for it, a turn that comes soon is worth the wait.
    const budget = this.#wait && !wanted.form ? 0 : CHECK_BUDGET_MS;
    const spent = changes && !taken ? steadyNow(clock) - since : 0;
    // Where it takes longer than the first response can wait, its failure comes when it is awaited.
    const form = (await within(clock, Math.max(budget - spent, 0), preparing))?.form;
    if (form && !this.#invocation.openForm) throw formImpossible(wanted.withoutForm);
    // A form asks, and changes nothing.
    const record = { ...about, changes: changes && !form, person };
    if (!taken && !(await this.#begin(record))) return;
    this.#answer.stored(record);
    if (form) {
      await this.#invocation.openForm?.(form);
      this.#ending = { outcome: 'form' };
    } else {
      await this.#answer.acknowledge(mode);
      if ((await preparing).form) throw formTooLate();
      this.#ending = { outcome: 'done', ...(await wanted.run(person, await checking)) };
    }
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
    const refused = this.#contexts.refusal(person, permission);
    if (refused) throw refused;
    return person;
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
    this.#person ??= meanwhile ? undefined : await this.#invocation.person('cached').catch(() => undefined);
    const { id: person = meanwhile?.askerId, name = undefined } = this.#person ?? {};
    const where = { invocation, platform, workspace, channel, person, name };
    const ms = Math.round(steadyNow(realClock) - this.#cameAt);
    const line = { ...where, ...this.#tried, ...ending, ms };
    log[ending.err ? 'error' : 'info'](line, ENDED);
  }
}
