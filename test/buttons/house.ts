import { defaultCatalog } from '../../src/simulator/catalog.ts';
import { accessPoint, selfStopToken } from '../../src/simulator/identity.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { AT_ONCE, deployElsewhere, type Stage, stageOn } from '../command/harness.ts';
import type { DriverName } from '../support/bot.ts';
import { type PacedClock, pacedClock } from '../support/paced-clock.ts';

/** A bot that runs as a deployment of Edgegap, and whose clock a test can move. */
export interface House extends Stage {
  readonly clock: PacedClock;
}

/** Opens an account in which every list has several pages. If the test restarts the bot, `database` names a file. */
export async function openHouse(name: DriverName, database?: string): Promise<House> {
  const clock = pacedClock(1);
  const [city] = defaultCatalog.cities;
  const [fleet] = defaultCatalog.fleets ?? [];
  const [host] = fleet?.hosts ?? [];
  if (!city || !host) throw new Error('The catalogue is empty');
  const cities = Array.from({ length: 3 }, (_, nth) => ({ ...city, city: `Newtown ${nth}` }));
  const hosts = Array.from({ length: 12 }, (_, nth) => ({ ...host, host_id: `big-${nth}` }));
  const simulator = await startSimulator({
    clock,
    ...AT_ONCE,
    measuredBeforeMs: 3_600_000,
    catalog: {
      ...defaultCatalog,
      cities: [...defaultCatalog.cities, ...cities],
      fleets: [...(defaultCatalog.fleets ?? []), { name: 'big', hosts }],
    },
  });
  const own = await deployElsewhere(simulator, 'lobby-chat', 'stable');
  const stage = await stageOn(name, {
    clock,
    edgegap: simulator,
    environment: {
      CONFIRM_DEPLOY: '1000',
      ARBITRIUM_DELETE_URL: `${simulator.url}/v1/self/stop/${own}/${accessPoint(own)}`,
      ARBITRIUM_DELETE_TOKEN: selfStopToken(own),
      ...(database === undefined ? {} : { DATABASE_URL: database }),
    },
  });
  return Object.assign(stage, {
    clock,
    speed: clock.speed,
    async close() {
      await stage.bot.stop();
      await stage.driver.close();
      await simulator.close();
    },
  });
}
