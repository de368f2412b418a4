import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { registerCommands } from '../../src/adapters/discord/register.ts';
import { systemClock } from '../../src/clock.ts';
import { loadCommands } from '../../src/command/load.ts';
import { readConfig } from '../../src/config.ts';
import type { DoctorOptions } from '../../src/doctor/run.ts';
import { runDoctor } from '../../src/doctor/run.ts';
import type { Finding } from '../../src/finding.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import { createDiscordDriver, type DiscordDriver, groupIds } from '../support/discord-driver.ts';
import { createSlackDriver, type SlackDriver } from '../support/slack-driver.ts';

export const COMMANDS = join(import.meta.dirname, '../../commands');

export interface Stage {
  /** Settings with which every finding of the doctor is ok. */
  environment: Record<string, string | undefined>;
  readonly simulator: Simulator;
  readonly discord: DiscordDriver;
  readonly slack: SlackDriver;
  /** A temporary folder that only this test uses. */
  readonly folder: string;
  /** Writes the settings file, which the doctor then reads. */
  envFile(content: string | Uint8Array, mode?: number): void;
  /** The other options of the doctor. */
  options: Partial<DoctorOptions>;
  run(): Promise<{ readonly findings: readonly Finding[]; readonly code: number }>;
}

export type Platform = 'discord' | 'slack' | 'slack-http';

/** A local platform, a simulated Edgegap, and settings for them. At the end of the test, both are stopped. */
export async function stageFor(
  platform: Platform,
  simulated: Partial<SimulatorOptions> = {},
): Promise<Stage> {
  const simulator = await startSimulator({ clock: systemClock, ...simulated });
  onTestFinished(() => simulator.close());
  const folder = mkdtempSync(join(tmpdir(), 'chatops-doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const driver =
    platform === 'discord'
      ? await createDiscordDriver()
      : await createSlackDriver({ mode: platform === 'slack' ? 'socket' : 'http' });
  onTestFinished(() => driver.close());
  const groups = platform === 'discord' ? groupIds : (driver as SlackDriver).groupIds;
  const stage: Stage = {
    environment: {
      EDGEGAP_API_TOKEN: simulator.token,
      EDGEGAP_API_URL: simulator.url,
      DATABASE_URL: join(folder, 'data/bot.db'),
      PORT: '0',
      ...driver.environment,
      ...(platform === 'discord'
        ? { DISCORD_OPERATOR_ROLES: groups.operators, DISCORD_READER_ROLES: groups.readers }
        : { SLACK_OPERATORS: groups.operators, SLACK_READERS: groups.readers }),
      ...(platform === 'slack-http' ? { PUBLIC_URL: 'https://127.0.0.1:1' } : {}),
    },
    simulator,
    discord: driver as DiscordDriver,
    slack: driver as SlackDriver,
    folder,
    envFile(content, mode = 0o600) {
      const envFile = join(folder, '.env');
      writeFileSync(envFile, content, { mode });
      stage.options = { ...stage.options, envFile };
    },
    options: {},
    async run() {
      let printed = '';
      const code = await runDoctor({
        environment: stage.environment,
        commandsFolder: COMMANDS,
        clock: systemClock,
        json: true,
        print(text) {
          printed += text;
        },
        ...stage.options,
      });
      for (const secret of secretsOf(stage)) expect(printed).not.toContain(secret);
      return { ...(JSON.parse(printed) as { findings: Finding[] }), code };
    },
  };
  if (platform === 'discord') await register(stage);
  return stage;
}

/** Registers the commands, like the first start of the bot. */
async function register({ environment }: Stage): Promise<void> {
  const { discord } = readConfig(environment);
  if (!discord) throw new Error('No Discord settings');
  await registerCommands(discord, await loadCommands(COMMANDS), {
    done: () => undefined,
    failed(error) {
      throw error;
    },
  });
}

function secretsOf({ environment }: Stage): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) =>
    /TOKEN$|SECRET$/.test(name) && value.length >= 8 ? [value] : [],
  );
}
