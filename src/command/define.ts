import type { Plans } from '../bulk/plans.ts';
import type { Charts } from '../chart/charts.ts';
import type { ActionRef, Message } from '../chat/card.ts';
import type { Address, MessageRef } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import type { Catalog } from '../deployments/catalog.ts';
import type { DeploymentTarget } from '../deployments/deployment.ts';
import type { Deployments } from '../deployments/deployments.ts';
import type { LifetimeLimits } from '../deployments/lifetime.ts';
import type { PlannedStops } from '../deployments/planned-stops.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import type { StopOptions, StopResult } from '../edgegap/stop.ts';
import type { Vault } from '../edgegap/vault.ts';
import type { Finding } from '../finding.ts';
import type { Guard } from '../guard/guard.ts';
import type { Recordings } from '../recorder/recordings.ts';
import type { Followers } from '../tail/followers.ts';
import type { LogSearches } from '../tail/searches.ts';
import type { FormLayout } from './forms/form-layout.ts';
import type { Options, ParseSettings, RawValue } from './kinds/kind.ts';
import { kinds as allKinds } from './kinds/kinds.ts';
import { type Kinds, type OptionSpecs, type OptionsOf, withKinds } from './options.ts';
import type { Payloads } from './payloads.ts';
import { type Permission, permissions } from './permissions.ts';
import type { Presets } from './presets.ts';
import type { Roster } from './roster.ts';
import type { StoredRequest } from './stored.ts';

/**
 * A command. Each file in `commands/` exports a command as its default, and the command has the name of the file.
 * Discord's JSON, Slack's parser, help, the table in the docs and the permission checks are all derived from this
 * description.
 */
export interface CommandSpec<Specs extends OptionSpecs = OptionSpecs> extends CommandParts<OptionsOf<Specs>> {
  /** The options in the order in which people type them. Options marked `positional` come first. */
  readonly options: Specs;
  /** Which options stand where in the form of the command. If absent, the options stand in their order. */
  readonly layout?: FormLayout;
  /** Buttons and menus. Their ids have the form `<command>:<action>`. */
  readonly actions?: Readonly<Record<string, Action>>;
}

/** A command with several subcommands, all of them in a single file. */
export interface GroupSpec {
  readonly description: string;
  readonly topic?: Topic;
  /** The actions of all subcommands together. A subcommand has no actions of its own. */
  readonly actions?: CommandSpec['actions'];
  /** The subcommands. The key is the word that people type after the command's name. */
  readonly subcommands: Readonly<Record<string, CommandSpec>>;
  /** The subcommand that is meant if people type no word for a subcommand. */
  readonly usual?: string;
}

/**
 * The job that a command does. Help groups the commands by topic. A command without a topic is about the bot itself.
 */
export type Topic = 'start' | 'look' | 'change' | 'catalogue';

