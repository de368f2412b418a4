import { describe, expect, it } from 'vitest';
import { createSlackAdapter } from '../../../src/adapters/slack/adapter.ts';
import { createLog } from '../../../src/log.ts';
import { inboxOf } from '../../support/inbox.ts';
import { createSlackDriver } from '../../support/slack-driver.ts';
import type { SlackFault } from '../../support/slack-faults.ts';
import { TestClock, turn, until } from '../../support/test-clock.ts';
import { type Bot, slackConfig, startBot } from './harness.ts';

async function connectedAgain(bot: Bot, times: number): Promise<void> {
  await until(
    () => bot.driver.server.socket.greeted === times && bot.adapter.healthy(),
    `connection ${times}`,
  );
}

/** Makes Slack renew the connection after `age` milliseconds, and waits for these renewals. */
async function renewed(bot: Bot, times: number, age = 60_000): Promise<void> {
  await bot.clock.advance(age);
  const { pending } = bot.clock;
  bot.driver.server.socket.refresh('warning');
  await until(() => bot.clock.pending > pending, 'the next connection to be due');
  await bot.clock.advance(age < 10_000 ? 1000 : 0);
  await connectedAgain(bot, times);
}

/** Waits until the adapter closes the replaced connection, five seconds after the last request. */
async function leftAlone(bot: Bot): Promise<void> {
  const { socket } = bot.driver.server;
  await bot.clock.advance(4999);
  await turn();
  expect(socket.connections).toBe(2);
  await bot.clock.advance(1);
  await until(() => socket.connections === 1, 'the replaced connection to be left');
}

async function lost(bot: Bot): Promise<void> {
  await until(() => !bot.adapter.healthy(), 'the connection to be gone');
}

