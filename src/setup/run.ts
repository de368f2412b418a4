import { renameSync } from 'node:fs';
import type { Line } from '../chat/card.ts';
import { loadCommands } from '../command/load.ts';
import { readConfig } from '../config.ts';
import { AppError, ConfigError } from '../errors.ts';
import { createLog } from '../log.ts';
import { createAnswers, readAnswers } from './answers.ts';
import type { SetupContext } from './context.ts';
import { type Draft, openDraft } from './draft.ts';
import { applicationsOf, setUpApplications, setUpEdgegap } from './edgegap.ts';
import { askFor, type Prompter, SetupError, SkippedStep } from './prompter.ts';
import { createTerminal, type TerminalStreams } from './terminal.ts';

export const STEPS = ['edgegap', 'discord', 'slack', 'roles', 'applications', 'message'] as const;
export type Step = (typeof STEPS)[number];
const PLATFORMS = ['discord', 'slack'] as const;
type Platform = (typeof PLATFORMS)[number];

const FIRST_MESSAGE: Line = {
  kind: 'line',
  tone: 'success',
  text: ['I am set up. Start me, and type the command help to see what you may do here.'],
};

export interface SetupOptions {
  readonly terminal: TerminalStreams;
  readonly isTerminal: boolean;
  /** The file with the answers, for scripts. */
  readonly answersFile?: string | undefined;
  readonly envFile: string;
  /**
   * The steps that the person named. If the set is empty, the setup asks for the platform and runs every step that the
   * bot needs for a start.
   */
  readonly steps: readonly Step[];
  readonly httpUrl?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly commandsFolder: string;
  /** Replaces a file with another file. Tests pass their own function. */
  readonly rename?: typeof renameSync;
}

/**
 * Asks for the settings, checks each answer against the live service, writes the settings into the file, registers the
 * commands and posts a first message. Returns the exit code: 0, or 1 if the setup could not be finished.
 */
export async function runSetup(options: SetupOptions): Promise<number> {
  const { terminal, answersFile, isTerminal } = options;
  const print = (text: string) => void terminal.output.write(text);
  let prompter: Prompter | undefined;
  try {
    if (answersFile === undefined && !isTerminal)
      throw new SetupError(
        'There is no terminal to ask questions at.',
        'In a container, use docker run -it. In a script, give the answers with --answers FILE.',
      );
    const answers = answersFile === undefined ? undefined : readAnswers(answersFile);
    prompter = answers ? createAnswers(answers, print) : createTerminal(terminal);
    return (await setUp(prompter, options, answers ?? {})) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    print(`\n${[error.userMessage, error.hint].filter(Boolean).join('\n')}\n`);
    return 1;
  } finally {
    prompter?.close();
  }
}

/** Returns whether the bot can start now. */
async function setUp(
  prompter: Prompter,
  options: SetupOptions,
  answers: Readonly<Record<string, string>>,
): Promise<boolean> {
  const { envFile, environment, commandsFolder, rename = renameSync } = options;
  const draft = openDraft(envFile, prompter, {
    replaces: /^(?:yes|1|true)$/i.test(answers.REPLACE ?? ''),
    rename,
  });
  const set = (name: string) => draft.get(name) ?? (environment[name]?.trim() || undefined);
  const common = Object.entries({ ...environment, ...draft.values() }).filter(([name]) =>
    /_PROXY$/i.test(name),
  );
  const url = set('EDGEGAP_API_URL');
  const { edgegap } = readConfig({
    ...Object.fromEntries(common),
    ...(url === undefined ? {} : { EDGEGAP_API_URL: url }),
  });
  const steps = await chosenSteps(prompter, options.steps, answers);
  const isHttp = !prompter.interactive && answers.SLACK_SIGNING_SECRET !== undefined;
  const context: SetupContext = {
    prompter,
    draft,
    directory: await loadCommands(commandsFolder),
    environment,
    log: createLog({ level: 'silent', secrets: [] }),
    edgegapUrl: edgegap.apiUrl,
    discordUrl: set('DISCORD_API_URL'),
    slackUrl: set('SLACK_API_URL'),
    proxy: edgegap.proxy,
    httpUrl: httpsUrl(options.httpUrl ?? (isHttp ? answers.PUBLIC_URL : undefined), isHttp),
  };
  if (prompter.interactive)
    prompter.say(
      'Type skip to skip a step. Enter keeps the value in brackets. You can run setup again at any time.',
    );
  const run = async (wanted: boolean, work: () => Promise<void>) => {
    if (!wanted) return;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SkippedStep)) throw error;
      prompter.say('  Skipped.');
    }
    // Saves the answers before the next question, because a person may end the setup at any question.
    if (prompter.interactive) draft.save();
  };
  // The package of a platform takes time to load, so it is loaded only for a chosen platform.
  const discord = () => import('./discord.ts');
  const slack = () => import('./slack.ts');
  await run(steps.has('edgegap'), () => setUpEdgegap(context));
  await run(steps.has('discord'), async () => (await discord()).setUpDiscord(context));
  await run(steps.has('slack'), async () => (await slack()).setUpSlack(context));
  const isPlatformRun = PLATFORMS.some((one) => steps.has(one));
  // The person may have skipped a platform.
  const platforms = PLATFORMS.filter((one) => (steps.has(one) || !isPlatformRun) && isSetUp(one, draft));
  if (platforms.length === 0 && !isPlatformRun && (steps.has('roles') || steps.has('message')))
    throw new SetupError('No chat platform is set up yet.', 'Run setup discord or setup slack first.');
  for (const platform of platforms)
    await run(steps.has('roles'), async () =>
      platform === 'discord'
        ? (await discord()).setUpDiscordRoles(context)
        : (await slack()).setUpSlackPeople(context),
    );
  await run(steps.has('applications'), () => setUpApplications(context));
  const isNew = draft.save() || prompter.interactive;
  prompter.say(`\n${draft.describe()}`);
  await run(platforms.includes('discord') && (steps.has('discord') || steps.has('roles')), async () =>
    (await discord()).registerOnDiscord(context),
  );
  // Posts the first message only in a new setup. A script that runs the setup a second time must not post a second
  // message.
  for (const platform of platforms)
    await run(steps.has('message') && isNew, async () =>
      platform === 'discord'
        ? (await discord()).greetOnDiscord(context, FIRST_MESSAGE)
        : (await slack()).greetOnSlack(context, FIRST_MESSAGE),
    );
  return !isPlatformRun || (await conclude(context, platforms));
}

