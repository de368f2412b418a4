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
 * A command. Each file in `commands/` has a command as its default export, and the command's name is the file's name.
 * The bot derives Discord's JSON, Slack's parser, the help, the table in the docs and the permission checks from this
 * description.
 */
export interface CommandSpec<Specs extends OptionSpecs = OptionSpecs> extends CommandParts<OptionsOf<Specs>> {
  /** The options in the order in which people type them. Options marked `positional` come first. */
  readonly options: Specs;
  /**
   * The arrangement of the options in the command's form. If absent, the form shows the options in the order of
   * `options`.
   */
  readonly layout?: FormLayout;
  /** The code for buttons and menus. The id of a button or menu begins with `<command>:<action>`. */
  readonly actions?: Readonly<Record<string, Action>>;
}

/** A command with several subcommands. All subcommands are in the file of the command. */
export interface GroupSpec {
  readonly description: string;
  readonly topic?: Topic;
  /** The actions of all subcommands together. A subcommand has no actions of its own. */
  readonly actions?: CommandSpec['actions'];
  /** The subcommands. The key is the word that people type after the command's name. */
  readonly subcommands: Readonly<Record<string, CommandSpec>>;
  /** The default subcommand, for a command that is typed without a subcommand. */
  readonly usual?: string;
}

/** The topic under which the help lists a command. A command without a topic is about the bot itself. */
export type Topic = 'start' | 'look' | 'change' | 'catalogue';

interface CommandParts<Values> {
  /** Only for a command without subcommands. A subcommand has the topic of its group. */
  readonly topic?: Topic;
  /** One sentence without a full stop, at most 100 characters (Discord's limit for descriptions). */
  readonly description: string;
  /** Example arguments for help, e.g. `kart-racing v1.2 --near Montreal`. */
  readonly example?: string;
  /**
   * The name of a shortcut that runs the command without any options, at most 24 characters. A platform with shortcuts
   * shows the shortcut in all channels.
   */
  readonly shortcut?: string;
  /** The permission that the person needs. */
  readonly permission: Permission;
  /**
   * Whether the whole channel or only the person sees the answer. `private-unless-shared`: the channel sees the answer
   * if the person gives the option `share`.
   */
  readonly ack: 'public' | 'private' | 'private-unless-shared';
  /**
   * Required for a command that changes something. After a crash of the bot, this text of one or two sentences tells
   * the person which state is possible and what to do next.
   */
  readonly interrupted?: string;
  /**
   * A check of several options together, for example of two options that exclude each other. Throws InputError, and
   * changes nothing. The check runs before the acknowledgement, so that a refusal is the first answer and therefore
   * private. A check can also replace a typed name by the exact name. The check then returns the changed options.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most checks return nothing
  check?(context: CheckContext<Values>): Promise<Values | void> | void;
  run(context: Context<Values>): Promise<RunResult>;
}

/** A subcommand. If a command has no subcommands, its only entry is the command itself. */
export interface Entry extends CommandParts<Readonly<Record<string, unknown>>> {
  /** For example `tags add` or `deploy`. */
  readonly name: string;
  /**
   * The name of a subcommand without the command's name, for example `add`. Undefined for a command without
   * subcommands.
   */
  readonly word: string | undefined;
  readonly options: Options;
  readonly layout?: FormLayout | undefined;
}

/** A loaded command. In the options, the names of the kinds are replaced by the kinds themselves. */
export interface Command {
  /** The name of the command's file. */
  readonly name: string;
  readonly description: string;
  readonly topic: Topic | undefined;
  readonly entries: readonly Entry[];
  /** The entry that the bot runs if the person names no subcommand. */
  readonly usual: Entry | undefined;
  readonly actions: Readonly<Record<string, Action>>;
}

/** How a command ended, for the log. A command returns this object if the command's own answer reports a failure. */
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
  /** The values of a preset, and the values that the person typed or picked, before parsing. Empty for a button. */
  readonly given: Readonly<Record<string, RawValue>>;
  readonly asker: Asker;
}

/** The code that runs when a person presses a button or chooses from a menu. */
export type Action = PlainAction | DeploymentAction;

interface ActionBase {
  readonly permission: Permission;
  /** `update`: the answer replaces the message that contains the button. */
  readonly ack: 'public' | 'private' | 'update';
  /**
   * The name of the action, at most 24 characters, in the menu that platforms show for each message. A person who
   * chooses this item on a deployment's card runs the action like a button of the card. Requires `on`, and an `ack`
   * other than `update`.
   */
  readonly onCard?: string;
  /**
   * If true, several quick presses by a person count as a single press. With the ack `public`, quick presses always
   * count as a single press.
   */
  readonly once?: boolean;
  /** See `CommandParts.interrupted`. */
  readonly interrupted?: string;
}

interface PlainAction extends ActionBase {
  /**
   * `order`: the argument of the button is the bot's own id of a deployment. A deployment has this id even without a
   * request_id.
   */
  readonly on?: 'order' | undefined;
  /** Like the `check` of a command. Throws to refuse a press before the acknowledgement. */
  check?(context: Services & Pressed & Pick<ActionContext, 'asker'>): Promise<void> | void;
  run(context: ActionContext): Promise<RunResult>;
}