describe("Slack's Socket Mode", () => {
  it('in Socket Mode, a command is acknowledged with an empty payload once the invocation is stored', async () => {
    const stored = Promise.withResolvers<void>();
    const bot = await startBot({
      handle: async (invocation) => {
        await stored.promise;
        await invocation.acknowledge('private');
      },
    });
    const { acknowledged } = bot.driver.server.socket;
    const typed = bot.driver.slash('operator', 'deploy');
    await bot.invocation(1);
    expect(acknowledged).toEqual([]);
    stored.resolve();
    await typed;
    expect(acknowledged.map(({ payload }) => payload)).toEqual([{}]);
  });

  it('in Socket Mode, a command or mention that is still running after two seconds is acknowledged at that time', async () => {
    const bot = await startBot({ handle: () => new Promise(() => {}) });
    const { acknowledged } = bot.driver.server.socket;
    const mentioned = bot.driver.mention('operator', 'list');
    await bot.invocation(1);
    const typed = bot.driver.slash('operator', 'deploy');
    await bot.invocation(2);
    await bot.clock.advance(1999);
    expect(acknowledged).toEqual([]);
    await bot.clock.advance(1);
    await Promise.all([mentioned, typed]);
    expect(acknowledged.map(({ payload }) => payload)).toEqual([{}, {}]);
  });

  it('if the bot takes longer than two seconds to store an invocation, the acknowledgement on Slack waits for the store', async () => {
    const stored = Promise.withResolvers<void>();
    const bot = await startBot({
      handle: async ({ meanwhile }) => {
        meanwhile?.holdBack(stored.promise);
        await new Promise(() => {});
      },
    });
    const { acknowledged } = bot.driver.server.socket;
    const mentioned = bot.driver.mention('operator', 'deploy');
    await bot.invocation(1);
    const typed = bot.driver.slash('operator', 'deploy');
    const { meanwhile } = await bot.invocation(2);
    expect(meanwhile?.askerId).toBe(bot.driver.userIds.operator);
    await bot.clock.advance(2400);
    expect(acknowledged).toEqual([]);
    stored.resolve();
    await Promise.all([mentioned, typed]);
    expect(acknowledged).toHaveLength(2);
  });

  it('in Socket Mode, a mention is acknowledged as soon as the invocation is stored', async () => {
    const stored = Promise.withResolvers<void>();
    const bot = await startBot({
      handle: async (invocation) => {
        await stored.promise;
        await invocation.acknowledge('private');
        await new Promise(() => {});
      },
    });
    const { acknowledged } = bot.driver.server.socket;
    const mentioned = bot.driver.mention('operator', 'list');
    await bot.invocation(1);
    expect(acknowledged).toEqual([]);
    stored.resolve();
    await mentioned;
    expect(acknowledged).toHaveLength(1);
    await bot.adapter.stop();
  });

  it('when Slack disables a Socket Mode connection, the adapter reconnects at once', async () => {
    const bot = await startBot();
    await bot.clock.advance(60_000);
    bot.driver.server.socket.refresh('link_disabled');
    await lost(bot);
    await bot.clock.advance(0);
    await connectedAgain(bot, 2);
    await bot.driver.slash('operator', 'list');
    await bot.invocation(1);
  });

  it('each time a Slack connection breaks or cannot be opened, the adapter waits longer before the next attempt', async () => {
    const bot = await startBot();
    const { socket, faults } = bot.driver.server;
    faults.inject('apps.connections.open', { kind: 'status', status: 500, when: 'before' });
    faults.inject('apps.connections.open', { kind: 'rate-limit', retryAfter: 30 });
    socket.drop();
    await lost(bot);
    for (const wait of [1000, 2000, 30_000]) {
      await until(() => bot.clock.pending === 1, 'a reconnect to wait for');
      await bot.clock.advance(wait - 1);
      expect(bot.clock.pending).toBe(1);
      await bot.clock.advance(1);
    }
    await connectedAgain(bot, 2);
  });

  it('if Slack sends no hello on a new connection, the adapter closes this connection and opens another connection', async () => {
    const bot = await startBot();
    const { socket } = bot.driver.server;
    await bot.clock.advance(60_000);
    socket.silent = 1;
    socket.drop();
    await lost(bot);
    await bot.clock.advance(0);
    await until(() => socket.connections === 1, 'a connection');
    await bot.clock.advance(20_000);
    await until(() => bot.logLines.some((logLine) => logLine.includes('sent nothing')), 'giving it up');
    await until(() => bot.clock.pending === 1, 'a reconnect to wait for');
    await bot.clock.advance(1000);
    await connectedAgain(bot, 2);
  });

  it('a stopped Slack adapter does not reconnect', async () => {
    const bot = await startBot();
    await bot.adapter.stop();
    expect(bot.adapter.healthy()).toBe(false);
    await until(() => bot.driver.server.socket.connections === 0);
    await bot.clock.advance(120_000);
    expect(bot.driver.server.socket.greeted).toBe(1);
  });

  it('a stopping Slack adapter acknowledges received commands before closing the connection', async () => {
    const stored = Promise.withResolvers<void>();
    const bot = await startBot({
      handle: async (invocation) => {
        await stored.promise;
        await invocation.acknowledge('private');
      },
    });
    const { socket } = bot.driver.server;
    const delivered = bot.driver.slash('operator', 'list');
    await bot.invocation(1);
    const stopped = bot.adapter.stop();
    await turn();
    expect(socket.connections).toBe(1);
    stored.resolve();
    await delivered;
    await stopped;
    await until(() => socket.connections === 0, 'the end of the connection');
  });

  it('the Slack adapter keeps working after the handler of a command has failed', async () => {
    const bot = await startBot({ handle: () => Promise.reject(new Error('broken handler')) });
    await bot.driver.slash('operator', 'list');
    await bot.driver.slash('operator', 'list');
    await bot.invocation(2);
    await until(() => bot.logLines.some((logLine) => logLine.includes('broken handler')));
  });
});

