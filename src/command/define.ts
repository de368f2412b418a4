import type { Plans } from '../bulk/plans.ts';
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
 * A command: the default export of a file in `commands/`, named after that file. Discord's JSON, Slack's parser, help,
 * the docs table and the permission checks all derive from this description.
 */
export interface CommandSpec<Specs extends OptionSpecs = OptionSpecs> extends CommandParts<OptionsOf<Specs>> {
  /** The options in the order in which people type them: options marked `positional` first. */
  readonly options: Specs;
  /** Buttons and menus, routed as `<command>:<action>`. */
  readonly actions?: Readonly<Record<string, Action>>;
  /** The code that runs when the command's forms are submitted, by the `action` of `Form.submit`. */
  readonly forms?: Readonly<Record<string, Action>>;
}

/** A command with several subcommands, all in a single file. */
export interface GroupSpec {
  readonly description: string;
  /** The actions and forms of all subcommands: a subcommand has no actions and no forms of its own. */
  readonly actions?: CommandSpec['actions'];
  readonly forms?: CommandSpec['forms'];
  /** The subcommands, by the word that people type after the command's name. */
  readonly subcommands: Readonly<Record<string, CommandSpec>>;
  /** The subcommand that is meant if people type no word for a subcommand. */
  readonly usual?: string;
}

interface CommandParts<Values> {
  /** One sentence without a full stop, at most 100 characters (Discord's limit for descriptions). */
  readonly description: string;
  /** Example arguments for help, e.g. `kart-racing v1.2 --near Montreal`. */
  readonly example?: string;
  /** The permission that the person needs. */
  readonly permission: Permission;
  /** Whether the whole channel sees the answer, or only the person. */
  readonly ack: 'public' | 'private';
  /**
   * For a command that changes something. Tells the person the possible state after a crash halfway, and the next step,
   * in one or two sentences.
   */
  readonly interrupted?: string;
  /**
   * A check beyond the kinds of the options, for example of two options that exclude each other. Throws InputError, and
   * changes nothing. The check runs before the acknowledgement, so that a refusal is the first answer and private. If
   * the check finds the exact name of a thing, the check returns the options with that name.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most checks return nothing
  check?(context: CheckContext<Values>): Promise<Values | void> | void;
  /**
   * Returns a form to open instead of calling `run`. Runs after `check`. The person waits for the form, 3 seconds at
   * most.
   */
  form?(context: CheckContext<Values>): OpensForm;
  run(context: Context<Values>): Promise<RunResult>;
}

export type OpensForm = Promise<Form | undefined> | Form | undefined;

/** A subcommand, or the command itself if the command has no subcommands. */
export interface Entry extends CommandParts<Readonly<Record<string, unknown>>> {
  /** `tags add`, or `deploy`. */
  readonly name: string;
  /** The word of a subcommand, e.g. `add`; undefined for a command without subcommands. */
  readonly word: string | undefined;
  readonly options: Options;
}

/** A loaded command, with the kinds of its options in place of the kinds' names. */
export interface Command {
  /** The name of the command's file. */
  readonly name: string;
  readonly description: string;
  readonly entries: readonly Entry[];
  /** The entry that is meant if a person names no subcommand. */
  readonly usual: Entry | undefined;
  readonly actions: Readonly<Record<string, Action>>;
  readonly forms: Readonly<Record<string, Action>>;
}

/** How a command ended, for the log. Returned by a command that tells the person about a failure in its own answer. */
interface Ended {
  /** `failed`: the request was not carried out. `unknown`: perhaps it was not. Left out if it was carried out. */
  readonly outcome?: 'failed' | 'unknown';
  /** The code of the error, if there was an error. */
  readonly code?: string | undefined;
  /** The request_id of the new deployment. */
  readonly deployment?: string | undefined;
}

// biome-ignore lint/suspicious/noConfusingVoidType: most commands do what they were asked for
export type RunResult = Ended | void;

export interface CheckContext<Options> extends Services {
  readonly options: Options;
  readonly asker: Asker;
  /** The characters that a person types before a command's name. */
  readonly prompt: string;
}