interface CommandParts<Values> {
  /** Only for a whole command. A subcommand belongs to the topic of its group. */
  readonly topic?: Topic;
  /** One sentence without a full stop, at most 100 characters (Discord's limit for descriptions). */
  readonly description: string;
  /** Example arguments for help, e.g. `kart-racing v1.2 --near Montreal`. */
  readonly example?: string;
  /**
   * The name of a shortcut that runs the command without any options. On platforms with shortcuts, people find the
   * shortcut everywhere. At most 24 characters.
   */
  readonly shortcut?: string;
  /** The permission that the person needs. */
  readonly permission: Permission;
  /**
   * Whether the whole channel sees the answer, or only the person. `private-unless-shared`: the channel sees the answer
   * if the person gives the option `share`.
   */
  readonly ack: 'public' | 'private' | 'private-unless-shared';
  /**
   * Must be set for a command that changes something. The text tells the person, in one or two sentences, which state
   * is possible if the bot crashed halfway, and what to do next.
   */
  readonly interrupted?: string;
  /**
   * A check that the kinds of the options cannot make, for example of two options that exclude each other. Throws
   * InputError, and changes nothing. The check runs before the acknowledgement, so that a refusal is the first answer
   * and therefore private. If the check finds the exact name of a thing, it returns the options with this name.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most checks return nothing
  check?(context: CheckContext<Values>): Promise<Values | void> | void;
  run(context: Context<Values>): Promise<RunResult>;
}

/** A subcommand. If a command has no subcommands, its only entry is the command itself. */
export interface Entry extends CommandParts<Readonly<Record<string, unknown>>> {
  /** For example `tags add` or `deploy`. */
  readonly name: string;
  /** The word of a subcommand, for example `add`. Undefined for a command without subcommands. */
  readonly word: string | undefined;
  readonly options: Options;
  readonly layout?: FormLayout | undefined;
}

/** A loaded command. The names of the kinds of its options are replaced by the kinds themselves. */
export interface Command {
  /** The name of the command's file. */
  readonly name: string;
  readonly description: string;
  readonly topic: Topic | undefined;
  readonly entries: readonly Entry[];
  /** The entry that is meant if a person names no subcommand. */
  readonly usual: Entry | undefined;
  readonly actions: Readonly<Record<string, Action>>;
}

/**
 * How a command ended, for the log. A command returns this if it has told the person about a failure in its own answer.
 */
interface Ended {
  /**
   * `failed`: the request was not carried out. `unknown`: the request may not have been carried out. If absent, the
   * request was carried out.
   */
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
  /** The values as the person typed or picked them, together with the values of a preset. Empty for a button. */
  readonly given: Readonly<Record<string, RawValue>>;
  readonly asker: Asker;
}

/** The code behind a button or a menu. */
export type Action = PlainAction | DeploymentAction;

interface ActionBase {
  readonly permission: Permission;
  /** `update` means that the answer replaces the message that holds the button. */
  readonly ack: 'public' | 'private' | 'update';
  /**
   * The name of the action in the menu that platforms show for each message. On a deployment's card, the action is
   * carried out as if a person had pressed a button of the card. Needs `on`, and an `ack` other than `update`. At most
   * 24 characters.
   */
  readonly onCard?: string;
  /** If true, several quick presses of a person count as a single press. With the ack `public`, they always do. */
  readonly once?: boolean;
  /** See `CommandParts.interrupted`. */
  readonly interrupted?: string;
}

interface PlainAction extends ActionBase {
  /** `order`: the argument is the bot's own id of a deployment, even if the deployment has no request_id. */
  readonly on?: 'order' | undefined;
  /** Like the `check` of a command. It can refuse a press before the acknowledgement. */
  check?(context: Services & Pressed & Pick<ActionContext, 'asker'>): Promise<void> | void;
  run(context: ActionContext): Promise<RunResult>;
}

/**
 * An action about a deployment. Its argument is the person's choice from a menu, or the argument of the button if there
 * is no menu. The argument is a request_id, which may be followed by a dot and further text. The request_id is looked
 * up and checked like an option of the kind `deployment`.
 */
interface DeploymentAction extends ActionBase {
  readonly on: 'deployment';
  run(context: DeploymentActionContext): Promise<RunResult>;
}

/**
 * The argument of `run`. It holds the services, the person's request, and the conversation in which the request is
 * answered.
 */
export interface Context<Options> extends CheckContext<Options>, Conversation {}

/**
 * The object through which a command answers. There is a conversation for each invocation, and for each stored request
 * that is carried out later.
 */
export interface Conversation {
  readonly asker: Asker;
  /** A stable id of the invocation or stored request. If the request is repeated, the id stays the same. */
  readonly invocationId: string;
  /** Whether the person has this permission. A command uses this to leave out buttons that the person could not use. */
  may(permission: Permission): boolean;
  /** Shows the answer. If called again, replaces the answer. */
  respond(message: Message): Promise<void>;
  /** Answers with a public message that can be edited later. See `Invocation.postCard`. */
  postCard(message: Message, under?: MessageRef): Promise<MessageRef>;
}

/** A press of a button, or a choice from a menu. */
export interface Pressed {
  readonly action: ActionRef;
  /** The values that the person chose from a menu. Empty for a button. */
  readonly chosen: readonly string[];
}

export interface ActionContext extends Context<Record<string, never>>, Pressed {
  /** The message that holds the button. Undefined if the platform does not name the message. */
  readonly source: MessageRef | undefined;
}

export interface DeploymentActionContext extends ActionContext {
  readonly target: DeploymentTarget;
}

/** The person who asks, and the channel or thread where the person asks. */
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

/** The lowest permission among the entries of a command. It decides whether help shows the command to a person. */
export function leastPermission({ entries }: Command): Permission {
  const rank = ({ permission }: Entry) =>
    ['open', 'read', 'inspect', 'change'].indexOf(permissions[permission]);
  return entries.reduce((least, entry) => (rank(entry) < rank(least) ? entry : least)).permission;
}

/** The parts of the bot that the code of commands uses. */
export interface Services {
  readonly deployments: Deployments;
  /** The stops that people planned for a later time. */
  readonly plannedStops: PlannedStops;
  /** The logs that the bot saved before their servers ended. */
  readonly recordings: Recordings;
  /** Limits the deploys of the account's people. */
  readonly guard: Guard;
  /** The account's API, behind the application allowlist. */
  readonly edgegap: EdgegapApi;
  /** Applications, versions and locations, cached. */
  readonly catalog: Catalog;
  /** The running deployments, for suggestions. */
  readonly roster: Roster;
  /** Called when a person types. For an hour after this call, the lists for suggestions are read regularly. */
  keepFresh(): void;
  readonly charts: Charts;
  readonly logSearches: LogSearches;
  /** All commands, for help. */
  readonly directory: Directory;
  /** Keeps state that is too long for a button's argument. */
  readonly payloads: Payloads;
  /** Encrypts values that must not be stored in clear. */
  readonly vault: Vault;
  readonly presets: Presets;
  /**
   * Carries out a stored request, once for each id, with the permissions that the asker has at that moment. The answer
   * goes to the channel or thread where the asker asked. The promise does not reject, even if the request fails.
   */
  carryOut(stored: StoredRequest): Promise<void>;
  /**
   * Whether a person no longer belongs to the workspace. False if the platform gives no answer, so that nobody is taken
   * for gone by mistake.
   */
  hasLeft(person: { readonly id: string }, at: Address): Promise<boolean>;
  /** The deployment in which the bot itself runs. Undefined if the bot does not run as a deployment of Edgegap. */
  readonly ownDeployment: OwnDeployment | undefined;
  /** Checks everything that the settings lead to. Changes nothing. */
  examine(): Promise<readonly Finding[]>;
  /** The plans to change many deployments at once. */
  readonly plans: Plans;
  /** The logs that are followed. */
  readonly followers: Followers;
  readonly clock: Clock;
  readonly settings: CommandSettings;
}

export interface OwnDeployment {
  /**
   * The request_id from the address that Edgegap gave. If the address has an unusual form, the id is a name made from
   * the address.
   */
  readonly id: string;
  /** What a stop of the deployment would end or hold up. */
  effects(): Promise<{
    /** How many processes of the bot run, this process included. */
    readonly processes: number;
    /** How many messages wait to be sent. */
    readonly waiting: number;
  }>;
  /** Stops the deployment, and with it this process. Throws EdgegapError. */
  stop(logStorage: StopOptions['logStorage']): Promise<StopResult>;
}

export interface CommandSettings extends ParseSettings {
  /** Where to deploy if the person names no location. */
  readonly defaultNear: string | undefined;
  /** The page of Edgegap's dashboard, in which `{request_id}` stands for the id of a deployment. */
  readonly dashboard: string;
  /** The only applications that the bot may work with. If undefined, all applications are allowed. */
  readonly applicationAllowlist: readonly string[] | undefined;
  /** Names of private fleets to suggest. */
  readonly fleets: readonly string[];
  readonly lifetime: LifetimeLimits;
  /** Whether the bot saves the logs of servers before Edgegap deletes them. */
  readonly savesLogs: boolean;
  /** Values that are masked in every server's log. */
  readonly secrets: readonly string[];
}

/** All commands, in the order of their names. */
export interface Directory {
  readonly all: readonly Command[];
  get(name: string): Command | undefined;
}

/** The default export of a command's file, together with the name of the file. */
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
  const { description, topic, actions = {} } = command;
  const isGroup = 'subcommands' in command;
  const specs: [string | undefined, CommandSpec][] = isGroup
    ? Object.entries(command.subcommands)
    : [[undefined, command]];
  const entries = specs.map(([word, spec]): Entry => {
    const options = withKinds(spec.options, kinds);
    return { ...spec, name: word === undefined ? name : `${name} ${word}`, word, options };
  });
  const usual = isGroup ? entries.find(({ word }) => word === command.usual) : entries[0];
  return { name, description, topic, entries, usual, actions };
}
