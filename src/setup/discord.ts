import { discordRefusal, ofApplication, ofPermissions, tokenOfPerson } from '../adapters/discord/examine.ts';
import { inviteLink } from '../adapters/discord/permissions.ts';
import { registerCommands } from '../adapters/discord/register.ts';
import { createSurvey, type Survey, type SurveyedServer } from '../adapters/discord/survey.ts';
import type { Line } from '../chat/card.ts';
import { readConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Finding } from '../finding.ts';
import type { SetupContext } from './context.ts';
import { askFor, choose, listOf, type Named, SetupError } from './prompter.ts';

const PORTAL = 'https://discord.com/developers/applications?new_application=true';
const EVERYONE = 'everyone';
const MANAGERS = 'Manage Server';
const NONE = 'none';

/** Asks for the bot's token and for the servers. */
export async function setUpDiscord(context: SetupContext): Promise<void> {
  const { prompter, draft } = context;
  prompter.say(
    `\nDiscord\n  Open ${PORTAL}, press New Application, enter a name and press Create.\n  Then open Bot, press Reset Token, and copy the token.`,
  );
  const present = draft.get('DISCORD_TOKEN');
  const { survey, application } = await askFor(
    prompter,
    {
      key: 'DISCORD_TOKEN',
      text: 'Bot token of Discord',
      secret: true,
      ...(present === undefined ? {} : { fallback: present }),
    },
    async (answer) => {
      const login = await logIn(context, answer);
      await draft.set('DISCORD_TOKEN', answer, true);
      return login;
    },
  );
  try {
    const servers = await joinedServers(context, survey, application);
    const ids = await chooseServers(context, servers);
    await draft.set('DISCORD_GUILDS', ids.join(','), true);
    for (const id of ids) {
      sayFaults(context, ofPermissions(await survey.server(id), inviteLink(application, id)));
      await survey
        .commands(application, id)
        .catch(() =>
          prompter.say(`  The bot may not register commands there. Open ${inviteLink(application, id)}`),
        );
    }
  } finally {
    survey.close();
  }
}

/** Checks the token against Discord. Throws SetupError if the token cannot be used. */
async function logIn(
  context: SetupContext,
  answer: string,
): Promise<{ survey: Survey; application: string }> {
  const { prompter, discordUrl: apiUrl, proxy } = context;
  const token = answer.replace(/^bot\s+/i, '');
  const survey = createSurvey({ token, apiUrl, proxy });
  try {
    const [user, application] = await Promise.all([survey.user(), survey.application()]);
    if (user.bot !== true) throw problemOf(tokenOfPerson(user.username));
    prompter.say(`  The token is the token of the bot ${user.username}.`);
    sayFaults(context, ofApplication(application));
    return { survey, application: application.id };
  } catch (error) {
    survey.close();
    throw error instanceof SetupError ? error : problemOf(discordRefusal({ token, apiUrl }, error));
  }
}

function problemOf({ says, mend }: Finding): SetupError {
  return new SetupError(says, mend);
}

function sayFaults({ prompter }: SetupContext, findings: readonly Finding[]): void {
  for (const { state, says, mend } of findings)
    if (state !== 'ok') prompter.say(`  ${[says, mend].filter(Boolean).join(' → ')}`);
}

/** The servers that have the bot. If there is no server yet, waits until a person adds the bot to a server. */
async function joinedServers(
  { prompter }: SetupContext,
  survey: Survey,
  application: string,
): Promise<readonly Named[]> {
  let servers = await survey.servers();
  const link = inviteLink(application);
  if (servers.length === 0) {
    const ask = `The bot is in no server yet. Open ${link}`;
    if (prompter.interactive) prompter.say(`  ${ask}\n  Choose your server and press Authorize.`);
    await prompter.wait(
      {
        key: 'DISCORD_GUILDS',
        text: prompter.interactive ? 'Waiting for the bot to be added (or type skip)' : ask,
      },
      async () => {
        servers = await survey.servers();
        return servers.length > 0;
      },
    );
  }
  return servers;
}

async function chooseServers(
  { prompter, draft }: SetupContext,
  servers: readonly Named[],
): Promise<string[]> {
  const [only] = servers;
  const present = draft.get('DISCORD_GUILDS');
  if (servers.length === 1 && only && (present ?? only.id) === only.id && prompter.interactive) {
    prompter.say(`  The bot answers in the server ${only.name}.`);
    return [only.id];
  }
  prompter.say(`  Servers in which the bot may answer:\n${listOf(servers)}`);
  return await askFor(
    prompter,
    {
      key: 'DISCORD_GUILDS',
      text: 'Numbers or names, separated by commas',
      fallback: present ?? servers.map(({ id }) => id).join(','),
    },
    (answer) => {
      const chosen = choose(answer, servers, 'server').map(({ id }) => id);
      if (chosen.length === 0) throw new SetupError('At least one server is needed.');
      return chosen;
    },
  );
}

