import type { ActionRef, Message } from '../chat/card.ts';
import type { Form, FormValues } from '../chat/form.ts';
import type { Address, MessageRef } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import type { Catalog } from '../deployments/catalog.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { Kept } from './kept.ts';
import type { OptionSpecs, OptionsOf } from './options.ts';
import type { Permission } from './permissions.ts';
import type { StoredRequest } from './stored.ts';

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
  /** Buttons and menus, routed as `<command>:<action>`. */
  readonly actions?: Readonly<Record<string, Action>>;
  /** What the command's forms do once they are submitted, by the `action` of `Form.submit`. */
  readonly forms?: Readonly<Record<string, Action>>;
  /**
   * What the kinds of the options cannot say, e.g. that two of them do not go together: throws InputError. Comes before
   * the acknowledgement, so that its refusal is the first answer and private, and changes nothing. Where it finds by what
   * name something exists, it returns the options with that in them.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most checks return nothing
  check?(context: CheckContext<OptionsOf<Specs>>): Promise<OptionsOf<Specs> | void> | void;
  /** Where a form is to open in place of `run`: that form. Comes after `check`; a person waits 3 seconds at most. */
  form?(context: CheckContext<OptionsOf<Specs>>): OpensForm;
  run(context: Context<OptionsOf<Specs>>): Promise<void>;
}

export type OpensForm = Promise<Form | undefined> | Form | undefined;

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

/** What a button press, a choice from a menu or a submitted form does. */
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
  check?(context: Services & Pressed): Promise<void> | void;
  /** As a command's. A form cannot open another one. */
  form?(context: Services & Pressed): OpensForm;
  run(context: ActionContext): Promise<void>;
}

/** The button's argument is a request_id, which is looked up and checked just like an option of that kind. */
interface DeploymentAction extends ActionBase {
  readonly on: 'deployment';
  /** As a command's. */
  form?(context: Services & Pressed & Pick<DeploymentActionContext, 'target'>): OpensForm;
  run(context: DeploymentActionContext): Promise<void>;
}

/** What `run` gets: the services, this one person's request, and the conversation in which the request is answered. */
export interface Context<Options> extends CheckContext<Options>, Conversation {}

/** Where a command answers. An invocation makes one, and so does a stored request that is carried out later. */
export interface Conversation {
  readonly asker: Asker;
  /** Stable id of the invocation or stored request; a repeat of it has the same one. */
  readonly invocationId: string;
  /** Whether this person may do that, for leaving out buttons they could not use. */
  may(permission: Permission): boolean;
  /** Fills in the answer; called again, replaces it. */
  respond(message: Message): Promise<void>;
  /** Answers with a public message that can be edited later on. Throws when the bot cannot post here. */
  postCard(message: Message): Promise<MessageRef>;
}

/** What was pressed, chosen or filled in. */
export interface Pressed {
  readonly action: ActionRef;
  /** The values chosen from a menu; empty for a button or a form. */
  readonly chosen: readonly string[];
  /** The values of a submitted form; empty for a button or a menu. */
  readonly fields: FormValues;
}

export interface ActionContext extends Context<Record<string, never>>, Pressed {
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

/** What commands work with. */
export interface Services {
  readonly deployments: Deployments;
  /** The account's API, behind the application allowlist. */
  readonly edgegap: EdgegapApi;
  /** Applications, versions and locations, cached. */
  readonly catalog: Catalog;
  /** All commands, for help. */
  readonly directory: Directory;
  /** Keeps what is too long for a button's argument. */
  readonly kept: Kept;
  /**
   * Carries out a request that was stored, once for each id, with the rights that its asker has now, and answers where it
   * was asked. Never rejects for what goes wrong in it.
   */
  carryOut(stored: StoredRequest): Promise<void>;
  readonly clock: Clock;
  readonly settings: CommandSettings;
}

export interface CommandSettings {
  /** Where to deploy when nobody says where. */
  readonly defaultNear: string | undefined;
  /** Longest tag, in characters. */
  readonly maxTagLength: number;
  /** The only applications to work with; undefined: all. */
  readonly applicationAllowlist: readonly string[] | undefined;
  /** Exact values that are masked wherever a log shows them. */
  readonly secrets: readonly string[];
}

/** A command under its name, the name of its file. */
export interface NamedCommand {
  readonly name: string;
  readonly command: Command;
}

/** All commands, in the order of their names. */
export interface Directory {
  readonly all: readonly NamedCommand[];
  get(name: string): Command | undefined;
}

export function createDirectory(commands: readonly NamedCommand[]): Directory {
  const all = commands.toSorted((a, b) => a.name.localeCompare(b.name));
  const byName = new Map(all.map(({ name, command }) => [name, command]));
  return { all, get: (name) => byName.get(name) };
}
