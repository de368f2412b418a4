import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { textFile } from '../../../src/chat/card.ts';
import { DeliveryError } from '../../../src/errors.ts';
import { groupIds } from '../../support/discord-driver.ts';
import { allowedToPost, ids, permissions } from '../../support/discord-world.ts';
import { until } from '../../support/test-clock.ts';
import { card, confirmButtons, type Harness, here, line, startHarness } from './harness.ts';

let bot: Harness;
beforeEach(async () => {
  bot = await startHarness();
});
afterEach(async () => {
  await bot.close();
  expect(bot.driver.server.violations).toEqual([]);
});

describe('commands from Discord', () => {
  test('the bot receives a Discord command once, with each option in its type and with the id from Discord', async () => {
    bot.handle = (invocation) => invocation.acknowledge('public');
    await bot.driver.command('operator', 'logs', { deployment: 'abc', lines: 20, crash: true });
    expect(bot.invocations).toHaveLength(1);
    const { request, at, id } = bot.last();
    expect(request).toEqual({
      kind: 'command',
      command: 'logs',
      args: { kind: 'values', values: { deployment: 'abc', lines: 20, crash: true } },
    });
    expect(at).toEqual(here);
    expect(id).toMatch(/^\d{17,20}$/);
  });

  test('a public answer on Discord appears first as “thinking”, then with its content, and is then replaced by the next answer', async () => {
    bot.handle = async (invocation) => {
      await invocation.acknowledge('public');
      await invocation.respond(card('Working'));
      await invocation.respond(card('Done'));
    };
    await bot.driver.command('operator', 'list');
    const [message] = await until(async () => {
      const messages = await bot.driver.channel();
      return messages[0]?.edits === 1 ? messages : undefined;
    });
    expect(message).toMatchObject({ text: '### Done', edits: 1 });
    expect(await bot.driver.privately('operator')).toEqual([]);
    expect(bot.driver.server.requests.filter(({ path }) => path.startsWith('/channels'))).toEqual([]);
  });

  test('a private answer on Discord is visible only to the person who asked', async () => {
    bot.handle = async (invocation) => {
      await invocation.acknowledge('private');
      await invocation.respond(card('For you'));
    };
    await bot.driver.command('operator', 'help');
    await until(async () => (await bot.driver.privately('operator')).length === 1);
    expect(await bot.driver.channel()).toEqual([]);
    expect(await bot.driver.privately('member')).toEqual([]);
  });

  test('a refusal on Discord is the first response to the command and is private', async () => {
    bot.handle = (invocation) => invocation.refuse(card('Not allowed', [], { tone: 'danger' }));
    await bot.driver.command('member', 'stop');
    expect(await bot.driver.privately('member')).toMatchObject([{ text: '### Not allowed' }]);
    expect(await bot.driver.channel()).toEqual([]);
    expect(bot.driver.server.requests.filter(({ path }) => path.includes('/callback'))).toHaveLength(1);
  });

  test('if the handler of a Discord command throws an error, the error is logged', async () => {
    bot.handle = async (invocation) => {
      await invocation.acknowledge('public');
      throw new Error('a bug');
    };
    await bot.driver.command('operator', 'list');
    await until(() => bot.logLines.some(({ msg }) => msg === 'an interaction could not be handled'));
  });
});

