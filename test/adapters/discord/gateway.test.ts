import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Invocation } from '../../../src/chat/port.ts';
import { AppError, ConfigError } from '../../../src/errors.ts';
import { createDiscordDriver, type DiscordDriver } from '../../support/discord-driver.ts';
import { ids } from '../../support/discord-world.ts';
import { inboxOf } from '../../support/inbox.ts';
import { TestClock, until } from '../../support/test-clock.ts';
import { adapterFor, type Harness, here, line, startHarness } from './harness.ts';

describe('a connected gateway', () => {
  let bot: Harness;
  afterEach(async () => {
    await bot.close();
    expect(bot.driver.server.violations).toEqual([]);
  });

  test('the gateway asks Discord for the Guilds intent and no other intent', async () => {
    bot = await startHarness();
    expect(bot.driver.server.gateway.identifies).toEqual([{ intents: 1 }]);
    expect(bot.adapter.healthy()).toBe(true);
  });

  test('after a lost connection, the bot resumes its gateway session and receives the command that it missed', async () => {
    bot = await startHarness();
    bot.handle = (invocation) => invocation.acknowledge('public');
    bot.driver.server.gateway.drop();
    await until(() => !bot.adapter.healthy(), 'the loss to be noticed');
    await bot.driver.command('operator', 'list');
    expect(bot.invocations).toHaveLength(1);
    expect(bot.driver.server.gateway).toMatchObject({ resumes: 1, identifies: [{ intents: 1 }] });
    await until(() => bot.adapter.healthy(), 'health again');
    const lines = bot.logLines.map(({ msg }) => msg);
    expect(lines).toContain('Discord gateway lost, reconnecting');
    expect(lines).toContain('Discord gateway resumed');
  });

  test('the bot resumes its gateway session when Discord asks for a reconnect', async () => {
    bot = await startHarness();
    bot.driver.server.gateway.askToReconnect();
    await until(() => bot.driver.server.gateway.resumes === 1, 'a resume');
  });

  test('if Discord has forgotten the gateway session, the bot starts a new session', async () => {
    bot = await startHarness();
    bot.handle = (invocation) => invocation.refuse(line('no'));
    bot.driver.server.gateway.forgetSession = true;
    bot.driver.server.gateway.drop();
    await until(() => bot.driver.server.gateway.identifies.length === 2, 'a second IDENTIFY', 15_000);
    await until(() => bot.adapter.healthy(), 'health again');
    await bot.driver.command('operator', 'list');
    expect(bot.invocations).toHaveLength(1);
  });

  describe('the gateway session in another process', () => {
    const acknowledge = (invocation: Invocation) => invocation.acknowledge('public');
    const next = () => {
      const adapter = adapterFor(bot.driver, bot.clock);
      onTestFinished(() => adapter.close());
      return adapter;
    };

    test('a second process resumes the gateway session of a stopped process and receives the missed command', async () => {
      bot = await startHarness();
      await bot.adapter.stop();
      await until(() => !bot.driver.server.gateway.connected, 'the end of the connection');
      const asked = bot.driver.command('operator', 'list');
      await next().start(inboxOf(acknowledge), undefined, bot.adapter.bookmark?.());
      await asked;
      expect(bot.driver.server.gateway).toMatchObject({
        resumes: 1,
        mostAtOnce: 1,
        identifies: [{ intents: 1 }],
      });
    });

    test('a second process resumes the gateway session of a process that could not reconnect', async () => {
      bot = await startHarness();
      const { gateway } = bot.driver.server;
      // After every code that is not final, the adapter keeps trying.
      gateway.refuseWith = 4000;
      gateway.drop();
      await until(() => !bot.adapter.healthy(), 'the loss to be noticed');
      await bot.adapter.stop();
      await until(() => !gateway.connected, 'the end of the connection');
      gateway.refuseWith = undefined;
      const asked = bot.driver.command('operator', 'list');
      await next().start(inboxOf(acknowledge), undefined, bot.adapter.bookmark?.());
      await asked;
      expect(gateway).toMatchObject({ resumes: 1, identifies: [{ intents: 1 }] });
    });

    test('a second process starts a new session if Discord forgot the old session, or if that session belongs to another bot', async () => {
      bot = await startHarness();
      const { gateway } = bot.driver.server;
      await bot.adapter.stop();
      gateway.forgetSession = true;
      const second = next();
      await second.start(inboxOf(acknowledge), undefined, bot.adapter.bookmark?.());
      expect(gateway).toMatchObject({ resumes: 0, identifies: [{}, {}] });
      await second.stop();
      const elsewhere = JSON.stringify({ ...JSON.parse(second.bookmark?.() ?? ''), bot: '1' });
      await next().start(inboxOf(acknowledge), undefined, elsewhere);
      expect(gateway).toMatchObject({ resumes: 0, identifies: [{}, {}, {}] });
    });
  });

  test.each([4004, 4010, 4011, 4012, 4013, 4014])(
    'if Discord closes the gateway connection permanently (code %i), the bot reports this once, in plain words',
    async (code) => {
      bot = await startHarness();
      await bot.adapter.stop();
      const lost: AppError[] = [];
      const adapter = adapterFor(bot.driver, bot.clock);
      onTestFinished(() => adapter.close());
      await adapter.start(
        inboxOf(async () => undefined),
        (error) => void lost.push(error),
      );
      bot.driver.server.gateway.end(code);
      await until(() => lost.length > 0, 'the end to be told');
      expect(lost.map(({ userMessage }) => userMessage)).toEqual([
        code === 4004
          ? expect.stringContaining('DISCORD_TOKEN is not accepted')
          : expect.stringContaining(`for good (code ${code})`),
      ]);
      expect(adapter.healthy()).toBe(false);
      expect(bot.driver.server.gateway.identifies).toHaveLength(2);
    },
  );

  test('the log warns of a configured Discord server without the bot, and of an unconfigured server with the bot', async () => {
    bot = await startHarness({ DISCORD_GUILDS: `${ids.guild},299999999999999999` });
    const warnings = bot.logLines.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([
      { guild: '299999999999999999', msg: expect.stringContaining('is not in this server') },
      { guild: ids.foreignGuild, msg: expect.stringContaining('everyone there is refused') },
    ]);
  });

  test('after the Discord adapter has closed, a post fails, and the error says that the message was not sent', async () => {
    bot = await startHarness();
    await bot.adapter.close();
    expect(bot.adapter.healthy()).toBe(false);
    await expect(bot.adapter.post(here, { key: 'k', message: line('x') })).rejects.toMatchObject({
      code: 'discord-stopped',
      outcome: 'not-sent',
      retryable: true,
    });
  });
});

