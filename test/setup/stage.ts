import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { parseEnv } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { runSetup, type SetupOptions } from '../../src/setup/run.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { createDiscordDriver, type DiscordDriver } from '../support/discord-driver.ts';
import { createSlackDriver, type SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const COMMANDS = join(import.meta.dirname, '../../commands');

/**
 * A question that the setup asks, and the typed answer. If the answer is a function, it first does what the person does
 * outside the terminal.
 */
export type Exchange = readonly [question: RegExp, answer: string | (() => string)];

export interface SetupStage {
  readonly simulator: Simulator;
  readonly discord: DiscordDriver;
  readonly slack: SlackDriver;
  readonly folder: string;
  readonly envFile: string;
  /** All texts that the setup has shown. */
  shown(): string;
  /** The values in the settings file, as Node reads them. */
  values(): Record<string, string>;
  /** Runs the setup with a simulated person, who answers these questions in this order. */
  talk(conversation: readonly Exchange[], options?: Partial<SetupOptions>): Promise<number>;
  /** Runs the setup with an answers file. */
  answer(answers: Readonly<Record<string, string>>, options?: Partial<SetupOptions>): Promise<number>;
}

/**
 * A simulated Edgegap, a local Discord, a local Slack and an empty folder. At the end of the test, all of them are
 * closed.
 */
export async function setupStage(): Promise<SetupStage> {
  const simulator = await startSimulator({ clock: systemClock });
  const discord = await createDiscordDriver();
  const slack = await createSlackDriver({ mode: 'socket' });
  const folder = mkdtempSync(join(tmpdir(), 'chatops-setup-'));
  onTestFinished(async () => {
    await Promise.all([simulator.close(), discord.close(), slack.close()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const envFile = join(folder, '.env');
  let shown = '';
  const usual = (): SetupOptions => ({
    terminal: { input: new PassThrough(), output: new PassThrough() },
    isTerminal: true,
    envFile,
    steps: [],
    environment: {
      EDGEGAP_API_URL: simulator.url,
      DISCORD_API_URL: discord.server.apiUrl,
      SLACK_API_URL: slack.server.apiUrl,
    },
    commandsFolder: COMMANDS,
  });
  return {
    simulator,
    discord,
    slack,
    folder,
    envFile,
    shown: () => shown,
    values: () =>
      existsSync(envFile) ? (parseEnv(readFileSync(envFile, 'utf8')) as Record<string, string>) : {},
    async talk(conversation, options = {}) {
      const input = new PassThrough();
      const output = new PassThrough();
      shown = '';
      output.on('data', (chunk) => {
        shown += chunk;
      });
      const ended = runSetup({ ...usual(), terminal: { input, output }, ...options });
      let over = false;
      const done = ended.finally(() => {
        over = true;
      });
      let from = 0;
      for (const [question, answer] of conversation) {
        await until(
          () => over || question.test(shown.slice(from)),
          () => `${question} in:\n${shown.slice(from)}`,
          10_000,
        );
        expect(shown.slice(from)).toMatch(question);
        from = shown.length;
        input.write(`${typeof answer === 'string' ? answer : answer()}\r`);
      }
      const code = await done;
      input.end();
      return code;
    },
    async answer(answers, options = {}) {
      const answersFile = join(folder, 'answers');
      writeFileSync(
        answersFile,
        Object.entries(answers)
          .map(([name, value]) => `${name}=${value}\n`)
          .join(''),
      );
      const output = new PassThrough();
      shown = '';
      output.on('data', (chunk) => {
        shown += chunk;
      });
      return await runSetup({
        ...usual(),
        terminal: { input: new PassThrough(), output },
        isTerminal: false,
        answersFile,
        ...options,
      });
    },
  };
}

export function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
