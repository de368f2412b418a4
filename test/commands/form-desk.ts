import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CatalogApplication, defaultCatalog } from '../../src/simulator/catalog.ts';
import type { SimulatedDeployment } from '../../src/simulator/deployment.ts';
import { effectOf, type Stage, stageOn } from '../command/harness.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

/** A value that may neither be shown nor be stored unencrypted. */
export const SECRET = 'correct horse battery staple';
/** The text that a field shows instead of a value that the field cannot show. */
export const DOTS = '••••••••';

/** A bot whose database is a file. The test can restart the bot and search the file. */
export interface Desk {
  readonly stage: Stage;
  /** The applications of the account. A test may change them. */
  readonly applications: CatalogApplication[];
  /** Lets this number of milliseconds pass, while no person waits for an answer. */
  pass(ms: number): Promise<void>;
  speed(factor: number): void;
  /**
   * What people see after an act of the operator: the last private message and the public messages, without
   * backslashes.
   */
  effect(act: () => Promise<void>): Promise<Shown>;
  deployments(): SimulatedDeployment[];
  /** All texts that people see, and all texts in the log and the database. */
  everything(): Promise<string>;
  close(): Promise<void>;
}

interface Shown {
  readonly aside: { readonly text: string; readonly buttons: readonly string[] } | undefined;
  readonly text: string;
  readonly publicly: string;
}

/** The account has the applications in `extra` in addition to the usual applications. */
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