describe('a gateway that refuses the bot', () => {
  let driver: DiscordDriver;
  afterEach(() => driver.close());

  async function failure(environment: Record<string, string> = {}): Promise<AppError> {
    const adapter = adapterFor(driver, new TestClock(), environment);
    const error: unknown = await adapter.start(inboxOf(async () => {})).catch((caught: unknown) => caught);
    expect(adapter.healthy()).toBe(false);
    await adapter.close();
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  }

  test('a Discord token that is wrong is reported as a wrong setting', async () => {
    driver = await createDiscordDriver();
    const error = await failure({ DISCORD_TOKEN: 'wrong' });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.userMessage).toContain('DISCORD_TOKEN is not accepted by Discord');
  });

  test('a Discord token that is refused only by the gateway is reported as a wrong setting', async () => {
    driver = await createDiscordDriver();
    driver.server.gateway.refuseWith = 4004;
    expect((await failure()).userMessage).toContain('DISCORD_TOKEN is not accepted by Discord');
  });

  test.each([4013, 4014])(
    "if Discord does not allow the bot's gateway intents (code %i), the start fails with that reason",
    async (code) => {
      driver = await createDiscordDriver();
      driver.server.gateway.refuseWith = code;
      expect(await failure()).toMatchObject({ code: 'discord-intents' });
    },
  );

  test('if Discord allows no more logins today, the start fails and says when the limit is reset', async () => {
    driver = await createDiscordDriver();
    driver.server.rest.sessionsLeft = 0;
    expect(await failure()).toMatchObject({
      code: 'discord-sessions',
      hint: expect.stringMatching(/resets at \d{4}-/),
    });
  });

  test("if no server answers at the address of Discord's API, the start fails and names the address", async () => {
    driver = await createDiscordDriver();
    expect(await failure({ DISCORD_API_URL: 'http://127.0.0.1:9/api' })).toMatchObject({
      code: 'discord-unreachable',
      userMessage: 'Discord cannot be reached (ECONNREFUSED).',
      hint: expect.stringContaining('DISCORD_API_URL is http://127.0.0.1:9/api'),
    });
  });

  test('a start while Discord is down reports that Discord is unavailable', async () => {
    driver = await createDiscordDriver();
    driver.server.fault({ on: /gateway/, answer: { status: 503 }, times: 10 });
    expect(await failure()).toMatchObject({ code: 'discord-unavailable' });
  });
});
