import type { Directory } from '../../command/define.ts';
import type { SlackConfig } from '../../config.ts';
import { AppError, ConfigError } from '../../errors.ts';
import { type Finding, ok, someOf, warning, wrong } from '../../finding.ts';
import type { Logger } from '../../log.ts';
import { startError } from './identity.ts';
import { BOT_SCOPES, createManifest, manifestFaults, missingScopes } from './manifest.ts';
import { appIn, createSlackSurvey, type SlackSurvey } from './survey.ts';

/** Without these scopes, the bot works, but may post a message twice after a crash. */
const FOR_CRASHES = /:history$|^metadata\.message:read$/;
const APPS = 'https://api.slack.com/apps';
/** The format of Slack's signing secrets. */
const SIGNING_SECRET = /^[0-9a-f]{32}$/;

interface ExamineSlackParts {
  readonly publicUrl: string | undefined;
  readonly directory: Directory;
  readonly log: Logger;
  /** A person's configuration token, with which the settings of the Slack app can be read. */
  readonly configurationToken?: string | undefined;
}

/** Asks Slack whether the tokens, the scopes of the app and the people in the settings are correct. */
export async function examineSlack(config: SlackConfig, parts: ExamineSlackParts): Promise<Finding[]> {
  const { publicUrl, log } = parts;
  const survey = createSlackSurvey(config, log);
  try {
    const { team, teamName, user, botId, app, scopes } = await survey.identity();
    if (botId === '') return [slackTokenOfPerson(user)];
    return [
      ok(
        'slack.token',
        `SLACK_BOT_TOKEN is the token of the bot ${user} in the workspace ${teamName} (${team}).`,
      ),
      ofScopes(scopes ?? [], app),
      ...(await ofMode(survey, config, { app, publicUrl })),
      await ofManifest(survey, config, app, parts),
      ...(await ofPeople(survey, config, teamName)),
    ];
  } catch (error) {
    return [
      slackRefusal(
        'slack.token',
        'SLACK_BOT_TOKEN',
        'the Bot User OAuth Token from "OAuth & Permissions"',
        error,
      ),
    ];
  }
}

/**
 * Says why Slack refused a token, and how to correct the setting. `source` says which token people have to copy, and
 * from which page.
 */
export function slackRefusal(check: string, setting: string, source: string, error: unknown): Finding {
  const reason = startError(setting, source, error);
  if (reason instanceof ConfigError) {
    const [says = '', ...mend] = reason.userMessage.split(': ');
    return wrong(
      check,
      `${says}.`,
      `${capital(mend.join(': ') || `Copy ${source}`)}. The pages are at ${APPS}.`,
    );
  }
  const { userMessage, hint } = reason instanceof AppError ? reason : new AppError('slack', reason.message);
  return wrong(
    'slack.reachable',
    userMessage,
    hint ?? 'Try again in a minute; see https://slack-status.com.',
  );
}

