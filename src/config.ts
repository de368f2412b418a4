import { isIP } from 'node:net';
import { z } from 'zod';
import { databasePath, databaseProblem, passwordsOf } from './config/database.ts';
import {
  countFrom,
  everyoneOr,
  type Items,
  lengthOfTime,
  list,
  percentage,
  wholeNumber,
} from './config/fields.ts';
import { proxySettings } from './config/proxy.ts';
import { readSecretFiles, SECRETS } from './config/secret-files.ts';
import { strayProblems } from './config/strays.ts';
import { kindOfSecret } from './config/token-kinds.ts';
import { ConfigError } from './errors.ts';
import type { Proxies } from './proxy.ts';

/** The access rules of a platform. The ids are those in `Person.groups`. */
export interface AccessRules {
  /** If undefined, the platform's administrators are the operators. */
  readonly operators: readonly string[] | undefined;
  readonly readers: readonly string[] | 'everyone' | undefined;
  /** The people who may read if `readers` is not set: either every full member, or only the operators. */
  readonly readersByDefault: 'members' | 'operators';
}

export interface DiscordConfig {
  readonly token: string;
  /** The servers (guild ids) in which the bot answers. The bot refuses requests from other servers. */
  readonly guilds: readonly string[];
  readonly apiUrl: string | undefined;
  readonly proxy?: Proxies | undefined;
  readonly access: AccessRules;
  /** Whether the bot registers its commands at the start. */
  readonly register: boolean;
}

export interface SlackConfig {
  readonly botToken: string;
  readonly mode:
    | { readonly kind: 'socket'; readonly appToken: string }
    | { readonly kind: 'http'; readonly signingSecret: string };
  readonly apiUrl: string | undefined;
  readonly proxy?: Proxies | undefined;
  readonly access: AccessRules;
}

export type Config = Readonly<ReturnType<typeof readConfig>>;

const DAY_MS = 24 * 60 * 60_000;
const DEFAULT_DATABASE = 'data/edgegap-chatops.db';

const snowflakes: Items = {
  shape: /^\d{17,20}$/,
  what: 'a Discord id (17 to 20 digits; turn on Developer Mode, right-click, Copy ID)',
};
const slackIds: Items = {
  shape: /^[UWS][A-Z0-9]{5,}$/,
  what: 'a Slack user id (U… or W…) or user group id (S…)',
};
const url = z
  .url({ protocol: /^https?$/, error: 'must be a URL that starts with http:// or https://' })
  .overwrite((value) => value.replace(/\/+$/, ''));
