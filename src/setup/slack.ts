import { ofMode, ofScopes, slackRefusal, slackTokenOfPerson } from '../adapters/slack/examine.ts';
import { createManifest } from '../adapters/slack/manifest.ts';
import { createSlackSurvey, type SlackSurvey } from '../adapters/slack/survey.ts';
import type { Line } from '../chat/card.ts';
import { kindOfSecret } from '../config/token-kinds.ts';
import { AppError } from '../errors.ts';
import type { SetupContext } from './context.ts';
import { askFor, choose, listOf, type Named, SetupError } from './prompter.ts';

const NEW_APP = 'https://api.slack.com/apps?new_app=1&manifest_json=';
const APPS = 'https://api.slack.com/apps';
const CONFIGURATION = /^xoxe\.xoxp-/;
const EVERYONE = 'everyone';
const ADMINS = 'admins';
const MEMBERS = 'members';
const NONE = 'none';

/** The link that opens Slack's page for a new app, with the manifest already filled in. */
export function newAppLink(manifest: ReturnType<typeof createManifest>): string {
  return `${NEW_APP}${encodeURIComponent(JSON.stringify(manifest))}`;
}

/** Asks for the tokens of the Slack app. If `httpUrl` is set, the app uses HTTP mode. */
export async function setUpSlack(context: SetupContext): Promise<void> {
  const { prompter, draft, directory, httpUrl } = context;
  const manifest = createManifest(directory, httpUrl);
  prompter.say(
    `\nSlack\n  Open this link, choose your workspace, and press Next and Create:\n\n${newAppLink(manifest)}\n\n  Then press Install to Workspace and Allow. Open OAuth & Permissions, and copy the Bot User OAuth Token.\n  (Or give a configuration token from ${APPS}, and the app is made for you.)`,
  );
  const present = draft.get('SLACK_BOT_TOKEN');
  const question = {
    key: 'SLACK_BOT_TOKEN',
    text: 'Bot User OAuth Token (xoxb-…)',
    secret: true,
    ...(present === undefined ? {} : { fallback: present }),
  };
  const app = await askFor(prompter, question, async (answer) => {
    if (CONFIGURATION.test(answer) && prompter.interactive) return await createApp(context, answer, manifest);
    const found = await logIn(context, answer);
    await draft.set('SLACK_BOT_TOKEN', answer, true);
    return found;
  });
  if (httpUrl === undefined) await askForAppToken(context, app);
  else await askForSigningSecret(context, httpUrl);
}

/** Creates the app. Always throws, so that the setup asks its question again, now for the token of the new app. */
async function createApp(
  context: SetupContext,
  token: string,
  manifest: ReturnType<typeof createManifest>,
): Promise<never> {
  const { draft, httpUrl } = context;
  const made = await surveyOf(context, 'xoxb-none')
    .createApp(token, manifest)
    .catch((error: unknown) => {
      const { says, mend } = slackRefusal(
        'slack',
        'The configuration token',
        'a new one from "Your App Configuration Tokens"',
        error,
      );
      throw new SetupError(says, mend);
    });
  if (httpUrl !== undefined && made.signingSecret)
    await draft.set('SLACK_SIGNING_SECRET', made.signingSecret);
  throw new SetupError(
    `The app ${made.app} was made.`,
    `Open ${APPS}/${made.app}/install-on-team, press Install to Workspace and Allow, and copy the Bot User OAuth Token.`,
  );
}