/**
 * An action about a deployment. For a menu, the argument is the chosen value. For a button, the argument is part of the
 * button's id. The argument begins with a request_id. A dot and further text may follow. The bot looks up and checks
 * the request_id like an option of the kind `deployment`.
 */
interface DeploymentAction extends ActionBase {
  readonly on: 'deployment';
  run(context: DeploymentActionContext): Promise<RunResult>;
}

/** The argument of `run`: the services, the person's request, and the conversation in which the command answers. */
export interface Context<Options> extends CheckContext<Options>, Conversation {}

/**
 * The object through which a command answers. There is a conversation for each invocation, and for each stored request
 * that is carried out later.
 */
export interface Conversation {
  readonly asker: Asker;
  /**
   * The id of the invocation or stored request. If the platform or the bot repeats the request, the id stays the same.
   */
  readonly invocationId: string;
  /** Whether the person has this permission. A command leaves out buttons that the person may not use. */
  may(permission: Permission): boolean;
  /** Shows the answer. A second call replaces the answer of the first call. */
  respond(message: Message): Promise<void>;
  /** Answers with a public message that the bot can edit later. See `Invocation.postCard`. */
  postCard(message: Message, under?: MessageRef): Promise<MessageRef>;
}

/** A press of a button, or a choice from a menu. */
export interface Pressed {
  readonly action: ActionRef;
  /** The values that the person chose from a menu. Empty for a button. */
  readonly chosen: readonly string[];
}

export interface ActionContext extends Context<Record<string, never>>, Pressed {
  /** The message that contains the button. Undefined if the platform does not say which message contains the button. */
  readonly source: MessageRef | undefined;
}

export interface DeploymentActionContext extends ActionContext {
  readonly target: DeploymentTarget;
}

/** The person who sent the request, and the channel or thread in which the person sent the request. */
export interface Asker {
  readonly id: string;
  readonly name: string;
  readonly at: Address;
}

/** Returns the command. The types of the options in `run` follow from `options`. */
export function defineCommand<const Specs extends OptionSpecs>(command: CommandSpec<Specs>) {
  return command;
}

/** A command with subcommands, each made with `defineCommand`. */
export function defineGroup(group: GroupSpec): GroupSpec {
  return group;
}

/** The lowest permission among the entries of a command. A person with this permission sees the command in the help. */
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
  /** Limits how much people can deploy with the account. */
  readonly guard: Guard;
  /** Edgegap's API for the account. Only applications on the allowlist can be used. */
  readonly edgegap: EdgegapApi;
  /** Applications, versions and locations, cached. */
  readonly catalog: Catalog;
  /** The running deployments, for suggestions. */
  readonly roster: Roster;
  /**
   * Called when a person types. For an hour after this call, the bot regularly reads the lists from which it makes
   * suggestions.
   */
  keepFresh(): void;
  readonly charts: Charts;
  readonly logSearches: LogSearches;
  /** All commands, for help. */
  readonly directory: Directory;
  /** Keeps state that is too long for a button's argument. */
  readonly payloads: Payloads;
  /** Encrypts values that must not be stored as plain text. */
  readonly vault: Vault;
  readonly presets: Presets;
  /**
   * Carries out a stored request, with the permissions that the person has at that moment. A second request with the
   * same id is not carried out. The answer goes to the channel or thread of the original request. The promise does not
   * reject, even if the request fails.
   */
  carryOut(stored: StoredRequest): Promise<void>;
  /** Whether a person has left the workspace. False if the platform does not answer. */
  hasLeft(person: { readonly id: string }, at: Address): Promise<boolean>;
  /** The deployment in which the bot itself runs. Undefined if the bot does not run as a deployment of Edgegap. */
  readonly ownDeployment: OwnDeployment | undefined;
  /** Checks the settings, and the tokens, permissions and URLs in them. Changes nothing. */
  examine(): Promise<readonly Finding[]>;
  /** The plans to change many deployments at once. */
  readonly plans: Plans;
  /** The logs whose new lines the bot shows in a channel. */
  readonly followers: Followers;
  readonly clock: Clock;
  readonly settings: CommandSettings;
}

export interface OwnDeployment {
  /**
   * The request_id, which is part of the address that Edgegap gave to the deployment. If the address has an unusual
   * format, the id is a name made from the address.
   */
  readonly id: string;
  /** The processes and messages that a stop of the deployment would affect. */
  effects(): Promise<{
    /** The number of running processes of the bot, including this process. */
    readonly processes: number;
    /** How many messages wait to be sent. */
    readonly waiting: number;
  }>;
  /** Stops the deployment, and with it this process. Throws EdgegapError. */
  stop(logStorage: StopOptions['logStorage']): Promise<StopResult>;
}

export interface CommandSettings extends ParseSettings {
  /** The location for a deploy if the person names no location. */
  readonly defaultNear: string | undefined;
  /** The URL of a deployment's page in Edgegap's dashboard. The URL contains `{request_id}` in place of the id. */
  readonly dashboard: string;
  /** The only applications that the bot may work with. If undefined, all applications are allowed. */
  readonly applicationAllowlist: readonly string[] | undefined;
  /** The names of the private fleets that the bot suggests. */
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