const baseUrl = url.refine(
  (value) => !/[?#]|^[^/]*\/\/[^/]*@/.test(value),
  'must be the plain address under which I am reached, without "?" or "#", a user or a password',
);
const edgegapUrl = url.refine(
  (value) => !/\/v\d+$/.test(value),
  'must be the address without /v1 or /v2: each call adds its own',
);
/**
 * A secret whose beginning shows its type. If the value is a secret of a different type, the message names that type.
 */
const credential = (shape: RegExp, problem: string) =>
  z
    .string()
    .superRefine((value, context) => {
      if (shape.test(value)) return;
      const kind = kindOfSecret(value);
      const message = kind === undefined ? problem : `${problem}: the value is ${kind}`;
      context.addIssue({ code: 'custom', message });
    })
    .optional();
const flag = (otherwise: boolean) => z.stringbool({ error: 'must be 1 or 0' }).default(otherwise);
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const Environment = z.object({
  EDGEGAP_API_TOKEN: credential(
    /^(?!token$)(token\s+)?[\x21-\x7e]+$/i,
    'must be the API token alone, with or without the word "token" before it',
  ),
  EDGEGAP_API_URL: edgegapUrl.default('https://api.edgegap.com'),
  EDGEGAP_SHARE: percentage().default(80),
  // Edgegap sets these two variables in a container. The bot checks the values only when it stops, because it works
  // without them.
  ARBITRIUM_DELETE_URL: z.string().optional(),
  ARBITRIUM_DELETE_TOKEN: z.string().optional(),
  DISCORD_TOKEN: credential(
    /^(?!bot$)(bot\s+)?[\x21-\x7e]+$/i,
    'must be the bot token alone, without spaces or accents',
  ),
  DISCORD_GUILDS: list(snowflakes).optional(),
  DISCORD_OPERATOR_ROLES: list(snowflakes).optional(),
  DISCORD_READER_ROLES: everyoneOr(snowflakes).optional(),
  DISCORD_REGISTER: flag(true),
  DISCORD_API_URL: url.optional(),
  SLACK_BOT_TOKEN: credential(
    /^xoxb-[\x21-\x7e]+$/,
    'must be the bot token, which starts with xoxb- and has no spaces or accents',
  ),
  SLACK_APP_TOKEN: credential(
    /^xapp-[\x21-\x7e]+$/,
    'must be the app-level token, which starts with xapp- and has no spaces or accents',
  ),
  SLACK_SIGNING_SECRET: z.string().min(8, 'is too short for a signing secret').optional(),
  SLACK_OPERATORS: list(slackIds).optional(),
  SLACK_READERS: everyoneOr(slackIds).optional(),
  SLACK_API_URL: url.optional(),
  PUBLIC_URL: baseUrl.optional(),
  PORT: wholeNumber(0, 65_535).default(3000),
  HOST: z
    .string()
    .refine(
      (value) => isIP(value) > 0 || value === 'localhost',
      'must be an IP address of this machine, or localhost',
    )
    .optional(),
  DATABASE_URL: z
    .string()
    .superRefine((value, context) => {
      const problem = databaseProblem(value);
      if (problem) context.addIssue({ code: 'custom', message: problem });
    })
    .default(DEFAULT_DATABASE),
  KEEP_DAYS: wholeNumber(1, 3_650).default(30),
  DASHBOARD_URL: url
    .refine((value) => !/\{(?!request_id\})/.test(value), 'may contain {request_id}, but no other braces')
    .default('https://app.edgegap.com/deployment-management/deployments/list'),
  FLIGHT_RECORDER: flag(true),
  DEFAULT_NEAR: z.string().max(100, 'must be the name of a city, at most 100 characters').optional(),
  APP_ALLOWLIST: list({ shape: /^.{1,64}$/, what: 'an application name' }).optional(),
  FLEETS: list({ shape: /^.{1,100}$/, what: 'the name of a private fleet' }).default([]),
  READ_ONLY: flag(false),
  PERSON_REQUESTS: wholeNumber(0, 1_000).default(20),
  PERSON_WAITING: wholeNumber(0, 10_000).default(60),
  MAX_RUNNING: wholeNumber(0, 100_000).default(0),
  MAX_RUNNING_PER_PERSON: wholeNumber(0, 100_000).default(0),
  MAX_DEPLOYS_PER_HOUR: wholeNumber(0, 100_000).default(60),
  CONFIRM_DEPLOY: countFrom.default(10),
  DEFAULT_LIFETIME: lengthOfTime().optional(),
  MAX_LIFETIME: lengthOfTime().optional(),
  MAX_TAG_LENGTH: wholeNumber(20, 40).default(20),
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .pipe(z.enum(logLevels, `must be one of ${logLevels.join(', ')}`))
    .default('info'),
});

/** A value in quotation marks. The quotation marks are a mistake, because real values have none. */
const QUOTED = /^(["']).*\1$/s;
const NO_QUOTES =
  'is in quotation marks: leave them out (docker run --env-file takes them for a part of the value)';

const NO_CHAT =
  'No chat token is set: run npm run setup, which asks for everything, or give DISCORD_TOKEN with DISCORD_GUILDS, or SLACK_BOT_TOKEN with SLACK_APP_TOKEN or SLACK_SIGNING_SECRET. Step by step: docs/discord.md and docs/slack.md. To just see me work, without any account: npm run demo.';

type Environment = z.infer<typeof Environment>;

const SETTINGS = Object.keys(Environment.shape);
const FILES = SECRETS.map((name) => `${name}_FILE`);
/** The names of all settings, including the settings that name a file with a secret. */
export const SETTING_NAMES: readonly string[] = [...SETTINGS, ...FILES];

interface Needs {
  /** Whether the bot will send requests to Edgegap. True by default. */
  readonly edgegap?: boolean;
  /** Whether a chat platform must be set up. False by default. */
  readonly chat?: boolean;
}

/** Checks that concern several settings. */
function checkTogether({ edgegap = true, chat = false }: Needs, unread: readonly string[]) {
  return (known: Environment, context: z.RefinementCtx<Environment>): void => {
    const env = { ...known, ...Object.fromEntries(unread.map((name) => [name, 'given, and not known'])) };
    const problem = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const ofChat = [env.DISCORD_TOKEN, env.DISCORD_GUILDS, env.SLACK_BOT_TOKEN, env.SLACK_APP_TOKEN];
    const begun = [...ofChat, env.SLACK_SIGNING_SECRET].some((value) => value !== undefined);
    if (chat && !begun) context.addIssue({ code: 'custom', message: NO_CHAT });
    if (edgegap && (chat || begun) && !env.EDGEGAP_API_TOKEN)
      problem('EDGEGAP_API_TOKEN', 'is missing: create one in the Edgegap dashboard, User Settings, Tokens');
    if ((env.DEFAULT_LIFETIME ?? 0) > (env.MAX_LIFETIME ?? Number.POSITIVE_INFINITY))
      problem('DEFAULT_LIFETIME', 'is longer than MAX_LIFETIME');
    if (env.DISCORD_TOKEN && !env.DISCORD_GUILDS)
      problem(
        'DISCORD_GUILDS',
        'is missing: list the ids of the servers in which I may answer, separated by commas',
      );
    if (!env.DISCORD_TOKEN && env.DISCORD_GUILDS)
      problem(
        'DISCORD_TOKEN',
        'is missing while DISCORD_GUILDS is set: copy it from the Bot page of your application',
      );
    if (env.SLACK_BOT_TOKEN && !env.SLACK_APP_TOKEN && !env.SLACK_SIGNING_SECRET)
      problem('SLACK_APP_TOKEN', 'is missing: set it for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode');
    if (env.SLACK_APP_TOKEN && env.SLACK_SIGNING_SECRET)
      problem('SLACK_SIGNING_SECRET', 'is set beside SLACK_APP_TOKEN: keep one, Socket Mode or HTTP mode');
    if (!env.SLACK_BOT_TOKEN && (env.SLACK_APP_TOKEN || env.SLACK_SIGNING_SECRET))
      problem('SLACK_BOT_TOKEN', 'is missing: copy it from the OAuth & Permissions page of your app');
  };
}

/**
 * Reads the settings, by default from this process's environment. Throws ConfigError with a line for each wrong
 * setting.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  needs: Needs = {},
) {
  const set = Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.trim() ?? ''] as const)
      .filter(([, value]) => value !== ''),
  );
  const quoted = SETTING_NAMES.filter((name) => QUOTED.test(set[name] ?? ''));
  // The quotation marks are removed before the values are checked. The marks then cause no further errors, and other
  // mistakes in the values are found, too.
  for (const name of quoted) set[name] = set[name]?.slice(1, -1).trim() ?? '';
  const files = readSecretFiles(set, SETTINGS);
  const given = { ...files.values, ...set };
  const { proxy, ...ofProxy } = proxySettings(set);
  const shown = (name: PropertyKey) =>
    name in files.values ? `${String(name)} (from ${String(name)}_FILE)` : name;
  const result = Environment.superRefine(checkTogether(needs, files.unread)).safeParse(given);
  const problems = [
    ...quoted.map((name) => `${name} ${NO_QUOTES}`),
    ...strayProblems([...Object.keys(given), ...files.unread], SETTING_NAMES),
    ...files.problems,
    ...ofProxy.problems,
    ...(result.error?.issues.map(({ path, message }) => [...path.map(shown), message].join(' ')) ?? []),
  ];
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  const env = result.data;
  return {
    /** `share` is the share of the account's documented rate limits that the bot may use, in percent. */
    edgegap: { token: env.EDGEGAP_API_TOKEN, apiUrl: env.EDGEGAP_API_URL, share: env.EDGEGAP_SHARE, proxy },
    /** How the bot stops its own container. Undefined if the bot does not run as a deployment of Edgegap. */
    selfStop: selfStopConfig(env),
    discord: discordConfig(env, proxy),
    slack: slackConfig(env, proxy),
    /**
     * The base URL under which Edgegap reaches this bot, without a slash at the end. If the value is undefined, the bot
     * gets no callbacks.
     */
    publicUrl: env.PUBLIC_URL,
    port: env.PORT,
    /** The address to listen on. If the value is undefined, the bot listens on all addresses of this machine. */
    host: env.HOST,
    /** A file path, `:memory:`, or a `postgres://` URL. */
    database: databasePath(env.DATABASE_URL),
    /** How long finished rows stay in the database, in milliseconds. */
    keepMs: env.KEEP_DAYS * DAY_MS,
    /** Whether the bot saves the logs of servers before the servers end. */
    flightRecorder: env.FLIGHT_RECORDER,
    /** The page of Edgegap's dashboard to which messages link. `{request_id}` stands for the id of a deployment. */
    dashboard: env.DASHBOARD_URL,
    defaultNear: env.DEFAULT_NEAR,
    applicationAllowlist: env.APP_ALLOWLIST,
    fleets: env.FLEETS,
    readOnly: env.READ_ONLY,
    /** How many requests of a person run at the same time, and how many more may wait. 0 means no limit. */
    perPerson: { requests: env.PERSON_REQUESTS, waiting: env.PERSON_WAITING },
    /** The limits on the number of deploys. In the first three settings, 0 means no limit. */
    deployLimits: {
      running: env.MAX_RUNNING,
      runningPerPerson: env.MAX_RUNNING_PER_PERSON,
      perHour: env.MAX_DEPLOYS_PER_HOUR,
      confirmFrom: env.CONFIRM_DEPLOY,
    },
    /** How long a deployment runs before the bot stops the deployment, in milliseconds. */
    lifetime: { byDefault: env.DEFAULT_LIFETIME, most: env.MAX_LIFETIME },
    maxTagLength: env.MAX_TAG_LENGTH,
    logLevel: env.LOG_LEVEL,
    /** Exact values that must never appear in a log or in chat. */
    secrets: [...secretsOf(env), ...ofProxy.secrets],
  };
}

function selfStopConfig({ ARBITRIUM_DELETE_URL: url, ARBITRIUM_DELETE_TOKEN: token }: Environment) {
  return url === undefined && token === undefined ? undefined : { url: url ?? '', token: token ?? '' };
}

function discordConfig(env: Environment, proxy: Proxies | undefined): DiscordConfig | undefined {
  if (!env.DISCORD_TOKEN || !env.DISCORD_GUILDS) return undefined;
  return {
    token: env.DISCORD_TOKEN.replace(/^bot\s+/i, ''),
    guilds: env.DISCORD_GUILDS,
    apiUrl: env.DISCORD_API_URL,
    proxy,
    access: {
      operators: env.DISCORD_OPERATOR_ROLES,
      readers: env.DISCORD_READER_ROLES,
      readersByDefault: 'operators',
    },
    register: env.DISCORD_REGISTER,
  };
}

function slackConfig(env: Environment, proxy: Proxies | undefined): SlackConfig | undefined {
  if (!env.SLACK_BOT_TOKEN) return undefined;
  const mode = env.SLACK_APP_TOKEN
    ? ({ kind: 'socket', appToken: env.SLACK_APP_TOKEN } as const)
    : ({ kind: 'http', signingSecret: env.SLACK_SIGNING_SECRET ?? '' } as const);
  return {
    botToken: env.SLACK_BOT_TOKEN,
    mode,
    apiUrl: env.SLACK_API_URL,
    proxy,
    access: { operators: env.SLACK_OPERATORS, readers: env.SLACK_READERS, readersByDefault: 'members' },
  };
}

function secretsOf(env: Environment): string[] {
  const token = env.EDGEGAP_API_TOKEN?.replace(/^token\s+/i, '');
  const discord = env.DISCORD_TOKEN?.replace(/^bot\s+/i, '');
  const { SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, DATABASE_URL } = env;
  const own = env.ARBITRIUM_DELETE_TOKEN;
  const all = [token, own, discord, SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET];
  return [...all, ...passwordsOf(DATABASE_URL)].filter((secret) => secret !== undefined);
}