async function logIn(context: SetupContext, token: string): Promise<string | undefined> {
  const { prompter } = context;
  if (!/^xoxb-[\x21-\x7e]+$/.test(token)) {
    const kind = kindOfSecret(token);
    throw new SetupError(
      `That is not a bot token${kind === undefined ? '' : `, but ${kind}`}.`,
      'Open OAuth & Permissions, and copy the Bot User OAuth Token, which begins with xoxb-.',
    );
  }
  try {
    const { team, teamName, user, botId, app, scopes } = await surveyOf(context, token).identity();
    if (botId === '') {
      const { says, mend } = slackTokenOfPerson(user);
      throw new SetupError(says, mend);
    }
    prompter.say(`  The token is the token of the bot ${user} in the workspace ${teamName} (${team}).`);
    const { state, says, mend } = ofScopes(scopes ?? [], app);
    if (state !== 'ok') prompter.say(`  ${says} → ${mend}`);
    return app;
  } catch (error) {
    if (error instanceof SetupError) throw error;
    const { says, mend } = slackRefusal('slack', 'SLACK_BOT_TOKEN', 'the Bot User OAuth Token', error);
    throw new SetupError(says, mend);
  }
}

async function askForAppToken(context: SetupContext, app: string | undefined): Promise<void> {
  const { prompter, draft } = context;
  const page = app === undefined ? APPS : `${APPS}/${app}/general`;
  prompter.say(
    `  Open ${page}, App-Level Tokens, and press Generate Token and Scopes. Enter a name, add the scope connections:write, and press Generate.`,
  );
  const present = draft.get('SLACK_APP_TOKEN');
  const question = {
    key: 'SLACK_APP_TOKEN',
    text: 'App-level token (xapp-…)',
    secret: true,
    ...(present === undefined ? {} : { fallback: present }),
  };
  await askFor(prompter, question, async (answer) => {
    if (!/^xapp-[\x21-\x7e]+$/.test(answer)) {
      const kind = kindOfSecret(answer);
      throw new SetupError(
        `That is not an app-level token${kind === undefined ? '' : `, but ${kind}`}.`,
        'Open Basic Information, App-Level Tokens, and generate a token, which begins with xapp-.',
      );
    }
    const survey = surveyOf(context, draft.get('SLACK_BOT_TOKEN') ?? '');
    const mode = { kind: 'socket', appToken: answer } as const;
    const fault = (await ofMode(survey, { mode }, { app, publicUrl: undefined })).find(
      ({ state }) => state !== 'ok',
    );
    if (fault) throw new SetupError(fault.says, fault.mend);
    prompter.say('  The token opens connections in Socket Mode.');
    await draft.set('SLACK_APP_TOKEN', answer, true);
    if (draft.get('SLACK_SIGNING_SECRET') !== undefined) await draft.set('SLACK_SIGNING_SECRET', '');
  });
}

async function askForSigningSecret(context: SetupContext, url: string): Promise<void> {
  const { prompter, draft } = context;
  const present = draft.get('SLACK_SIGNING_SECRET');
  prompter.say('  Open Basic Information, App Credentials, and copy the Signing Secret.');
  const question = {
    key: 'SLACK_SIGNING_SECRET',
    text: 'Signing Secret',
    secret: true,
    ...(present === undefined ? {} : { fallback: present }),
  };
  await askFor(prompter, question, async (answer) => {
    if (!/^[0-9a-z]{32}$/.test(answer))
      throw new SetupError(
        'That is not a signing secret.',
        'A signing secret has 32 characters. Copy the Signing Secret, not the Client Secret or the Verification Token.',
      );
    await draft.set('SLACK_SIGNING_SECRET', answer, true);
  });
  await draft.set('PUBLIC_URL', url);
  if (draft.get('SLACK_APP_TOKEN') !== undefined) await draft.set('SLACK_APP_TOKEN', '');
}

