import { describe, expect, it } from 'vitest';
import type { Persona } from '../../support/chat-driver.ts';
import type { SlackDriver } from '../../support/slack-driver.ts';
import type { SlackFault } from '../../support/slack-faults.ts';
import { eventPayload } from '../../support/slack-payloads.ts';
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

/**
 * The ways in which Slack can fail: a 429, a 5xx or a broken connection. `ALWAYS` also covers the retries of a reading
 * client.
 */
const silences = [
  { kind: 'rate-limit', retryAfter: 12 },
  { kind: 'status', status: 503, when: 'before' },
  { kind: 'reset', when: 'before' },
] satisfies SlackFault[];
const ALWAYS = 1000;

async function groupEvent(bot: Bot, event: object): Promise<void> {
  await bot.driver.deliver('events_api', eventPayload(bot.driver.server.world, event, `Ev-${Math.random()}`));
  await turn();
}

const nobody = { home: false, guest: false, admin: false, groups: [] };

describe('a person on Slack', () => {
  it.each([
    ['stranger', nobody],
    ['elsewhere', nobody],
    ['guest', { home: true, guest: true, admin: false, groups: ['own'] }],
    ['member', { home: true, guest: false, admin: false, groups: ['own'] }],
    ['reader', { home: true, guest: false, admin: false, groups: ['own', 'S0READERS'] }],
    ['operator', { home: true, guest: false, admin: false, groups: ['own', 'S0OPERATORS'] }],
    ['admin', { home: true, guest: false, admin: true, groups: ['own'] }],
  ] as const)(
    'the facts about the Slack person "%s" have the right values for home, guest, admin and groups',
    async (persona, facts) => {
      const bot = await startBot({ environment });
      const id = bot.driver.userIds[persona];
      const person = await (await askAs(bot, persona)).person('fresh');
      expect(person).toEqual({
        id,
        name: persona,
        ...facts,
        groups: facts.groups.map((group) => (group === 'own' ? id : group)),
      });
    },
  );

  it.each([
    ['deactivated', { deleted: true }, false],
    ['another bot', { is_bot: true }, false],
    ['an owner', { is_owner: true }, true],
  ])(
    'for a Slack member who is %s, the bot knows whether the member belongs to the workspace and is an admin',
    async (_, facts, home) => {
      const bot = await startBot({
        prepare: ({ server, userIds }) => void server.world.facts.set(userIds.member, facts),
      });
      expect(await (await askAs(bot, 'member')).person('cached')).toMatchObject({ home, admin: home });
    },
  );

  it("in an organisation, a person belongs to the bot's workspace only if Slack lists that workspace for the person", async () => {
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

  it('a person whom the Slack workspace does not know is treated as a stranger', async () => {
    const bot = await startBot();
    bot.driver.server.faults.inject('users.info', { kind: 'error', error: 'user_not_found' });
    expect(await (await askAs(bot, 'member')).person('fresh')).toMatchObject({ home: false });
  });
});

describe('cached facts about a person', () => {
  it('facts about a Slack person are at most a minute old, and fresh facts are at most five seconds old', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    await Promise.all([invocation.person('cached'), invocation.person('fresh'), invocation.person('cached')]);
    expect([asked(bot, 'users.info'), asked(bot, 'usergroups.list')]).toEqual([1, 1]);
    await bot.clock.advance(5000);
    await invocation.person('fresh');
    expect(asked(bot, 'users.info')).toBe(1);
    await bot.clock.advance(1);
    await invocation.person('cached');
    expect(asked(bot, 'users.info')).toBe(1);
    await invocation.person('fresh');
    expect([asked(bot, 'users.info'), asked(bot, 'usergroups.list')]).toEqual([2, 2]);
    await bot.clock.advance(60_001);
    await invocation.person('cached');
    expect(asked(bot, 'users.info')).toBe(3);
  });

  it('if a person loses a Slack group, Slack sends an event, and the bot uses the change at once', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    expect((await invocation.person('fresh')).groups).toContain('S0OPERATORS');
    await bot.driver.regroup('operator', ['readers']);
    await turn();
    expect((await invocation.person('cached')).groups).toEqual([bot.driver.userIds.operator, 'S0READERS']);
  });

  it('if a Slack group is disabled, Slack sends an event, and the bot uses the change at once', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    expect((await invocation.person('fresh')).groups).toContain('S0OPERATORS');
    bot.driver.server.web.disabledGroups.add('S0OPERATORS');
    await groupEvent(bot, { type: 'subteam_updated', subteam: { id: 'S0OPERATORS', date_delete: 1 } });
    expect((await invocation.person('fresh')).groups).toEqual([bot.driver.userIds.operator]);
  });

  it('reading fresh facts about a person makes at most 12 Slack calls a minute, however many groups are configured', async () => {
    const environment = ({ groupIds }: SlackDriver) => ({
      SLACK_OPERATORS: `${groupIds.operators},${groupIds.readers},S0THIRD,S0FOURTH`,
    });
    const bot = await startBot({
      environment,
      prepare: ({ server, userIds }) => {
        for (const id of ['S0THIRD', 'S0FOURTH']) server.world.members.set(id, new Set([userIds.operator]));
      },
    });
    const invocation = await askAs(bot, 'operator');
    for (let second = 0; second < 60; second++) {
      expect((await invocation.person('fresh')).groups).toContain('S0THIRD');
      await bot.clock.advance(1000);
    }
    expect(asked(bot, 'usergroups.list')).toBeLessThanOrEqual(12);
    expect(asked(bot, 'usergroups.users.list')).toBe(0);
  });

  it("the bot reads all members of a Slack group, although Slack's list of groups names only some of the members", async () => {
    const bot = await startBot({
      environment,
      prepare: ({ server }) => {
        server.web.namedMembers = 0;
      },
    });
    expect((await (await askAs(bot, 'operator')).person('fresh')).groups).toContain('S0OPERATORS');
  });

  it.each(
    ['users.info', 'usergroups.list'].flatMap((method) => silences.map((fault) => [method, fault] as const)),
  )(
    'while Slack answers %s with %j, the bot may use facts about a person that are up to a minute old',
    async (method, fault) => {
      const bot = await startBot({ environment });
      const invocation = await askAs(bot, 'operator');
      const person = await invocation.person('fresh');
      bot.driver.server.faults.inject(method, fault, ALWAYS);
      await bot.clock.advance(60_000);
      expect(await invocation.person('fresh')).toEqual(person);
      await bot.clock.advance(1);
      await expect(invocation.person('fresh')).rejects.toMatchObject({ code: 'slack-person-unknown' });
    },
  );

  it('while Slack does not answer, an event about a configured group makes the cached facts about a person invalid', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    const person = await invocation.person('fresh');
    bot.driver.server.faults.inject('usergroups.list', { kind: 'rate-limit', retryAfter: 12 }, ALWAYS);
    await groupEvent(bot, { type: 'subteam_members_changed', subteam_id: 'S0OTHERS' });
    await bot.clock.advance(5001);
    expect(await invocation.person('fresh')).toEqual(person);
    await bot.driver.regroup('operator', []);
    await turn();
    await expect(invocation.person('fresh')).rejects.toMatchObject({ code: 'slack-person-unknown' });
  });

  it('while Slack does not answer, a command that only reads may use facts about a person that are ten minutes old', async () => {
    const bot = await startBot({ environment });
    const invocation = await askAs(bot, 'operator');
    const person = await invocation.person('cached');
    bot.driver.server.faults.inject('usergroups.list', { kind: 'rate-limit', retryAfter: 12 }, ALWAYS);
    await bot.clock.advance(600_000);
    expect(await invocation.person('cached')).toEqual(person);
    await expect(invocation.person('fresh')).rejects.toMatchObject({
      name: 'AppError',
      userMessage: 'I could not ask Slack what you may do, so I did nothing.',
      hint: 'Try again in 12 seconds.',
    });
    await bot.clock.advance(1);
    await expect(invocation.person('cached')).rejects.toMatchObject({ code: 'slack-person-unknown' });
  });

  it('if a configured Slack group does not exist, the bot treats the group as empty and logs this once', async () => {
    const bot = await startBot({ environment: () => ({ SLACK_OPERATORS: 'S0DELETED' }) });
    const invocation = await askAs(bot, 'operator');
    for (let check = 0; check < 3; check++) {
      expect((await invocation.person('fresh')).groups).toEqual([bot.driver.userIds.operator]);
      await bot.clock.advance(5001);
    }
    expect(bot.logLines.filter((line) => line.includes('S0DELETED'))).toHaveLength(1);
  });
});
