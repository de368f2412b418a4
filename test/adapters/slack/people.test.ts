import { describe, expect, it } from 'vitest';
import type { Persona } from '../../support/chat-driver.ts';
import type { SlackDriver } from '../../support/slack-driver.ts';
import { turn } from '../../support/test-clock.ts';
import { type Bot, startBot } from './harness.ts';

const environment = ({ groupIds, userIds }: SlackDriver) => ({
  SLACK_OPERATORS: `${groupIds.operators},${userIds.admin}`,
  SLACK_READERS: groupIds.readers,
});

async function askAs(bot: Bot, persona: Persona) {
  const before = bot.invocations.length;
  await bot.driver.slash(persona, 'list');
  return await bot.invocation(before + 1);
}

function asked(bot: Bot, method: string): number {
  return bot.driver.server.requests.filter((request) => request.method === method).length;
}

const nobody = { home: false, guest: false, admin: false, groups: [] };

describe('a person', () => {
  it.each([
    ['stranger', nobody],
    ['elsewhere', nobody],
    ['guest', { home: true, guest: true, admin: false, groups: ['own'] }],
    ['member', { home: true, guest: false, admin: false, groups: ['own'] }],
    ['reader', { home: true, guest: false, admin: false, groups: ['own', 'S0READERS'] }],
    ['operator', { home: true, guest: false, admin: false, groups: ['own', 'S0OPERATORS'] }],
    ['admin', { home: true, guest: false, admin: true, groups: ['own'] }],
  ] as const)('who is a %s', async (persona, facts) => {
    const bot = await startBot({ environment });
    const id = bot.driver.userIds[persona];
    const person = await (await askAs(bot, persona)).person('fresh');
    expect(person).toEqual({
      id,
      name: persona,
      ...facts,
      groups: facts.groups.map((group) => (group === 'own' ? id : group)),
    });
  });

  it.each([
    ['deactivated', { deleted: true }, false],
    ['another bot', { is_bot: true }, false],
    ['an owner', { is_owner: true }, true],
  ])('who is %s', async (_, facts, home) => {
    const bot = await startBot({
      prepare: ({ server, userIds }) => void server.world.facts.set(userIds.member, facts),
    });
    expect(await (await askAs(bot, 'member')).person('cached')).toMatchObject({ home, admin: home });
  });

  it('of another workspace of the same organisation is at home only where they belong to ours', async () => {
    const bot = await startBot({
      prepare: ({ server, userIds }) => {
        const grid = (teams: string[]) => ({
          team_id: 'E0ORG',
          enterprise_user: { enterprise_id: 'E0ORG', teams },
        });
        server.world.facts.set(userIds.member, grid(['T000000001', 'T2']));
        server.world.facts.set(userIds.guest, grid(['T2']));
        server.web.enterprise = 'E0ORG';
      },
    });
    expect(await (await askAs(bot, 'member')).person('fresh')).toMatchObject({ home: true });
    expect(await (await askAs(bot, 'guest')).person('fresh')).toMatchObject({ home: false });
  });

  it('unknown to this workspace is a stranger, not an error', async () => {
    const bot = await startBot();
    bot.driver.server.faults.inject('users.info', { kind: 'error', error: 'user_not_found' });
    expect(await (await askAs(bot, 'member')).person('fresh')).toMatchObject({ home: false });
  });
});

describe('what is known about a person', () => {
  it('is a minute old at most, or five seconds where it has to be fresh', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    await Promise.all([invocation.person('cached'), invocation.person('fresh'), invocation.person('cached')]);
    expect([asked(bot, 'users.info'), asked(bot, 'usergroups.users.list')]).toEqual([1, 2]);
    await bot.clock.advance(5000);
    await invocation.person('fresh');
    expect(asked(bot, 'users.info')).toBe(1);
    await bot.clock.advance(1);
    await invocation.person('cached');
    expect(asked(bot, 'users.info')).toBe(1);
    await invocation.person('fresh');
    expect([asked(bot, 'users.info'), asked(bot, 'usergroups.users.list')]).toEqual([2, 4]);
    await bot.clock.advance(60_001);
    await invocation.person('cached');
    expect(asked(bot, 'users.info')).toBe(3);
  });

  it('counts at once when a role is taken away: Slack tells', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    expect((await invocation.person('fresh')).groups).toContain('S0OPERATORS');
    await bot.driver.regroup('operator', ['readers']);
    await turn();
    expect((await invocation.person('cached')).groups).toEqual([bot.driver.userIds.operator, 'S0READERS']);
  });

  it('may be ten minutes old when Slack does not answer, and only for what changes nothing', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    const person = await invocation.person('cached');
    bot.driver.server.faults.inject('usergroups.users.list', { kind: 'rate-limit', retryAfter: 12 }, 100);
    await bot.clock.advance(600_000);
    expect(await invocation.person('cached')).toEqual(person);
    await expect(invocation.person('fresh')).rejects.toMatchObject({
      name: 'AppError',
      userMessage: 'I could not ask Slack what you may do, so I did nothing.',
      hint: 'Try again in 12 seconds.',
    });
    await bot.clock.advance(1);
    await expect(invocation.person('cached')).rejects.toMatchObject({ code: 'slack_person_unknown' });
  });

  it('lacks a configured group that does not exist, which the log says', async () => {
    const bot = await startBot({ environment: () => ({ SLACK_OPERATORS: 'S0DELETED' }) });
    expect((await (await askAs(bot, 'operator')).person('fresh')).groups).toEqual([
      bot.driver.userIds.operator,
    ]);
    expect(bot.logLines.join('')).toContain('S0DELETED');
  });
});