describe('the person who made an interaction', () => {
  const personOf = async (persona: Parameters<typeof bot.driver.command>[0]) => {
    bot.handle = (invocation) => invocation.refuse(line('no'));
    await bot.driver.command(persona, 'list');
    return bot.last().person('fresh');
  };

  test('a Discord interaction contains the roles and permissions of the person', async () => {
    expect(await personOf('operator')).toMatchObject({
      name: 'Olga',
      home: true,
      admin: false,
      guest: false,
    });
    expect((await personOf('operator')).groups).toContain(groupIds.operators);
    expect(await personOf('admin')).toMatchObject({ home: true, admin: true, groups: [] });
    expect(await personOf('guest')).toMatchObject({ home: true, admin: false, groups: [] });
  });

  test('after a person loses a Discord role, the next interaction no longer contains that role', async () => {
    expect((await personOf('operator')).groups).toContain(groupIds.operators);
    await bot.driver.regroup('operator', []);
    expect((await personOf('operator')).groups).toEqual([]);
  });

  test("a person with Discord's Administrator permission counts as a person with Manage Server", async () => {
    bot.driver.user('member').permissions = permissions.administrator;
    expect((await personOf('member')).admin).toBe(true);
  });

  test('permissions in a Discord server that is not configured are ignored', async () => {
    expect(await personOf('stranger')).toMatchObject({ home: false, admin: false, groups: [] });
    expect(bot.last().at.workspace).toBe(ids.foreignGuild);
  });

  test('a command in a Discord direct message belongs to no server', async () => {
    expect(await personOf('elsewhere')).toMatchObject({ home: false, admin: false, groups: [] });
    expect(bot.last().at).toMatchObject({ workspace: '@me', channel: ids.directChannel });
    expect(await bot.driver.privately('elsewhere')).toHaveLength(1);
  });
});