/** Asks which people and user groups may deploy, and which may only read. */
export async function setUpSlackPeople(context: SetupContext): Promise<void> {
  const { prompter, draft } = context;
  const survey = presentSurvey(context);
  const groups = await survey.groups().catch(() => []);
  prompter.say(
    groups.length > 0
      ? `\nSlack user groups\n${listOf(groups)}`
      : '\nSlack\n  The workspace has no user groups.',
  );
  const ask = (key: string, text: string, words: Readonly<Record<string, string>>, usual: string) =>
    askFor(prompter, { key, text, fallback: draft.get(key) ?? usual }, async (answer) => {
      const word = words[answer.toLowerCase()];
      const named = word === undefined ? await namedIn(answer, groups, survey) : [];
      if (named.length > 0)
        prompter.say(`  ${key}: ${named.map(({ id, name }) => `${name} (${id})`).join(', ')}.`);
      await draft.set(key, word ?? named.map(({ id }) => id).join(','), true);
    });
  await ask(
    'SLACK_OPERATORS',
    `Groups, @names of people or ids that may deploy and stop, or the word ${ADMINS}`,
    { [ADMINS]: '' },
    ADMINS,
  );
  await ask(
    'SLACK_READERS',
    `Groups, @names of people or ids that may only look, or ${MEMBERS}, or ${EVERYONE}`,
    { [MEMBERS]: '', [EVERYONE]: EVERYONE },
    MEMBERS,
  );
}

/**
 * Finds the groups and people that a person typed. Each item is the number or name of a group, an id, or the name of a
 * person.
 */
async function namedIn(answer: string, groups: readonly Named[], survey: SlackSurvey): Promise<Named[]> {
  const all: Named[] = [];
  for (const word of answer
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)) {
    if (/^[UW][A-Z0-9]{5,}$/.test(word)) {
      const person = await survey.person(word);
      if (person === undefined)
        throw new SetupError(`The workspace has no person ${word}.`, 'Copy the member ID from the profile.');
      all.push({ id: word, name: person.name });
      continue;
    }
    const mayBePerson = word.startsWith('@') || groups.length === 0;
    const person = mayBePerson ? await personCalled(word, groups, survey) : undefined;
    all.push(...(person ? [person] : choose(word, groups, 'group or person')));
  }
  return all;
}

/**
 * The person with this name. Undefined if no person has the name. Throws SetupError if a second person or a group has
 * the same name, because rights must not go to the wrong person. Also throws if not all members could be read.
 */
async function personCalled(
  word: string,
  groups: readonly Named[],
  survey: SlackSurvey,
): Promise<Named | undefined> {
  const { found, complete } = await survey.peopleCalled(word);
  const plain = word.replace(/^@/, '').toLowerCase();
  const same = [...found, ...groups.filter(({ name }) => name.toLowerCase() === plain)];
  const ids = same.map(({ id, name }) => `${id} (${name})`).join(', ');
  if (!complete)
    throw new SetupError(
      `The workspace has too many members to find all who are called ${word}.`,
      `Give the id: ${ids === '' ? '' : `${ids}, or `}the member ID from the profile.`,
    );
  if (found.length > 0 && same.length > 1)
    throw new SetupError(`Several people or groups are called ${word}.`, `Give an id: ${ids}.`);
  return found[0];
}

/** Posts a first message to a channel that the person names. */
export async function greetOnSlack(context: SetupContext, line: Line): Promise<void> {
  const { prompter } = context;
  const survey = presentSurvey(context);
  await askFor(
    prompter,
    {
      key: 'FIRST_MESSAGE_CHANNEL',
      text: `Channel for a first message (for example #general), or ${NONE}`,
      fallback: NONE,
    },
    async (answer) => {
      if (answer.toLowerCase() === NONE) return;
      try {
        await survey.post(/^[CGD][A-Z0-9]{6,}$/.test(answer) ? answer : `#${answer.replace(/^#/, '')}`, line);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        throw new SetupError(error.userMessage, error.hint ?? 'Choose another channel.');
      }
      prompter.say(`  The first message is in ${answer}.`);
    },
  );
}

function presentSurvey(context: SetupContext): SlackSurvey {
  const token = context.draft.get('SLACK_BOT_TOKEN');
  if (token === undefined) throw new SetupError('Slack is not set up yet.', 'Run setup slack first.');
  return surveyOf(context, token);
}

function surveyOf({ slackUrl: apiUrl, proxy, log }: SetupContext, botToken: string): SlackSurvey {
  return createSlackSurvey({ botToken, apiUrl, proxy }, log);
}
