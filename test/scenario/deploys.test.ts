import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bot, createDriver, driverNames, startBot } from '../support/bot.ts';
import type { ChatDriver, Values } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

const HOSTS = ['tournament-vancouver-2', 'tournament-montreal-0'];

describe.each(driverNames)('the three kinds of deploys on %s', (name) => {
  let driver: ChatDriver;
  let bot: Bot;

  beforeEach(async () => {
    const clock = pacedClock();
    driver = await createDriver(name, clock);
    bot = await startBot(driver, { clock });
  });

  afterEach(async () => {
    await bot?.stop();
    await driver?.close();
  });

  const shown = async (text: string | RegExp) =>
    until(
      async () =>
        (await driver.channel()).findLast((message) =>
          typeof text === 'string' ? plain(message.text).includes(text) : text.test(plain(message.text)),
        ),
      `a message with ${text}`,
    );
  /** Deploys. Returns the request that Edgegap received and the text of the card. */
  const deploy = async (values: Values) => {
    await driver.command('operator', 'deploy', { application: 'kart-racing', ...values });
    await shown(/is ready/);
    await until(async () => (await driver.channel())[0]?.buttons.includes('Logs'), 'the card');
    const sent = bot.simulator.requests.filter(({ endpoint }) => endpoint?.startsWith('deploy'));
    expect(sent).toHaveLength(1);
    const [id = ''] = bot.simulator.deployments.keys();
    const [card] = await driver.channel();
    return { endpoint: sent[0]?.endpoint, body: sent[0]?.body, id, card: plain(card?.text ?? '') };
  };

  test('a deploy accepts cities, coordinates, players, the newest version, resources and variables together', async () => {
    const { endpoint, body, card } = await deploy({
      near: 'Montreal; 48.85,2.35',
      ip: '203.0.113.7',
      env: 'MODE=race',
      cpu: 1024,
      memory: 2048,
      cached: true,
    });
    expect(endpoint).toBe('deploy');
    expect(body).toMatchObject({
      application: 'kart-racing',
      version: 'v1.3',
      users: [
        { user_type: 'geo_coordinates', user_data: { latitude: expect.closeTo(45.5, 0) } },
        { user_type: 'geo_coordinates', user_data: { latitude: 48.85, longitude: 2.35 } },
        { user_type: 'ip_address', user_data: { ip_address: '203.0.113.7' } },
      ],
      environment_variables: [{ key: 'MODE', value: 'race', is_hidden: false }],
      resources: { cpu_units: 1024, memory_mib: 2048 },
      require_cached_locations: true,
    });
    expect(card).toMatch(/Version\W+v1\.3 \(newest active\)/);
    expect(card).toMatch(/Resources\W+1 vCPU, 2 GB/);
    expect(card).toMatch(/Cached\W+only locations/);
    expect(card).toMatch(/Variables\W+MODE/);
  });

  test('a deploy to a private fleet tries the hosts in the given order', async () => {
    const { endpoint, body, id, card } = await deploy({
      version: 'v1.2',
      near: 'Montreal',
      fleet: 'tournament',
      host: HOSTS.join(','),
    });
    expect(endpoint).toBe('deployToFleet');
    expect(body).toMatchObject({ version: 'v1.2', private_host_ids: HOSTS });
    // The first host is full, so the deployment runs on the second host.
    expect(bot.simulator.deployments.get(id)?.host?.host_id).toBe(HOSTS[1]);
    expect(card).toMatch(/Fleet\W+tournament, .*vancouver.*montreal.*the cloud/);
  });

  test("a deploy that overrides the command uses Edgegap's older API, and the bot finds a failure by asking Edgegap", async () => {
    const { endpoint, body, id, card } = await deploy({
      version: 'v1.2',
      ip: '203.0.113.7',
      env: 'MODE=race',
      command: '/bin/server',
      arguments: '--map harbour',
      'log-storage': 'match-logs',
    });
    expect(endpoint).toBe('deployLegacy');
    expect(body).toMatchObject({
      app_name: 'kart-racing',
      version_name: 'v1.2',
      ip_list: ['203.0.113.7'],
      env_vars: [{ key: 'MODE', value: 'race' }],
      command: '/bin/server',
      arguments: '--map harbour',
      container_log_storage: { enabled: true, endpoint_storage: 'match-logs' },
      webhook_url: expect.stringContaining('/callbacks/edgegap/ready/'),
    });
    expect(card).toMatch(/Deployed with\W+Edgegap’s older API.*a command, arguments and a log storage/);
    bot.simulator.fail(id, 'the game crashed');
    expect(plain((await shown(/failed: the game crashed/)).text)).not.toContain('found by asking');
    bot.simulator.terminate(id);
    await shown(/ stopped/);
    expect(bot.simulator.callbacks.map(({ event }) => event)).toEqual(['ready']);
  });
});

/** The text without the backslashes that escape Discord's markup. */
function plain(text: string): string {
  return text.replaceAll('\\', '');
}