describe('a renewal of the Socket Mode connection', () => {
  it.each(['warning', 'refresh_requested'] as const)(
    'while a Slack connection is renewed (%s), commands arrive on the old and the new connection, and each command runs once',
    async (reason) => {
      const bot = await startBot();
      const { socket } = bot.driver.server;
      await bot.clock.advance(60_000);
      socket.refresh(reason);
      await until(() => bot.clock.pending === 1, 'the next connection to be due');
      await bot.driver.slash('operator', 'before');
      await bot.clock.advance(0);
      await connectedAgain(bot, 2);
      expect(socket.connections).toBe(2);
      socket.route = 'oldest';
      await bot.driver.slash('operator', 'old');
      socket.route = 'newest';
      await bot.driver.slash('operator', 'new');
      await leftAlone(bot);
      await bot.driver.slash('operator', 'after');
      expect(bot.invocations.map(({ request }) => request)).toMatchObject(
        ['before', 'old', 'new', 'after'].map((command) => ({ command })),
      );
      expect(socket.acknowledged).toHaveLength(4);
    },
  );

  it('after a renewal, the old Slack connection stays open as long as Slack sends requests on that connection', async () => {
    const bot = await startBot({ handle: () => new Promise(() => {}) });
    const { socket } = bot.driver.server;
    await renewed(bot, 2);
    socket.route = 'oldest';
    for (let number = 1; number <= 3; number++) {
      await bot.clock.advance(2900);
      const delivered = bot.driver.slash('operator', 'list');
      await bot.invocation(number);
      // The acknowledgement is due after two seconds.
      await bot.clock.advance(2000);
      await delivered;
    }
    expect(socket.connections).toBe(2);
    await bot.clock.advance(3000);
    await until(() => socket.connections === 1, 'the replaced connection to be left');
  });

  it('after twenty quick renewals of the Slack connection, only one connection remains', async () => {
    const bot = await startBot();
    const { socket } = bot.driver.server;
    for (let times = 2; times <= 21; times++) {
      await renewed(bot, times, times % 2 === 0 ? 60_000 : 1000);
      await until(() => socket.connections <= 2, 'two connections at most');
    }
    await leftAlone(bot);
    expect(bot.adapter.healthy()).toBe(true);
  });

  it('if the renewal of a Slack connection fails, the adapter tries again, and the old connection keeps working', async () => {
    const bot = await startBot();
    const { socket, faults } = bot.driver.server;
    faults.inject('apps.connections.open', { kind: 'status', status: 500, when: 'before' });
    await bot.clock.advance(60_000);
    socket.refresh('warning');
    await until(() => bot.clock.pending === 1, 'the next connection to be due');
    await bot.clock.advance(0);
    await until(() => bot.logLines.some((logLine) => logLine.includes('cannot connect')), 'the failure');
    expect(bot.adapter.healthy()).toBe(true);
    await bot.driver.slash('operator', 'list');
    await until(() => bot.clock.pending === 1, 'another attempt to wait for');
    await bot.clock.advance(1000);
    await connectedAgain(bot, 2);
    await leftAlone(bot);
  });

  it('if Slack closes a connection whose renewal got a 429, the adapter still waits as long as Slack asked', async () => {
    const bot = await startBot();
    const { socket, faults } = bot.driver.server;
    faults.inject('apps.connections.open', { kind: 'rate-limit', retryAfter: 30 });
    await bot.clock.advance(60_000);
    socket.refresh('warning');
    await until(() => bot.clock.pending === 1, 'the next connection to be due');
    await bot.clock.advance(0);
    await until(() => bot.clock.pending === 1, 'another attempt to wait for');
    socket.end();
    await lost(bot);
    await bot.clock.advance(29_999);
    expect(socket.greeted).toBe(1);
    await bot.clock.advance(1);
    await connectedAgain(bot, 2);
  });

  it.each([
    ["waits for Slack's answer", { kind: 'slow', ms: 50 }, 0],
    ["waits for Slack's hello", undefined, 1],
  ] satisfies [string, SlackFault | undefined, number][])(
    'if the bot stops while the renewal of a Slack connection %s, all connections are closed',
    async (_, fault, silent) => {
      const bot = await startBot();
      const { socket, faults, requests } = bot.driver.server;
      if (fault) faults.inject('apps.connections.open', fault);
      socket.silent = silent;
      await bot.clock.advance(60_000);
      socket.refresh('warning');
      await until(() => bot.clock.pending === 1, 'the next connection to be due');
      await bot.clock.advance(0);
      const asked = () => requests.filter(({ method }) => method === 'apps.connections.open').length;
      await until(() => (fault ? asked() === 2 : socket.connections === 2), 'the renewal');
      await bot.adapter.stop();
      await until(() => socket.connections === 0, 'the end of all connections');
      await bot.clock.advance(60_000);
      expect(socket.connections).toBe(0);
      expect(bot.adapter.healthy()).toBe(false);
    },
  );

  it('if the bot stops shortly after the renewal of a Slack connection, both connections are closed', async () => {
    const bot = await startBot();
    const { socket } = bot.driver.server;
    await renewed(bot, 2);
    await bot.adapter.stop();
    await until(() => socket.connections === 0, 'the end of both connections');
  });
});

