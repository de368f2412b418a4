import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { createDiscordDriver, groupIds } from '../support/discord-driver.ts';
import { fastClock } from '../support/fast-clock.ts';
import { until } from '../support/test-clock.ts';
import { openFile, openPostgres } from './database.ts';
import { Fleet } from './fleet.ts';

export const LONG_MS = 90_000;
const FACTOR = 20;

/** Several processes of the bot on one database, with a simulated Edgegap and a local Discord. */
export async function openProcesses(name: 'sqlite' | 'postgres', size: number) {
  const folder = mkdtempSync(join(tmpdir(), 'chatops-processes-'));
  const start = Date.now();
  const clock = fastClock(FACTOR, start);
  const database =
    name === 'sqlite' ? openFile(folder) : await openPostgres(size, inject('postgres'), undefined);
  const limits = { deploy: Number.POSITIVE_INFINITY };
  const simulator = await startSimulator({ clock, listLagMs: 1_500, limits });
  const driver = await createDiscordDriver({ now: () => clock.now(), responseMs: 8_000 * FACTOR });
  const fleet = new Fleet({
    size,
    folder,
    environment: (place) => ({
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      CHAOS_CLOCK: `${FACTOR}:${start}`,
      EDGEGAP_API_TOKEN: simulator.token,
      EDGEGAP_API_URL: simulator.url,
      EDGEGAP_SHARE: '100',
      PORT: '0',
      DATABASE_URL: database.url(place),
      DISCORD_OPERATOR_ROLES: groupIds.operators,
      ...driver.environment,
    }),
  });
  onTestFinished(async () => {
    await fleet.close('SIGKILL');
    await Promise.all([driver.close(), simulator.close()]);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const complete = () => until(() => fleet.complete, 'the processes', LONG_MS);
  await complete();
  await driver.ready({ url: '' });
  return {
    simulator,
    driver,
    fleet,
    /** Kills the processes with these numbers, and starts new processes in their places. */
    async strike(places: readonly number[]): Promise<void> {
      await Promise.all(places.map((place) => fleet.strike(place, 'SIGKILL')));
      for (const place of places) fleet.start(place);
      await complete();
    },
  };
}
