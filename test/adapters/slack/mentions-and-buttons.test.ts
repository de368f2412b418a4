import { describe, expect, it } from 'vitest';
import type { Invocation } from '../../../src/chat/port.ts';
import { turn, until } from '../../support/test-clock.ts';
import { card, line, startBot } from './harness.ts';

describe('a mention of the bot', () => {
  const both = async (invocation: Invocation) => {
    await invocation.acknowledge('public');
    await invocation.refuse(line('Psst'));
    await invocation.respond(card('Listed'));
  };

  it('a mention in a Slack thread is answered in that thread', async () => {
    const bot = await startBot({ handle: both });
    const root = String(
      (
        await bot.driver.server.world.call('xoxp-admin', 'chat.postMessage', {
          channel: bot.team.channel,
          text: 'Hi',
        })
      ).ts,
    );
    await bot.driver.mention('operator', 'List --tag qa', root);
    const { request, at } = await bot.invocation(1);
    expect(request).toEqual({ kind: 'command', command: 'list', args: { kind: 'text', text: '--tag qa' } });
    expect(at).toEqual({ ...bot.team, thread: root });
    const answer = await until(async () =>
      (await bot.driver.channel()).find(({ text }) => text.includes('Listed')),
    );
    expect(answer.parent).toBe(root);
    expect(await bot.driver.privately('operator')).toMatchObject([{ text: 'Psst', parent: root }]);
  });

  it('a mention in a Slack channel is answered in a new thread, but a private answer appears in the channel', async () => {
    const bot = await startBot({ handle: both });
    const asked = await bot.driver.mention('operator', '');
    expect((await bot.invocation(1)).request).toMatchObject({ command: 'menu' });
    const answer = await until(async () =>
      (await bot.driver.channel()).find(({ text }) => text.includes('Listed')),
    );
    expect(answer.parent).toBe(asked);
    const [aside] = await bot.driver.privately('operator');
    expect(aside).toMatchObject({ text: 'Psst' });
    expect(aside).not.toHaveProperty('parent');
  });

  it('a mention runs a command only at the beginning of a message, not in the middle', async () => {
    const bot = await startBot();
    const { user } = bot.driver.server.world.bot;
    for (const [index, text] of [`do not let <@${user}> stop x`, ` <@${user}|edgegap> list`].entries())
      await bot.driver.deliver('events_api', {
        type: 'event_callback',
        event_id: `Ev${index}`,
        team_id: bot.team.workspace,
        event: { type: 'app_mention', user: 'U123456', text, ts: '1.2', channel: 'C1' },
      });
    expect((await bot.invocation(1)).request).toMatchObject({ command: 'list' });
  });

  const me = '<@U0EDGEGAPBOT>';
  it.each([
    `${me}: status abc`,
    `${me}, status abc`,
    `${me} /edgegap status abc`,
    `${me} /status abc`,
    `${me}: /edgegap: status abc`,
    `${me} ${me} status abc`,
    `${me} \`status abc\``,
    `${me} \`/edgegap status abc\``,
    `*${me} status abc*`,
    `*${me}* _status_ ~abc~`,
    `${me}\n\`\`\`\nstatus abc\n\`\`\``,
  ])('the mention %j is read as the command to show the status of abc', async (text) => {
    const bot = await startBot();
    await bot.driver.deliver('events_api', {
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: bot.team.workspace,
      event: { type: 'app_mention', user: 'U123456', text, ts: '1.2', channel: 'C1' },
    });
    const args = { kind: 'text', text: 'abc' };
    expect((await bot.invocation(1)).request).toEqual({ kind: 'command', command: 'status', args });
  });

  it.each([
    [{ name: 'olga', profile: { display_name: 'qa' } }, '@qa'],
    [{ name: 'qa', profile: { display_name: 'The QA team' } }, '@qa'],
    [{ name: 'qa.bot', real_name: 'The QA team', profile: {} }, undefined],
  ])('the mention of a member with the names %j is read as %s', async (facts, text) => {
    const bot = await startBot();
    const { world } = bot.driver.server;
    const { member } = bot.driver.userIds;
    world.facts.set(member, { ...world.facts.get(member), ...facts });
    await bot.driver.mention('operator', `deploy <@${member}> --tag x`);
    const args = { kind: 'text', text: `${text ?? `@${member}`} --tag x` };
    expect((await bot.invocation(1)).request).toEqual({ kind: 'command', command: 'deploy', args });
  });

  it('if Slack does not send the name of a mentioned member, the command gets the id instead', async () => {
    const bot = await startBot();
    const { member } = bot.driver.userIds;
    bot.driver.server.faults.inject('users.info', { kind: 'error', error: 'missing_scope' });
    await bot.driver.mention('operator', `deploy <@${member}>`);
    const args = { kind: 'text', text: `@${member}` };
    expect((await bot.invocation(1)).request).toEqual({ kind: 'command', command: 'deploy', args });
  });

  it('if Slack is slow to send the name of a mentioned member, the command continues with the id', async () => {
    const bot = await startBot();
    const { member } = bot.driver.userIds;
    bot.driver.server.faults.inject('users.info', { kind: 'slow', ms: 2_000 });
    const said = bot.driver.mention('operator', `deploy <@${member}>`);
    await until(async () => {
      await bot.clock.advance(100);
      return bot.invocations.length > 0;
    });
    expect(bot.invocations[0]?.request).toMatchObject({ args: { text: `@${member}` } });
    await said;
  });

  it('if a mention contains 40,000 invisible characters, the bot passes the text on unchanged', async () => {
    const bot = await startBot();
    const text = `x${'\u200b'.repeat(40_000)}x`;
    await bot.driver.deliver('events_api', {
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: bot.team.workspace,
      event: { type: 'app_mention', user: 'U123456', text: `${me}${text}`, ts: '1.2', channel: 'C1' },
    });
    const args = { kind: 'text', text };
    expect((await bot.invocation(1)).request).toEqual({ kind: 'command', command: 'x', args });
  });

  it.each([
    ['that was edited', { edited: { user: 'U123456', ts: '1.3' } }],
    ['from another app', { bot_id: 'B0OTHER' }],
  ])('a mention in a message %s runs no command', async (_, more) => {
    const bot = await startBot();
    const event = {
      type: 'app_mention',
      user: 'U123456',
      text: '<@U0EDGEGAPBOT> stop x',
      ts: '1.2',
      channel: 'C1',
      ...more,
    };
    await bot.driver.deliver('events_api', {
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: bot.team.workspace,
      event,
    });
    await bot.driver.slash('member', 'marker');
    expect((await bot.invocation(1)).request).toMatchObject({ command: 'marker' });
  });
});

