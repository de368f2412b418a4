import type { Charts } from '../chart/charts.ts';
import type { ActionRef, Message } from '../chat/card.ts';
import type { Form, FormValues } from '../chat/form.ts';
import type { Address, MessageRef } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import type { Catalog } from '../deployments/catalog.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { Guard } from '../guard/guard.ts';
import type { Options, ParseSettings } from './kinds/kind.ts';
import { kinds as allKinds } from './kinds/kinds.ts';
import { type Kinds, type OptionSpecs, type OptionsOf, withKinds } from './options.ts';
import type { Payloads } from './payloads.ts';
import { type Permission, permissions } from './permissions.ts';
import type { StoredRequest } from './stored.ts';

/**
 * What a command is. One file in `commands/` holds one of these as its default export; the file's name is the
 * command's name. Everything else (Discord's JSON, Slack's parser, help, the docs table, permission checks)
 * derives from it.
 */
export interface CommandSpec<Specs extends OptionSpecs = OptionSpecs> extends CommandParts<OptionsOf<Specs>> {
  /** In the order in which they are typed: the ones marked `positional` first. */
  readonly options: Specs;
  /** Buttons and menus, routed as `<command>:<action>`. */
  readonly actions?: Readonly<Record<string, Action>>;
  /** What the command's forms do once they are submitted, by the `action` of `Form.submit`. */
  readonly forms?: Readonly<Record<string, Action>>;
}

/** A command of several subcommands, which is one file too. */
export interface GroupSpec {
  readonly description: string;
  /** Of all its subcommands: a subcommand has no actions and no forms of its own. */
  readonly actions?: CommandSpec['actions'];
  readonly forms?: CommandSpec['forms'];
  /** By the word that follows the command's name. */
  readonly subcommands: Readonly<Record<string, CommandSpec>>;
  /** The subcommand that is meant where people type no word for a subcommand. */
  readonly usual?: string;
}

interface CommandParts<Values> {
  /** One sentence without a full stop, at most 100 characters (Discord's limit for descriptions). */
  readonly description: string;
  /** Example arguments for help, e.g. `kart-racing v1.2 --near Montreal`. */
  readonly example?: string;
  /** What the person must be allowed to do. */
  readonly permission: Permission;
  /** Whether the channel sees the answer, or only the person. */
  readonly ack: 'public' | 'private';
  /** Where it changes something: what a crash in the middle of it may have left, and what to do. One or two sentences. */
  readonly interrupted?: string;
  /**
   * What the kinds of the options cannot say, e.g. that two of them do not go together: throws InputError. Comes before
   * the acknowledgement, so that its refusal is the first answer and private, and changes nothing. Where it finds by what
   * name something exists, it returns the options with that in them.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most checks return nothing
  check?(context: CheckContext<Values>): Promise<Values | void> | void;
  /** Where a form is to open in place of `run`: that form. Comes after `check`; a person waits 3 seconds at most. */
  form?(context: CheckContext<Values>): OpensForm;
  run(context: Context<Values>): Promise<RunResult>;
}

export type OpensForm = Promise<Form | undefined> | Form | undefined;

/** What can be asked for under one name: a subcommand, or a command that has no subcommands. */
export interface Entry extends CommandParts<Readonly<Record<string, unknown>>> {
  /** `tags add`, or `deploy`. */
  readonly name: string;
  /** `add`, of a subcommand. */
  readonly word: string | undefined;
  readonly options: Options;
}

