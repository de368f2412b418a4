import type { Address, MessageRef } from '../adapters/adapter.ts';
import type { ActionRef, Message } from '../cards/card.ts';
import type { Permission } from '../policy/permissions.ts';
import type { OptionSpecs, OptionsOf } from './options.ts';
import type { DeploymentTarget, Services } from './services.ts';

/**
 * What a command is. One file in `commands/` holds one of these as its default export; the file's name is the
 * command's name. Everything else (Discord's JSON, Slack's parser, help, the docs table, permission checks)
 * derives from it.
 */
export interface Command<Specs extends OptionSpecs = OptionSpecs> {
  /** One sentence without a full stop, at most 100 characters (Discord's limit for descriptions). */
  readonly description: string;
  /** Example arguments for help, e.g. `kart-racing v1.2 --near Montreal`. */
  readonly example?: string;
  /** What the person must be allowed to do; a function where it depends on the options. */
  readonly permission: Permission | PermissionByOptions<Specs>;
  /** Whether the channel sees the answer, or only the person. */
  readonly ack: 'public' | 'private' | ((options: OptionsOf<Specs>) => 'public' | 'private');
  /** Where it changes something: what a crash in the middle of it may have left, and what to do. One or two sentences. */
  readonly interrupted?: string;
  /** In the order in which they are typed: the ones marked `positional` first. */
  readonly options: Specs;
  /** Buttons, routed as `<command>:<action>`. */
  readonly actions?: Readonly<Record<string, Action>>;
  /**
   * What the kinds of the options cannot say, e.g. that two of them do not go together: throws InputError. Comes before
   * the acknowledgement, so that its refusal is the first answer and private, and changes nothing. Where it finds by what
   * name something exists, it returns the options with that in them.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most checks return nothing
  check?(context: CheckContext<OptionsOf<Specs>>): Promise<OptionsOf<Specs> | void> | void;
  run(context: Context<OptionsOf<Specs>>): Promise<Upshot>;
}

/** For the log, where the answer says more than an error could. */
interface Ended {
  /** What was asked for was not done, or perhaps not; left out where it was done. */
  readonly outcome?: 'failed' | 'unknown';
  /** Why, in that case. */
  readonly code?: string | undefined;
  /** The request_id of what was deployed. */
  readonly deployment?: string | undefined;
}

// biome-ignore lint/suspicious/noConfusingVoidType: most commands do what they were asked for
export type Upshot = Ended | void;

export interface CheckContext<Options> extends Services {
  readonly options: Options;
  /** What a person types before a command's name. */
  readonly prompt: string;
}

interface PermissionByOptions<Specs extends OptionSpecs> {
  /** The least that any use of the command needs: decides whether help shows it. */
  readonly least: Permission;
  readonly of: (options: OptionsOf<Specs>) => Permission;
}

/** What a button press does. */
export type Action = PlainAction | DeploymentAction;

interface ActionBase {
  readonly permission: Permission;
  /** `update` replaces the message that holds the button. */
  readonly ack: 'public' | 'private' | 'update';
  /** As a command's. */
  readonly interrupted?: string;
}

interface PlainAction extends ActionBase {
  readonly on?: undefined;
  /** As a command's: refuses before anything is acknowledged. */
  check?(context: Services & Pick<ActionContext, 'action'>): Promise<void> | void;
  run(context: ActionContext): Promise<Upshot>;
}

/** The button's argument is a request_id, which is looked up and checked just like an option of that kind. */
interface DeploymentAction extends ActionBase {
  readonly on: 'deployment';
  run(context: DeploymentActionContext): Promise<Upshot>;
}

/** What `run` gets: the services, and this one person's request. */
export interface Context<Options> extends CheckContext<Options> {
  readonly asker: Asker;
  /** Stable id of this invocation; a platform's retry of it has the same one. */
  readonly invocationId: string;
  /** Whether this person may do that, for leaving out buttons they could not use. */
  may(permission: Permission): boolean;
  /** Fills in the answer; called again, replaces it. */
  respond(message: Message): Promise<void>;
  /** Answers with a public message that can be edited later on. Throws when the bot cannot post here. */
  postCard(message: Message): Promise<MessageRef>;
}

export interface ActionContext extends Context<Record<string, never>> {
  readonly action: ActionRef;
  /** The message that holds the button; undefined where the platform does not say. */
  readonly source: MessageRef | undefined;
}

export interface DeploymentActionContext extends ActionContext {
  readonly target: DeploymentTarget;
}

/** The person and the place, as a command needs them. */
export interface Asker {
  readonly id: string;
  readonly name: string;
  readonly at: Address;
}

/** Gives the options their types in `run`. */
export function defineCommand<const Specs extends OptionSpecs>(command: Command<Specs>): Command<Specs> {
  return command;
}

/** The least that any use of a command needs. */
export function leastPermission({ permission }: Command): Permission {
  return typeof permission === 'string' ? permission : permission.least;
}