describe('a Slack button', () => {
  const block = (action_id: string, more = {}) => ({
    type: 'block_actions',
    user: { id: 'U123456', username: 'x' },
    team: { id: 'T000000001', domain: 'x' },
    container: { type: 'message', message_ts: '5.5', channel_id: 'C1' },
    channel: { id: 'C1', name: 'x' },
    actions: [{ type: 'button', action_id, action_ts: '6.6', block_id: 'b', ...more }],
  });

  it('a press on a button that a different version of the bot made reaches the handler with an undefined action', async () => {
    const bot = await startBot();
    await bot.driver.deliver('interactive', block('who-knows'));
    expect((await bot.invocation(1)).request).toMatchObject({ kind: 'action', action: undefined });
  });

  it('a press on a button that only opens a link is acknowledged and runs no command', async () => {
    const bot = await startBot();
    await bot.driver.deliver('interactive', block('0:url', { url: 'https://docs.edgegap.com' }));
    await turn();
    expect(bot.invocations).toEqual([]);
    expect(bot.driver.server.ephemerals).toEqual([]);
  });

  it('if a button press has no trigger id, the bot makes the id from the message, the person and the time', async () => {
    const bot = await startBot();
    await bot.driver.deliver('interactive', block('0:stop:confirm:x'));
    await bot.driver.deliver('interactive', block('0:stop:confirm:x'));
    await bot.invocation(2);
    expect(bot.invocations.map(({ id }) => id)).toEqual(['5.5-U123456-6.6', '5.5-U123456-6.6']);
  });
});