export function slackTokenOfPerson(name: string): Finding {
  return wrong(
    'slack.token',
    `SLACK_BOT_TOKEN is the token of the person ${name}, not of a bot.`,
    `Open ${APPS}, your app, OAuth & Permissions, and copy the Bot User OAuth Token.`,
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Compares the granted scopes with the scopes that the bot needs. */
export function ofScopes(granted: readonly string[], app: string | undefined): Finding {
  const check = 'slack.scopes';
  const missing = missingScopes(granted).map(({ scope }) => scope);
  const where = app === undefined ? APPS : `${APPS}/${app}`;
  const mend = `Open ${where}, App Manifest, paste the output of npm run -s slack:manifest, save, and reinstall the app.`;
  if (missing.length === 0)
    return ok(check, `The app has all ${BOT_SCOPES.length} scopes that the bot needs.`);
  if (missing.every((scope) => FOR_CRASHES.test(scope)))
    return warning(
      check,
      `The app lacks the scopes ${missing.join(', ')}: after a crash, the bot may post a message twice.`,
      mend,
    );
  return wrong(check, `The app lacks the scopes ${missing.join(', ')}, so some commands fail.`, mend);
}

/** Checks the app-level token for Socket Mode, or the address and the signing secret for HTTP mode. */
export async function ofMode(
  survey: SlackSurvey,
  { mode }: Pick<SlackConfig, 'mode'>,
  { app, publicUrl }: { readonly app: string | undefined; readonly publicUrl: string | undefined },
): Promise<Finding[]> {
  if (mode.kind === 'http') return ofHttp(mode.signingSecret, publicUrl);
  const check = 'slack.app-token';
  const own = appIn(mode.appToken);
  if (app !== undefined && own !== undefined && own !== app)
    return [
      wrong(
        check,
        `SLACK_APP_TOKEN belongs to the app ${own}, but SLACK_BOT_TOKEN belongs to the app ${app}, so no command would arrive.`,
        `Open ${APPS}/${app}, Basic Information, App-Level Tokens, and generate a token with the scope connections:write.`,
      ),
    ];
  try {
    await survey.tryAppToken(mode.appToken);
    return [ok(check, 'SLACK_APP_TOKEN opens connections in Socket Mode.')];
  } catch (error) {
    return [
      slackRefusal(
        check,
        'SLACK_APP_TOKEN',
        'an app-level token with the scope connections:write from "Basic Information"',
        error,
      ),
    ];
  }
}

/**
 * Compares the settings of the app with the manifest, if there is a configuration token. A bot token cannot read the
 * settings.
 */
async function ofManifest(
  survey: SlackSurvey,
  { mode }: SlackConfig,
  app: string | undefined,
  { publicUrl, directory, configurationToken }: ExamineSlackParts,
): Promise<Finding> {
  const check = 'slack.events';
  if (configurationToken === undefined || app === undefined)
    return ok(
      check,
      'A bot token cannot read which events and commands the app has. With npm run doctor -- --manifest, a configuration token can.',
    );
  const wanted = createManifest(directory, mode.kind === 'http' ? publicUrl : undefined);
  try {
    const faults = manifestFaults(await survey.manifestOf(configurationToken, app), wanted);
    return faults.length === 0
      ? ok(check, 'The app has every event, command and setting of the manifest.')
      : wrong(
          check,
          `The app differs from the manifest: ${faults.join('; ')}.`,
          `Open ${APPS}/${app}, App Manifest, paste the output of npm run -s slack:manifest, save, and reinstall the app.`,
        );
  } catch (error) {
    const { userMessage } = startError(
      'The configuration token',
      'a new configuration token',
      error,
    ) as AppError;
    return warning(
      check,
      `The app’s manifest could not be read: ${userMessage}`,
      `Generate a configuration token at ${APPS}. Such a token is valid for twelve hours.`,
    );
  }
}

function ofHttp(secret: string, publicUrl: string | undefined): Finding[] {
  const check = 'slack.address';
  const address =
    publicUrl === undefined
      ? wrong(
          check,
          'SLACK_SIGNING_SECRET is set, so Slack has to reach the bot, but PUBLIC_URL is not set.',
          'Set PUBLIC_URL to the bot’s https address, or use Socket Mode with SLACK_APP_TOKEN.',
        )
      : publicUrl.startsWith('https:')
        ? ok(check, `Slack sends its requests to ${publicUrl}/slack/events.`)
        : wrong(
            check,
            'Slack sends requests only to https addresses, and PUBLIC_URL begins with http.',
            'Put a reverse proxy with a certificate in front of the bot, and set PUBLIC_URL to the https address.',
          );
  const form = SIGNING_SECRET.test(secret)
    ? ok('slack.signing-secret', 'SLACK_SIGNING_SECRET has the form of a signing secret.')
    : warning(
        'slack.signing-secret',
        'SLACK_SIGNING_SECRET does not look like a signing secret, which has 32 characters from 0 to 9 and a to f.',
        'Copy the Signing Secret from Basic Information, App Credentials.',
      );
  return [address, form];
}

async function ofPeople(survey: SlackSurvey, { access }: SlackConfig, team: string): Promise<Finding[]> {
  const check = 'slack.people';
  const named = [
    ['SLACK_OPERATORS', access.operators ?? []],
    ['SLACK_READERS', Array.isArray(access.readers) ? access.readers : []],
  ] as const;
  const ids = named.flatMap(([setting, all]) => all.map((id: string) => ({ setting, id })));
  if (ids.length === 0)
    return [
      ok(
        check,
        `Operators: workspace admins and owners. Readers: ${access.readers === 'everyone' ? 'everyone' : 'all full members'}.`,
      ),
    ];
  try {
    const groups = ids.some(({ id }) => id.startsWith('S')) ? await survey.groups() : [];
    const found = await Promise.all(
      ids.map(async ({ setting, id }) => {
        const group = groups.find((one) => one.id === id);
        const person = id.startsWith('S') ? undefined : await survey.person(id);
        const name = group?.name ?? (person?.deleted ? undefined : person?.name);
        return { setting, id, name };
      }),
    );
    const unknown = found.filter(({ name }) => name === undefined);
    return unknown.length > 0
      ? unknown.map(({ setting, id }) =>
          wrong(
            check,
            `${setting} names ${id}, which the workspace ${team} does not have, or which is disabled.`,
            'Correct the id. If the id belongs to another workspace, so may the token: install the app in the right workspace.',
          ),
        )
      : [
          ok(
            check,
            `The people and groups of the settings exist: ${someOf(found.map(({ name }) => name ?? ''))}.`,
          ),
        ];
  } catch (error) {
    const { userMessage } = startError('SLACK_BOT_TOKEN', 'the token again', error) as AppError;
    return [
      warning(
        check,
        `Slack did not tell whether the people and groups exist: ${userMessage}`,
        'Run doctor again.',
      ),
    ];
  }
}
