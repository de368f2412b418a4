import { describe, expect, it } from 'vitest';
import { until } from '../../support/test-clock.ts';
import { answering, card, line, startBot } from './harness.ts';

const modes = ['socket', 'http'] as const;

describe.each(modes)('Slack commands in %s mode', (mode) => {
  it("an invocation from the slash command /edgegap contains the name of the bot's command and the text after that name", async () => {
    const bot = await startBot({ mode, handle: answering('private', line('ok')) });
    await bot.driver.command('operator', 'deploy', { application: 'kart racing', near: 'Montreal' });
    const [invocation] = bot.invocations;
    expect(invocation?.request).toEqual({
      kind: 'command',
      command: 'deploy',
      args: { kind: 'text', text: '--application "kart racing" --near Montreal' },
    });
    expect(invocation?.at).toEqual(bot.team);
    expect(bot.adapter.healthy()).toBe(true);
  });

  it('a public answer on Slack is posted in the channel, and the next answer replaces the first', async () => {
    const bot = await startBot({ mode, handle: answering('public', card('One'), card('Two')) });
    await bot.driver.command('operator', 'list');
    const [message, ...others] = await until(async () => {
      const channel = await bot.driver.channel();
      return channel[0]?.edits === 1 ? channel : undefined;
    });
    expect(others).toEqual([]);
    expect(message).toMatchObject({ text: '🟢 Two', pings: [] });
    expect(await bot.driver.privately('operator')).toEqual([]);
  });

  it('a refusal on Slack is visible only to the refused person', async () => {
    const bot = await startBot({
      mode,
      handle: async (invocation) => invocation.refuse(line('You may not.')),
    });
    await bot.driver.command('member', 'deploy');
    expect(await bot.driver.privately('member')).toMatchObject([{ text: 'You may not.' }]);
    expect(await bot.driver.privately('admin')).toEqual([]);
    expect(await bot.driver.channel()).toEqual([]);
  });

  it('an invocation from a Slack button names the action, and the answer updates the message with the button', async () => {
    const bot = await startBot({
      mode,
      handle: async (invocation) => {
        if (invocation.request.kind === 'command') {
          await invocation.acknowledge('public');
          const action = { command: 'stop', action: 'confirm', arg: 'abc:123' };
          const buttons = [
            { label: 'Stop it', style: 'danger', action },
            { label: 'Docs', url: 'https://docs.edgegap.com/' },
          ] as const;
          return await invocation.respond(card('Stop?', { kind: 'buttons', buttons }));
        }
        await invocation.acknowledge('update');
        await invocation.respond(card('Stopped'));
      },
    });
    await bot.driver.command('operator', 'stop');
    const [before] = await bot.driver.channel();
    expect(before?.buttons).toEqual(['Stop it', 'Docs']);
    await bot.driver.press('admin', 'Stop it');
    expect(bot.invocations[1]?.request).toEqual({
      kind: 'action',
      action: { command: 'stop', action: 'confirm', arg: 'abc:123' },
      chosen: [],
      source: { ...bot.team, message: before?.id },
    });
    expect(await bot.driver.channel()).toMatchObject([
      { id: before?.id, text: '🟢 Stopped', buttons: [], edits: 1 },
    ]);
  });

  it('if Slack sends a request twice, both invocations have the same id', async () => {
    const bot = await startBot({ mode });
    const event = {
      type: 'event_callback',
      event_id: 'Ev123',
      team_id: bot.team.workspace,
      event: {
        type: 'app_mention',
        user: 'U123456',
        text: `<@${bot.driver.server.world.bot.user}> list`,
        ts: '1.2',
        channel: bot.team.channel,
      },
    };
    await bot.driver.deliver('events_api', event);
    await bot.driver.deliver('events_api', event, { retry: { attempt: 1 } });
    await bot.driver.slash('member', 'list', { trigger: 'same' });
    await bot.driver.slash('member', 'list', { trigger: 'same' });
    await bot.invocation(4);
    expect(bot.invocations.map(({ id }) => id)).toEqual(['Ev123', 'Ev123', 'same', 'same']);
  });
});

describe('the text of a Slack command', () => {
  it.each([
    ['', 'menu', ''],
    ['   ', 'menu', ''],
    ['Deploy kart v1', 'deploy', 'kart v1'],
    ['deploy  kart —near “New York”', 'deploy', 'kart —near “New York”'],
    ['deploy a &amp; b &lt;c&gt;', 'deploy', 'a & b <c>'],
    ['deploy <http://kart.io|kart.io> <https://x.example/a>', 'deploy', 'kart.io https://x.example/a'],
    ['deploy <@U0123ABCD|qa> --tag x', 'deploy', '@qa --tag x'],
    ['deploy <!subteam^S0123ABCD|@qa>', 'deploy', '@qa'],
    ['deploy <!subteam^S0123ABCD|qa>', 'deploy', '@qa'],
    ['deploy <!subteam^S0123ABCD>', 'deploy', '@S0123ABCD'],
    ['deploy <!here>', 'deploy', '@here'],
    ['deploy <!channel|@channel>', 'deploy', '@channel'],
    ['status\nabc', 'status', 'abc'],
    ['status `abc`', 'status', 'abc'],
    ['`status abc`', 'status', 'abc'],
    ['```status abc```', 'status', 'abc'],
    ['```\nstatus abc\n```', 'status', 'abc'],
    ['*status abc*', 'status', 'abc'],
    ['status *abc*', 'status', 'abc'],
    ['status _*abc*_', 'status', 'abc'],
    ['status ~abc~', 'status', 'abc'],
    ['status **abc**', 'status', 'abc'],
    ['status *`abc`*', 'status', 'abc'],
    ['status <https://app.example/d/abc|abc>', 'status', 'abc'],
    ['*status <http://abc.io|abc.io>*', 'status', 'abc.io'],
    ['deploy my_app v_1 --near=*Paris*', 'deploy', 'my_app v_1 --near=Paris'],
    ['deploy a v1 --near `New York`', 'deploy', 'a v1 --near "New York"'],
    ['deploy a v1 --near *New York* --tag qa', 'deploy', 'a v1 --near "New York" --tag qa'],
    ['deploy a v1 --near=*_New York_*', 'deploy', 'a v1 --near="New York"'],
    ['deploy a v1 —near *`New York`*', 'deploy', 'a v1 —near "New York"'],
    ['deploy a v1 --near *"New York"*', 'deploy', 'a v1 --near "New York"'],
    ['`deploy a v1` --near `Paris`', 'deploy', 'a v1 --near Paris'],
    ['Status: abc', 'status', 'abc'],
    ['tags abc add _private', 'tags', 'abc add _private'],
    ['tags abc add `_a_`', 'tags', 'abc add _a_'],
    ['tags abc add a*b*c', 'tags', 'abc add a*b*c'],
    ['tags abc add *', 'tags', 'abc add *'],
    ['/edgegap list', 'list', ''],
    ['/list', 'list', ''],
  ])('the text %j is read as the command %s with the arguments %j', async (text, command, args) => {
    const bot = await startBot();
    await bot.driver.slash('member', text);
    const { request } = await bot.invocation(1);
    expect(request).toEqual({ kind: 'command', command, args: { kind: 'text', text: args } });
  });
});