function isSetUp(platform: Platform, draft: Draft): boolean {
  return draft.get(platform === 'discord' ? 'DISCORD_TOKEN' : 'SLACK_BOT_TOKEN') !== undefined;
}

/** The steps that this run of the setup performs. */
async function chosenSteps(
  prompter: Prompter,
  words: readonly Step[],
  answers: Readonly<Record<string, string>>,
): Promise<ReadonlySet<Step>> {
  const isPlatform = (word: Step): word is Platform => word === 'discord' || word === 'slack';
  if (words.length > 0 && !words.every(isPlatform)) return new Set(words);
  const platforms =
    words.length > 0
      ? words
      : await askFor(
          prompter,
          { key: 'PLATFORM', text: 'Which chat platform: discord, slack or both?' },
          (answer): Step[] => {
            const word = answer.toLowerCase();
            if (word === 'both') return [...PLATFORMS];
            const platform = PLATFORMS.find((one) => one === word);
            if (!platform)
              throw new SetupError(`${answer} is no platform.`, 'Answer discord, slack or both.');
            return [platform];
          },
        );
  const optional: Step[] = [
    ...(['DISCORD_OPERATOR_ROLES', 'DISCORD_READER_ROLES', 'SLACK_OPERATORS', 'SLACK_READERS'].some(
      (name) => answers[name] !== undefined,
    )
      ? (['roles'] as const)
      : []),
    ...(answers.APP_ALLOWLIST === undefined ? [] : (['applications'] as const)),
  ];
  return new Set<Step>(['edgegap', ...platforms, ...optional, 'message']);
}

function httpsUrl(url: string | undefined, needed: boolean): string | undefined {
  if (url?.startsWith('https://') && URL.canParse(url)) return url.replace(/\/+$/, '');
  if (url === undefined && !needed) return undefined;
  throw new SetupError(
    'In HTTP mode, Slack needs the public https address of the bot.',
    'Give --http https://bot.example.com, or PUBLIC_URL in the answers file.',
  );
}

/** Names the missing settings, or the next step. Returns whether the settings are complete. */
async function conclude(context: SetupContext, platforms: readonly Platform[]): Promise<boolean> {
  const { prompter, draft, environment } = context;
  try {
    readConfig({ ...environment, ...draft.values() }, { chat: true });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    prompter.say(
      `\nThe bot cannot start yet:\n${error.problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
    return false;
  }
  const token = draft.get('EDGEGAP_API_TOKEN') ?? '';
  const [application] = await applicationsOf(context, token).catch(() => []);
  const name = application?.name ?? 'APPLICATION';
  const examples = platforms.map((one) =>
    one === 'discord'
      ? `/deploy application: ${name} near: Montreal`
      : `/edgegap deploy ${name} --near Montreal`,
  );
  prompter.say(
    `\nStart the bot with npm start (in a container: docker compose up --detach). Then type in chat:\n${examples.map((example) => `  ${example}`).join('\n')}\n\nnpm run setup -- roles chooses who may do what, npm run setup -- applications limits what can be deployed,\nand npm run doctor checks everything.`,
  );
  return true;
}