describe('buttons on Discord', () => {
  async function ask(mode: 'public' | 'private'): Promise<void> {
    bot.handle = async (invocation) => {
      await invocation.acknowledge(mode);
      await invocation.respond(card('Stop abc?', [confirmButtons]));
    };
    await bot.driver.command('operator', 'stop');
    await until(
      async () =>
        (mode === 'public' ? await bot.driver.channel() : await bot.driver.privately('operator')).length ===
        1,
    );
  }

  test('an invocation from a Discord button names the action of the button and the message with the button', async () => {
    await ask('public');
    bot.handle = (invocation) => invocation.acknowledge('update');
    await bot.driver.press('operator', 'Stop it');
    const [message] = await bot.driver.channel();
    expect(bot.last().request).toEqual({
      kind: 'action',
      action: { command: 'stop', action: 'confirm', arg: 'abc' },
      chosen: [],
      source: { ...here, message: String(message?.id) },
    });
  });

  test('if a press was acknowledged as "update", the answer replaces the message with the button', async () => {
    await ask('public');
    bot.handle = async (invocation) => {
      await invocation.acknowledge('update');
      await invocation.respond(line('Kept'));
    };
    await bot.driver.press('operator', 'Keep it');
    const [message, ...others] = await until(async () => {
      const messages = await bot.driver.channel();
      return messages[0]?.edits === 1 ? messages : undefined;
    });
    expect(message).toMatchObject({ text: 'Kept', buttons: [] });
    expect(others).toEqual([]);
  });

  test.each(['public', 'private', 'update'] as const)(
    'if a press was acknowledged as "%s", respondPrivately reaches the person and leaves the message unchanged',
    async (mode) => {
      bot.handle = async (invocation) => {
        await invocation.acknowledge('public');
        await invocation.respond(card('For all', [confirmButtons]));
      };
      await bot.driver.command('operator', 'stop');
      await until(async () => (await bot.driver.channel())[0]?.text.includes('For all'), 'the card');
      const done = Promise.withResolvers<void>();
      bot.handle = async (invocation) => {
        await invocation.acknowledge(mode);
        await invocation.respondPrivately(card('For you'));
        done.resolve();
      };
      await bot.driver.press('admin', 'Stop it');
      await done.promise;
      expect((await bot.driver.channel())[0]?.text).toContain('For all');
      expect((await bot.driver.privately('admin')).map(({ text }) => text)).toContain('### For you');
      expect((await bot.driver.channel()).map(({ text }) => text)).not.toContain('### For you');
      const followUp = bot.driver.server.requests.findLast(({ method }) => method === 'POST');
      expect(followUp).toMatchObject({
        path: expect.stringMatching(/^\/webhooks\//),
        body: { flags: 32_832 },
      });
    },
  );

  const rejected = { status: 400, body: { code: 50035, message: 'Invalid Form Body' } };
  test.each([
    ['deleted', [], []],
    [
      'filled with a line that reveals nothing',
      [{ on: /^DELETE \/webhooks/, answer: rejected }],
      ['Only the person who asked can see this answer.'],
    ],
    [
      'left alone if a person has already deleted that message',
      [
        {
          on: /^DELETE \/webhooks/,
          answer: { status: 404, body: { code: 10008, message: 'Gone' } },
          afterEffect: true,
        },
      ],
      [],
    ],
  ] as const)(
    'if Discord refuses a public answer, the answer is given privately, and the "thinking" message is %s',
    async (_, faults, left) => {
      const { server } = bot.driver;
      server.fault({ on: /^PATCH \/webhooks/, answer: rejected });
      for (const fault of faults) server.fault(fault);
      const done = Promise.withResolvers<void>();
      bot.handle = async (invocation) => {
        await invocation.acknowledge('public');
        await invocation
          .respond(line('For all'))
          .catch(() => invocation.respondPrivately(line('For you')))
          .then(done.resolve, done.reject);
      };
      await bot.driver.command('operator', 'stop');
      await done.promise;
      expect((await bot.driver.channel()).map(({ text }) => text)).toEqual(left);
      expect((await bot.driver.privately('operator')).map(({ text }) => text)).toEqual(['For you']);
      expect(await bot.driver.privately('member')).toEqual([]);
      expect(server.rest.messages.all()).toHaveLength(1 + left.length);
    },
  );

  test('a private Discord message can be edited later only through a press of its own button', async () => {
    await ask('private');
    bot.handle = async (invocation) => {
      await invocation.acknowledge('update');
      await invocation.respond(line('Kept'));
    };
    await bot.driver.press('operator', 'Keep it');
    await until(async () => (await bot.driver.privately('operator'))[0]?.text === 'Kept');
    expect(bot.last().request).toMatchObject({ source: undefined });
  });

  test.each(['public', 'private'] as const)(
    "a press of a button in a %s message is handled although Discord's answer to the acknowledgement is lost",
    async (mode) => {
      await ask(mode);
      bot.handle = async (invocation) => {
        await invocation.acknowledge('update');
        await invocation.respond(line('Kept'));
      };
      bot.driver.server.fault({ on: /callback/, afterEffect: true, answer: 'reset' });
      await bot.driver.press('operator', 'Keep it');
      const shown = () => (mode === 'public' ? bot.driver.channel() : bot.driver.privately('operator'));
      await until(async () => (await shown())[0]?.text === 'Kept');
      expect(await shown()).toHaveLength(1);
    },
  );

  test('if another copy of the bot has already refused a press, the message with the button stays unchanged', async () => {
    await ask('public');
    const refused = { type: 4, data: { content: 'I did nothing.', flags: 64 } };
    let error: unknown;
    bot.handle = async (invocation) => {
      const { rest } = bot.driver.server;
      bot.driver.server.fault({ on: /callback/, answer: 'reset' });
      rest.interactions.callback(invocation.id, `token-of-${invocation.id}`, refused, []);
      error = await invocation.acknowledge('update').catch((thrown) => thrown);
    };
    await bot.driver.press('operator', 'Stop it');
    await until(() => error !== undefined);
    expect(error).toMatchObject({ code: 'discord-answered-elsewhere' });
    expect(await bot.driver.channel()).toMatchObject([{ edits: 0 }]);
  });

  test('a press of a Discord button can be answered with a separate message', async () => {
    await ask('private');
    bot.handle = async (invocation) => {
      await invocation.acknowledge('update');
      const posted = await invocation.postCard(card('Deploying'));
      await bot.adapter.edit(posted, card('Ready'));
      await invocation.respond(line('See below'));
    };
    await bot.driver.press('operator', 'Stop it');
    await until(async () => (await bot.driver.privately('operator'))[0]?.text === 'See below');
    expect(await bot.driver.channel()).toMatchObject([{ text: '### Ready', edits: 1 }]);
  });

  test('a press on a button from an older version of the bot reaches the handler', async () => {
    bot.handle = (invocation) => invocation.refuse(line('That is old'));
    for (const action of ['gone', 'constructor']) {
      await bot.adapter.post(here, {
        key: `k-${action}`,
        message: card('Old', [
          {
            kind: 'buttons',
            buttons: [{ label: action, style: 'primary', action: { command: 'stop', action, arg: '' } }],
          },
        ]),
      });
      await bot.driver.press('operator', action);
    }
    const answers = await bot.driver.privately('operator');
    expect(answers.map(({ text }) => text)).toEqual(['That is old', 'That is old']);
    expect(bot.invocations.map(({ request }) => request.kind === 'action' && request.action?.action)).toEqual(
      ['gone', 'constructor'],
    );
  });
});

describe('posting a card as the answer', () => {
  test("after the interaction's token has expired, a posted card is edited with the bot's own token", async () => {
    bot.handle = async (invocation) => {
      await invocation.acknowledge('public');
      await invocation.postCard(card('Deploying'));
    };
    await bot.driver.command('operator', 'deploy');
    const [message] = await until(async () => {
      const messages = await bot.driver.channel();
      return messages.length > 0 ? messages : undefined;
    });
    bot.driver.server.rest.interactions.expireTokens();
    await bot.adapter.edit({ ...here, message: String(message?.id) }, card('Ready'));
    expect(await bot.driver.channel()).toMatchObject([{ text: '### Ready' }]);
  });

  const lacking = [
    [permissions.viewChannel, 0, 'View Channel'],
    [permissions.sendMessages, 0, 'Send Messages'],
    [permissions.readMessageHistory, 0, 'Read Message History'],
    [permissions.attachFiles, 0, 'Attach Files'],
    [permissions.sendMessagesInThreads, 11, 'Send Messages in Threads'],
    [permissions.sendMessages | permissions.readMessageHistory, 0, 'Send Messages, Read Message History'],
  ] as const;
  test.each(lacking)(
    'if the bot lacks permissions in a channel, posting a card fails and names those permissions: %# %s',
    async (bits, channelType, names) => {
      bot.driver.server.rest.botPermissions = allowedToPost & ~bits;
      bot.driver.server.channelType = channelType;
      let caught: unknown;
      bot.handle = async (invocation) => {
        await invocation.acknowledge('public');
        await invocation
          .postCard(card('Deploying', [], { files: [textFile('a.txt', 'a')] }))
          .catch((error: unknown) => {
            caught = error;
          });
      };
      await bot.driver.command('operator', 'deploy');
      const error = (await until(() => caught)) as DeliveryError;
      expect(error).toBeInstanceOf(DeliveryError);
      expect(error).toMatchObject({
        code: 'discord-missing-permissions',
        outcome: 'not-sent',
        retryable: false,
      });
      expect(error.hint).toContain(`allow me: ${names}.`);
      expect(await bot.driver.channel()).toEqual([]);
    },
  );

  test('the bot can post a card in a thread without the permission Send Messages', async () => {
    bot.driver.server.rest.botPermissions = allowedToPost & ~permissions.sendMessages;
    bot.driver.server.channelType = 11;
    bot.handle = async (invocation) => {
      await invocation.acknowledge('public');
      await invocation.postCard(card('Deploying'));
    };
    await bot.driver.command('operator', 'deploy');
    await until(async () => (await bot.driver.channel()).length === 1);
  });
});

describe('late and lost acknowledgements', () => {
  /** The result or the error of the handler's call. */
  async function outcomeOf(
    run: (invocation: Harness['invocations'][number]) => Promise<unknown>,
  ): Promise<unknown> {
    let outcome: { error?: unknown } | undefined;
    bot.handle = async (invocation) => {
      try {
        await run(invocation);
        outcome = {};
      } catch (error) {
        outcome = { error };
      }
    };
    bot.driver.server.command(bot.driver.user('operator'), 'list', []);
    return (await until(() => outcome)).error;
  }

  test('an acknowledgement after more than three seconds fails, so the command does not run', async () => {
    const error = await outcomeOf(async (invocation) => {
      await bot.clock.advance(3001);
      await invocation.acknowledge('public');
    });
    expect(error).toMatchObject({ code: 'discord-too-late', outcome: 'not-sent' });
  });

  test('an acknowledgement fails if another copy of the bot has already acknowledged the command', async () => {
    const error = await outcomeOf(async (invocation) => {
      bot.driver.server.rest.interactions.callback(
        invocation.id,
        `token-of-${invocation.id}`,
        { type: 5 },
        [],
      );
      await invocation.acknowledge('public');
    });
    expect(error).toMatchObject({ code: 'discord-answered-elsewhere' });
  });

  test("if Discord's answer to an acknowledgement is lost, the acknowledgement still counts as given", async () => {
    for (const answer of ['reset', { status: 502 }] as const)
      for (const mode of ['public', 'private'] as const) {
        bot.driver.server.fault({ on: /callback/, afterEffect: true, answer });
        expect(await outcomeOf((invocation) => invocation.acknowledge(mode))).toBeUndefined();
      }
  });

  test('if another copy of the bot has refused a command, an acknowledgement whose confirmation was lost fails', async () => {
    const refused = { type: 4, data: { content: 'I did nothing.', flags: 64 } };
    const error = await outcomeOf(async (invocation) => {
      const { rest } = bot.driver.server;
      bot.driver.server.fault({ on: /callback/, answer: 'reset' });
      rest.interactions.callback(invocation.id, `token-of-${invocation.id}`, refused, []);
      await invocation.acknowledge('public');
    });
    expect(error).toMatchObject({ code: 'discord-answered-elsewhere' });
    expect(await bot.driver.channel()).toEqual([]);
  });

  test('an acknowledgement that does not reach Discord is sent once more, and fails if the second attempt is also lost', async () => {
    bot.driver.server.fault({ on: /callback/, answer: 'reset' });
    expect(await outcomeOf((invocation) => invocation.acknowledge('public'))).toBeUndefined();
    bot.driver.server.fault({ on: /callback/, answer: 'reset', times: 2 });
    expect(await outcomeOf((invocation) => invocation.acknowledge('public'))).toMatchObject({
      code: 'discord-unreachable',
      outcome: 'unknown',
    });
  });

  test("after the interaction's token has expired, a public answer is posted in the channel and edited there", async () => {
    const error = await outcomeOf(async (invocation) => {
      await invocation.acknowledge('public');
      bot.driver.server.rest.interactions.expireTokens();
      await invocation.respond(line('Done'));
      await invocation.respond(line('Really done'));
    });
    expect(error).toBeUndefined();
    expect(await bot.driver.channel()).toMatchObject([
      { text: '<@500000000000000006>\\: `list`\\: Really done', edits: 1 },
    ]);
  });

  test("after 15 minutes, a public answer is edited with the bot's own token, without trying the expired token", async () => {
    const error = await outcomeOf(async (invocation) => {
      await invocation.acknowledge('public');
      await invocation.respond(line('Working'));
      await bot.clock.advance(15 * 60_000);
      await invocation.respond(line('Done'));
    });
    expect(error).toBeUndefined();
    expect(await bot.driver.channel()).toMatchObject([{ text: 'Done', edits: 1 }]);
    expect(bot.driver.server.requests.filter(({ path }) => path.startsWith('/webhooks'))).toHaveLength(1);
  });

  test("a private answer is not made public when the interaction's token has expired", async () => {
    const error = await outcomeOf(async (invocation) => {
      await invocation.acknowledge('private');
      bot.driver.server.rest.interactions.expireTokens();
      await invocation.respond(line('Secret'));
    });
    expect(error).toMatchObject({ code: 'discord-answer-expired', outcome: 'not-sent' });
    expect(await bot.driver.channel()).toEqual([]);
  });
});