/** The code behind a button, a menu or a form. */
export type Action = PlainAction | DeploymentAction;

interface ActionBase {
  readonly permission: Permission;
  /** `update` replaces the message that holds the button. */
  readonly ack: 'public' | 'private' | 'update';
  /** See `CommandParts.interrupted`. */
  readonly interrupted?: string;
}

interface PlainAction extends ActionBase {
  readonly on?: undefined;
  /** Like the `check` of a command: refuses a press before the acknowledgement. */
  check?(context: Services & Pressed & Pick<ActionContext, 'asker'>): Promise<void> | void;
  /** Like the `form` of a command. A form cannot open another form. */
  form?(context: Services & Pressed): OpensForm;
  run(context: ActionContext): Promise<RunResult>;
}

/**
 * An action about a deployment. The choice from a menu, or the button's argument if there is no menu, is a request_id,
 * perhaps followed by a dot and further text. The request_id is looked up and checked like an option of the kind
 * `deployment`.
 */
interface DeploymentAction extends ActionBase {
  readonly on: 'deployment';
  /** Like the `form` of a command. */
  form?(context: Services & Pressed & Pick<DeploymentActionContext, 'target'>): OpensForm;
  run(context: DeploymentActionContext): Promise<RunResult>;
}

/** The argument of `run`: the services, the person's request, and the conversation in which the request is answered. */
export interface Context<Options> extends CheckContext<Options>, Conversation {}

/**
 * The place where a command answers. Made for an invocation, and also for a stored request that is carried out later.
 */
export interface Conversation {
  readonly asker: Asker;
  /** A stable id of the invocation or stored request. If the request is repeated, the id stays the same. */
  readonly invocationId: string;
  /** Whether the person has that permission; buttons that the person could not use are left out. */
  may(permission: Permission): boolean;
  /** Shows the answer; a further call replaces the answer. */
  respond(message: Message): Promise<void>;
  /** Answers with a public message that can be edited later. Throws if the bot cannot post here. */
  postCard(message: Message): Promise<MessageRef>;
}

/** A press of a button, a choice from a menu, or a submitted form. */
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

/** The person who asks, and the place where the person asks. */
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

/** The lowest permission among a command's entries: decides whether help shows the command. */
export function leastPermission({ entries }: Command): Permission {
  const rank = ({ permission }: Entry) => ['open', 'read', 'change'].indexOf(permissions[permission]);
  return entries.reduce((least, entry) => (rank(entry) < rank(least) ? entry : least)).permission;
}

/** The parts of the bot that the code of commands uses. */
export interface Services {
  readonly deployments: Deployments;
  /** Limits the deploys of the account's people. */
  readonly guard: Guard;
  /** The account's API, behind the application allowlist. */
  readonly edgegap: EdgegapApi;
  /** Applications, versions and locations, cached. */
  readonly catalog: Catalog;
  readonly charts: Charts;
  /** All commands, for help. */
  readonly directory: Directory;
  /** Keeps state that is too long for a button's argument. */
  readonly payloads: Payloads;
  /**
   * Carries out a stored request, once for each id, with the permissions that the asker has at that moment. The answer
   * goes to the place where the asker asked. If the request fails, the promise still does not reject.
   */
  carryOut(stored: StoredRequest): Promise<void>;
  /** The plans to change many deployments at once. */
  readonly plans: Plans;
  readonly clock: Clock;
  readonly settings: CommandSettings;
}

export interface CommandSettings extends ParseSettings {
  /** Where to deploy if the person names no place. */
  readonly defaultNear: string | undefined;
  /** The only applications that the bot may work with; undefined allows all applications. */
  readonly applicationAllowlist: readonly string[] | undefined;
  /** Names of private fleets to suggest. */
  readonly fleets: readonly string[];
  /** Values that are masked in every server's log. */
  readonly secrets: readonly string[];
}

/** All commands, in the order of their names. */
export interface Directory {
  readonly all: readonly Command[];
  get(name: string): Command | undefined;
}

/** The default export of a command's file, under the file's name. */
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