describe('the start in Socket Mode', () => {
  it.each([
    [
      'auth.test',
      { kind: 'error', error: 'invalid_auth' },
      /^SLACK_BOT_TOKEN is not accepted by Slack \(invalid_auth\): copy/,
    ],
    [
      'auth.test',
      { kind: 'error', error: 'account_inactive' },
      /^SLACK_BOT_TOKEN is no longer valid \(account_inactive\)/,
    ],
    [
      'apps.connections.open',
      { kind: 'error', error: 'invalid_auth' },
      /^SLACK_APP_TOKEN is not accepted by Slack/,
    ],
    ['apps.connections.open', { kind: 'error', error: 'missing_scope' }, /^SLACK_APP_TOKEN lacks a scope/],
    [
      'apps.connections.open',
      { kind: 'error', error: 'not_allowed_token_type' },
      /^SLACK_APP_TOKEN is a token of another kind/,
    ],
  ] satisfies [string, SlackFault, RegExp][])(
    'if %s answers %j, the start fails and names the wrong setting',
    async (method, fault, problem) => {
      const start = startBot({ prepare: ({ server }) => server.faults.inject(method, fault) });
      await expect(start).rejects.toMatchObject({
        name: 'ConfigError',
        problems: [expect.stringMatching(problem)],
      });
    },
  );

  it('the start warns of scopes that the Slack app does not have', async () => {
    const bot = await startBot({ prepare: ({ server }) => void server.web.withoutScopes.add('files:write') });
    expect(bot.logLines.join('')).toContain(
      '"missing":["files:write: the bot cannot attach logs and charts"]',
    );
  });

  it('the Slack adapter uses each token for the right methods and logs no token', async () => {
    const bot = await startBot();
    await bot.driver.slash('operator', 'list');
    await bot.invocation(1);
    expect(bot.driver.server.requests.map(({ method, token }) => [method, token])).toEqual([
      ['auth.test', bot.driver.environment.SLACK_BOT_TOKEN],
      ['apps.connections.open', bot.driver.environment.SLACK_APP_TOKEN],
    ]);
    expect(bot.logLines.join('')).not.toMatch(/xox|xapp/);
  });

  it('if Slack is unreachable, the start of the Slack adapter fails with a plain message', async () => {
    const driver = await createSlackDriver({ mode: 'socket' });
    const logLines: string[] = [];
    const log = createLog({
      level: 'info',
      secrets: [],
      destination: { write: (written) => void logLines.push(written) },
    });
    const config = slackConfig(driver.environment);
    const adapter = createSlackAdapter({
      config,
      clock: new TestClock(),
      log,
    });
    expect(adapter.healthy()).toBe(false);
    await driver.close();
    await expect(adapter.start(inboxOf(async () => {}))).rejects.toMatchObject({
      code: 'slack-unreachable',
      userMessage: 'I cannot reach Slack (ECONNREFUSED).',
      hint: expect.stringContaining('https://slack-status.com'),
    });
    expect(logLines).toEqual([]);
  });
});