/** A command as it was loaded: with the kinds of its options in place of their names. */
export interface Command {
  /** The name of its file. */
  readonly name: string;
  readonly description: string;
  readonly entries: readonly Entry[];
  /** What is asked for where no subcommand is named. */
  readonly usual: Entry | undefined;
  readonly actions: Readonly<Record<string, Action>>;
  readonly forms: Readonly<Record<string, Action>>;
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
export type RunResult = Ended | void;

export interface CheckContext<Options> extends Services {
  readonly options: Options;
  readonly asker: Asker;
  /** What a person types before a command's name. */
  readonly prompt: string;
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
  check?(context: Services & Pressed & Pick<ActionContext, 'asker'>): Promise<void> | void;
  /** As a command's. A form cannot open another one. */
  form?(context: Services & Pressed): OpensForm;
  run(context: ActionContext): Promise<RunResult>;
}

/**
 * The choice from a menu, or else the button's argument, is a request_id, which may be followed by a dot and more, and which
 * is looked up and checked just like an option of that kind.
 */
interface DeploymentAction extends ActionBase {
  readonly on: 'deployment';
  /** As a command's. */
  form?(context: Services & Pressed & Pick<DeploymentActionContext, 'target'>): OpensForm;
  run(context: DeploymentActionContext): Promise<RunResult>;
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
export function defineCommand<const Specs extends OptionSpecs>(command: CommandSpec<Specs>) {
  return command;
}

/** A command with subcommands, each made with `defineCommand`. */
export function defineGroup(group: GroupSpec): GroupSpec {
  return group;
}

/** The least that any use of a command needs: decides whether help shows it. */
export function leastPermission({ entries }: Command): Permission {
  const rank = ({ permission }: Entry) => ['open', 'read', 'change'].indexOf(permissions[permission]);
  return entries.reduce((least, entry) => (rank(entry) < rank(least) ? entry : least)).permission;
}

/** What commands work with. */
export interface Services {
  readonly deployments: Deployments;
  /** What people of the account may spend. */
  readonly guard: Guard;
  /** The account's API, behind the application allowlist. */
  readonly edgegap: EdgegapApi;
  /** Applications, versions and locations, cached. */
  readonly catalog: Catalog;
  readonly charts: Charts;
  /** All commands, for help. */
  readonly directory: Directory;
  /** Keeps what is too long for a button's argument. */
  readonly payloads: Payloads;
  /**
   * Carries out a request that was stored, once for each id, with the rights that its asker has now, and answers where it
   * was asked. Never rejects for what goes wrong in it.
   */
  carryOut(stored: StoredRequest): Promise<void>;
  readonly clock: Clock;
  readonly settings: CommandSettings;
}

export interface CommandSettings extends ParseSettings {
  /** Where to deploy when nobody says where. */
  readonly defaultNear: string | undefined;
  /** The only applications to work with; undefined: all. */
  readonly applicationAllowlist: readonly string[] | undefined;
  /** Names of private fleets to offer. */
  readonly fleets: readonly string[];
  /** Exact values that are masked wherever a log shows them. */
  readonly secrets: readonly string[];
}

/** All commands, in the order of their names. */
export interface Directory {
  readonly all: readonly Command[];
  get(name: string): Command | undefined;
}

/** What a file holds, under the file's name. */
export interface Written {
  readonly name: string;
  readonly command: CommandSpec | GroupSpec;
}

export function createDirectory(written: readonly Written[], kinds: Kinds = allKinds): Directory {
  const all = written.map((one) => commandOf(one, kinds)).toSorted((a, b) => a.name.localeCompare(b.name));
  const byName = new Map(all.map((command) => [command.name, command]));
  return { all, get: (name) => byName.get(name) };
}

function commandOf({ name, command }: Written, kinds: Kinds): Command {
  const { description, actions = {}, forms = {} } = command;
  const isGroup = 'subcommands' in command;
  const specs: [string | undefined, CommandSpec][] = isGroup
    ? Object.entries(command.subcommands)
    : [[undefined, command]];
  const entries = specs.map(([word, spec]): Entry => {
    const options = withKinds(spec.options, kinds);
    return { ...spec, name: word === undefined ? name : `${name} ${word}`, word, options };
  });
  const usual = isGroup ? entries.find(({ word }) => word === command.usual) : entries[0];
  return { name, description, entries, usual, actions, forms };
}
