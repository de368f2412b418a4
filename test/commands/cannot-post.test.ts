import { expect, test } from 'vitest';
import { effectOf, stageOn } from '../command/harness.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { permissions } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const KART = { application: 'kart-racing', version: 'v1.2', near: 'Tokyo' };

test('in a Discord channel where the bot may not write, a deploy starts no server and the answer names the missing permission', async () => {
  const stage = await stageOn('discord');
  try {
    const { server } = stage.driver as DiscordDriver;
    server.rest.botPermissions = permissions.viewChannel;
    const effect = await effectOf(stage, 'operator', () => stage.driver.command('operator', 'deploy', KART));
    const text = [...effect.privately, ...effect.publicly].map((message) => message.text).join('\n');
    expect(text).toMatch(/Send Messages/);
    expect(effect.asked.filter((call) => !call.startsWith('GET'))).toEqual([]);
    expect(stage.simulator.deployments.size).toBe(0);
  } finally {
    await stage.close();
  }
});

test('in a private Slack channel without the bot, a deploy starts no server and the answer recommends /invite', async () => {
  const stage = await stageOn('slack-http');
  try {
    const driver = stage.driver as SlackDriver;
    const { secret } = driver.server.world.channels;
    await driver.slash('operator', 'deploy kart-racing v1.2 --near Tokyo', { channel: secret });
    await stage.bot.app.settled();
    const { web } = driver.server;
    const said = async () => JSON.stringify([await web.messages(secret), driver.server.ephemerals]);
    await until(async () => (await said()).includes('/invite'), 'the answer to say what to do');
    expect(await driver.channel()).toEqual([]);
    expect(stage.simulator.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(stage.simulator.deployments.size).toBe(0);
  } finally {
    await stage.close();
  }
});
