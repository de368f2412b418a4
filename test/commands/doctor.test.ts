import { afterEach, expect, test } from 'vitest';
import { effectOf, type Stage, stageOn } from '../command/harness.ts';
import type { DriverName } from '../support/bot.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { ids } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

let stage: Stage;
afterEach(() => stage.close());

async function doctor(): Promise<string> {
  const effect = await effectOf(stage, 'operator', () => stage.driver.command('operator', 'doctor'));
  expect(effect.publicly).toEqual([]);
  return effect.privately.map(({ text }) => text).join('\n');
}

test.each<[DriverName, (stage: Stage) => void, RegExp]>([
  [
    'discord',
    ({ driver }) => {
      (driver as DiscordDriver).server.rest.application = { bot_require_code_grant: true };
    },
    /wrong\\?: discord\.invite[\s\S]*requires a code grant[\s\S]*Requires OAuth2 Code Grant/,
  ],
  [
    'slack-socket',
    ({ driver }) => void (driver as SlackDriver).server.web.withoutScopes.add('files:write'),
    /wrong: slack\.scopes[\s\S]*lacks the scopes files:write[\s\S]*App Manifest/,
  ],
  [
    'console',
    ({ simulator }) =>
      void simulator.faults.next({ endpoint: 'applications' }, { kind: 'server-error', when: 'before' }, 9),
    /wrong: edgegap\.reachable/,
  ],
])(
  'on %s, the command "doctor" privately names each fault and how to repair the fault',
  async (name, spoil, says) => {
    stage = await stageOn(name, { register: true });
    const { length } = stage.bot.app.directory.all;
    if (name === 'discord')
      await until(
        () => (stage.driver as DiscordDriver).server.rest.commands.list(ids.guild).length === length,
      );
    const before = await doctor();
    expect(before).not.toMatch(/Something is wrong/);
    expect(before).toContain('is as it should be');
    expect(before).toMatch(/store\.schema: The schema is at 00\S+, the newest version/);
    spoil(stage);
    const after = await doctor();
    expect(after).toContain('Something is wrong');
    expect(after).toMatch(says);
  },
);

test('an operator may use the command "doctor" even if the bot is read-only', async () => {
  stage = await stageOn('discord', { environment: { READ_ONLY: '1' } });
  expect(await doctor()).toMatch(/discord\.token: DISCORD_TOKEN is the token of the bot edgegap/);
});