/** Asks which roles may deploy, and which roles may only read. */
export async function setUpDiscordRoles(context: SetupContext): Promise<void> {
  const { prompter, draft } = context;
  await withServers(context, async (servers) => {
    const several = servers.length > 1;
    const roles = servers.flatMap((server) =>
      server.roles
        .filter(({ id, managed }) => !managed && id !== server.id)
        .map(({ id, name }) => ({ id, name: several ? `${name} (${server.name})` : name })),
    );
    prompter.say(`\nDiscord roles\n${listOf(roles)}`);
    const ask = (key: string, text: string, words: Readonly<Record<string, string>>, usual: string) =>
      askFor(prompter, { key, text, fallback: draft.get(key) ?? usual }, async (answer) => {
        const word = Object.keys(words).find((one) => one.toLowerCase() === answer.toLowerCase());
        const value =
          word === undefined
            ? choose(answer, roles, 'role')
                .map(({ id }) => id)
                .join(',')
            : words[word];
        await draft.set(key, value ?? '', true);
      });
    await ask(
      'DISCORD_OPERATOR_ROLES',
      `Roles that may deploy and stop, or the words ${MANAGERS}`,
      { [MANAGERS]: '' },
      MANAGERS,
    );
    await ask(
      'DISCORD_READER_ROLES',
      `Roles that may only look, or the word ${EVERYONE}, or ${NONE}`,
      { [EVERYONE]: EVERYONE, [NONE]: '' },
      NONE,
    );
  });
}

/** Registers the commands with the servers of the settings. */
export async function registerOnDiscord(context: SetupContext): Promise<void> {
  const { prompter } = context;
  const { discord } = readConfig(settingsOf(context), { edgegap: false });
  if (!discord) return;
  await registerCommands(discord, context.directory, {
    done: ({ guild, created, changed, removed }) =>
      prompter.say(
        `  Commands in server ${guild}: ${created.length} created, ${changed.length} changed, ${removed.length} removed.`,
      ),
    failed: ({ userMessage, hint }) => prompter.say(`  ${[userMessage, hint].filter(Boolean).join(' → ')}`),
  });
}

/** Posts a first message to a channel that the person chooses. */
export async function greetOnDiscord(context: SetupContext, line: Line): Promise<void> {
  const { prompter } = context;
  await withServers(context, async (servers, survey) => {
    const several = servers.length > 1;
    const channels = servers.flatMap((server) =>
      server.channels
        .filter(({ takesMessages }) => takesMessages)
        .map(({ id, name }) => ({ id, name: several ? `#${name} (${server.name})` : `#${name}` })),
    );
    if (prompter.interactive) prompter.say(`\nFirst message\n${listOf(channels)}`);
    await askFor(
      prompter,
      { key: 'FIRST_MESSAGE_CHANNEL', text: `Channel for a first message, or ${NONE}`, fallback: NONE },
      async (answer) => {
        if (answer.toLowerCase() === NONE) return;
        for (const { id, name } of choose(answer, channels, 'channel')) {
          await survey.post(id, line).catch((error: Error) => {
            throw new SetupError(
              `Discord does not take a message in ${name}: ${error.message}.`,
              'Grant the bot the permissions in Edit Channel, Permissions, or choose another channel.',
            );
          });
          prompter.say(`  The first message is in ${name}.`);
        }
      },
    );
  });
}

/** Calls `work` with Discord's answers about the servers of the settings. */
async function withServers(
  context: SetupContext,
  work: (servers: readonly SurveyedServer[], survey: Survey) => Promise<void>,
): Promise<void> {
  const { discord } = readConfig(settingsOf(context), { edgegap: false });
  if (!discord) throw new SetupError('Discord is not set up yet.', 'Run setup discord first.');
  const survey = createSurvey(discord);
  try {
    const servers = await Promise.all(discord.guilds.map((id) => survey.server(id)));
    await work(servers, survey);
  } catch (error) {
    throw error instanceof AppError || error instanceof Error === false || !('status' in error)
      ? error
      : problemOf(discordRefusal(discord, error));
  } finally {
    survey.close();
  }
}

/** Discord's settings alone. A fault in any other setting must not stop this step. */
function settingsOf({ draft, environment }: SetupContext): Record<string, string | undefined> {
  const all: Record<string, string | undefined> = { ...environment, ...draft.values() };
  return Object.fromEntries(Object.entries(all).filter(([name]) => /^DISCORD_|_PROXY$/i.test(name)));
}
