import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CatalogApplication, defaultCatalog } from '../../src/simulator/catalog.ts';
import type { SimulatedDeployment } from '../../src/simulator/deployment.ts';
import { effectOf, type Stage, stageOn } from '../command/harness.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

/** A value that must be neither shown nor stored in clear. */
export const SECRET = 'correct horse battery staple';
/** Stands for a value in a field that cannot show the value. */
export const DOTS = '••••••••';

/** A bot whose database is a file, so that the bot can be restarted and the file can be searched. */
export interface Desk {
  readonly stage: Stage;
  /** The applications of the account, which a test may change. */
  readonly applications: CatalogApplication[];
  /** Lets this time pass, in milliseconds, while nobody waits for an answer. */
  pass(ms: number): Promise<void>;
  speed(factor: number): void;
  /** What an act of the operator shows: the last private message and the public messages, without backslashes. */
  effect(act: () => Promise<void>): Promise<Shown>;
  deployments(): SimulatedDeployment[];
  /** Everything that people see, and that the log and the database hold. */
  everything(): Promise<string>;
  close(): Promise<void>;
}

interface Shown {
  readonly aside: { readonly text: string; readonly buttons: readonly string[] } | undefined;
  readonly text: string;
  readonly publicly: string;
}

/** `extra` are applications besides the usual ones. */
export async function openDesk(
  name: 'discord' | 'slack-http',
  {
    environment = {},
    extra = [],
  }: { readonly environment?: Record<string, string>; readonly extra?: readonly CatalogApplication[] } = {},
): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'chatops-'));
  const applications = [...defaultCatalog.applications, ...extra];
  const simulator = { catalog: { ...defaultCatalog, applications } };
  const clock = pacedClock(1);
  const settings = { DATABASE_URL: join(folder, 'bot.db'), CONFIRM_DEPLOY: 'never', ...environment };
  const stage = await stageOn(name, { clock, simulator, environment: settings });
  const plain = (text = '') => text.replaceAll('\\', '');
  return {
    stage,
    applications,
    speed: clock.speed,
    async pass(ms) {
      const end = clock.now() + ms;
      clock.speed(50);
      await until(() => clock.now() >= end, 'the time to pass');
      clock.speed(1);
    },
    async effect(act) {
      const { privately, publicly } = await effectOf(stage, 'operator', act);
      return {
        aside: privately.at(-1),
        text: plain(privately.at(-1)?.text),
        publicly: plain(publicly.map(({ text }) => text).join('\n')),
      };
    },
    deployments: () => [...stage.simulator.deployments.values()],
    async everything() {
      const { driver, bot } = stage;
      const seen = [...(await driver.channel()), ...(await driver.privately('operator'))];
      const files = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'latin1'));
      return JSON.stringify([seen, bot.log]) + files.join('\n');
    },
    async close() {
      await stage.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
