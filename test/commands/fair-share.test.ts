import { describe, expect, onTestFinished, test } from 'vitest';
import { type Stage, stageOn } from '../command/harness.ts';
import type { Persona } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const REFUSED = /of your requests wait already/;
const LIST = /active servers/;
/** The number of requests that the bot carries out at once, and the number of requests that may wait. */
const [AT_ONCE, WAITING] = [2, 2];

async function stageWith(
  name: 'slack-http' | 'slack-socket' | 'discord',
  environment: Record<string, string>,
) {
  const clock = pacedClock(1);
  const stage = await stageOn(name, { clock, environment });
  onTestFinished(() => stage.close());
  return Object.assign(stage, { clock, speed: clock.speed });
}

const small = { PERSON_REQUESTS: String(AT_ONCE), PERSON_WAITING: String(WAITING) };

/** Types `list` this number of times without waiting for the answers. Resolves when all commands are acknowledged. */
async function askFor({ driver }: Stage, persona: Persona, times: number): Promise<void> {
  const ask = () =>
    driver.platform === 'slack'
      ? (driver as SlackDriver).slash(persona, 'list')
      : driver.command(persona, 'list');
  await Promise.allSettled(Array.from({ length: times }, ask));
}

const lists = ({ simulator }: Stage) =>
  simulator.requests.filter(({ endpoint }) => endpoint === 'list').length;

async function texts({ driver }: Stage, persona: Persona, like: RegExp): Promise<string[]> {
  return (await driver.privately(persona)).map(({ text }) => text).filter((text) => like.test(text));
}

/** Delays Edgegap's answers until the test makes time run faster. */
function holdEdgegap(stage: Stage): () => void {
  stage.simulator.faults.next({ endpoint: 'list' }, { kind: 'slow', when: 'before', ms: 8_000 }, 100);
  return () => stage.speed(50);
}

describe.each(['slack-http', 'slack-socket', 'discord'] as const)(
  'a person who sends too many requests on %s',
  (name) => {
    test('if a person sends too many requests, some requests wait, further requests are refused, and other people still get answers', async () => {
      const stage = await stageWith(name, small);
      const before = lists(stage);
      const release = holdEdgegap(stage);
      void askFor(stage, 'operator', AT_ONCE + 1 + WAITING + 3);
      await until(async () => (await texts(stage, 'operator', REFUSED)).length > 0, 'the refusal');
      await until(
        () => lists(stage) - before === AT_ONCE + 1,
        'one request beyond those that are carried out at once',
      );
      void askFor(stage, 'reader', 1);
      await until(() => lists(stage) - before === AT_ONCE + 2, 'the request of somebody else');
      release();
      await stage.bot.app.settled();
      expect(await texts(stage, 'operator', LIST)).toHaveLength(AT_ONCE + 1 + WAITING);
      expect(await texts(stage, 'reader', LIST)).toHaveLength(1);
      // Discord shows a request without an answer as failed, so on Discord each refused request gets an answer.
      expect(await texts(stage, 'operator', REFUSED)).toHaveLength(name === 'discord' ? 3 : 1);
      expect(await stage.driver.channel()).toEqual([]);
      const refused = stage.bot.log.filter((line) => line.includes('"code":"too-many-waiting"'));
      expect(refused).toHaveLength(3);
    });

    test('if the bot stops while many requests of a person wait, the person gets an answer at once', async () => {
      const stage = await stageWith(name, small);
      const before = lists(stage);
      const release = holdEdgegap(stage);
      await askFor(stage, 'operator', AT_ONCE + 1 + WAITING);
      await until(() => lists(stage) - before === AT_ONCE + 1, 'those that are carried out');
      const stopped = stage.bot.stop();
      await until(
        async () => (await texts(stage, 'operator', /being restarted/)).length === WAITING,
        'the answers',
      );
      release();
      await stopped;
      expect(lists(stage) - before).toBe(AT_ONCE + 1);
    });
  },
);

describe('the limit of requests that a person may send on Slack', () => {
  test('while a person sends 1,000 requests on Slack, each request is acknowledged, and the requests of other people are answered', async () => {
    const stage = await stageWith('slack-http', {});
    const driver = stage.driver as SlackDriver;
    let acknowledged = 0;
    const flood = Array.from({ length: 20 }, async () => {
      for (let nth = 0; nth < 50; nth++) {
        await driver.slash('operator', 'list');
        acknowledged++;
      }
    });
    await until(() => acknowledged > 500, 'half of them');
    await driver.slash('reader', 'list');
    await until(async () => (await texts(stage, 'reader', LIST)).length === 1, 'the answer to somebody else');
    const meanwhile = (await texts(stage, 'operator', LIST)).length;
    await Promise.all(flood);
    stage.speed(20);
    await stage.bot.app.settled();
    const answered = (await texts(stage, 'operator', LIST)).length;
    expect(answered).toBeGreaterThanOrEqual(81);
    expect(meanwhile).toBeLessThan(answered - 20);
    expect(await texts(stage, 'operator', REFUSED)).toHaveLength(1);
  });

  test("if Slack sends a request twice, it counts once towards the limit of the person's requests and is answered once", async () => {
    const stage = await stageWith('slack-http', small);
    const driver = stage.driver as SlackDriver;
    const release = holdEdgegap(stage);
    const ask = (trigger: string) => driver.slash('operator', 'list', { trigger });
    const taken = ['1', '2', '3', '4', '5'];
    await Promise.all(taken.map(ask));
    await Promise.all(taken.map(ask));
    expect(await texts(stage, 'operator', REFUSED)).toEqual([]);
    await ask('6');
    await until(async () => (await texts(stage, 'operator', REFUSED)).length === 1, 'the refusal');
    await ask('6');
    release();
    await stage.bot.app.settled();
    expect(await texts(stage, 'operator', LIST)).toHaveLength(taken.length);
    expect(await texts(stage, 'operator', REFUSED)).toHaveLength(1);
  });

  test('if a person is silent for ten seconds after a burst of requests, the full number of requests is available again', async () => {
    const stage = await stageWith('slack-http', small);
    for (const burst of [1, 2]) {
      stage.speed(1);
      const release = holdEdgegap(stage);
      void askFor(stage, 'operator', AT_ONCE + 1 + WAITING + 1);
      await until(async () => (await texts(stage, 'operator', REFUSED)).length === burst, 'the refusal');
      release();
      await stage.bot.app.settled();
      stage.simulator.faults.clear();
      const quiet = stage.clock.now() + 10_000;
      await until(() => stage.clock.now() > quiet, 'ten seconds');
    }
  });

  test('if a person sends 30 deploys, more than the limit for immediate requests, all deploys are carried out', async () => {
    const stage = await stageWith('slack-http', { CONFIRM_DEPLOY: 'never' });
    stage.speed(20);
    const driver = stage.driver as SlackDriver;
    await Promise.all(
      Array.from({ length: 30 }, (_, nth) =>
        driver.slash('operator', `deploy kart-racing v1.2 --near Montreal --tag n${nth}`),
      ),
    );
    await stage.bot.app.settled();
    expect(stage.simulator.deployments.size).toBe(30);
    // The person gets only one message that the cards have to wait for Slack.
    const [, ...more] = await texts(stage, 'operator', /./);
    expect(more).toEqual([]);
  });

  test('PERSON_REQUESTS=0 switches off the limit of requests for each person', async () => {
    const stage = await stageWith('slack-http', { PERSON_REQUESTS: '0' });
    stage.speed(20);
    void askFor(stage, 'operator', 100);
    await until(async () => (await texts(stage, 'operator', LIST)).length === 100, 'all answers');
    expect(await texts(stage, 'operator', REFUSED)).toEqual([]);
  });
});

test('if too many requests of a person wait, a submitted form is refused at a field, stays open, and can be sent later', async () => {
  const stage = await stageWith('slack-http', small);
  const driver = stage.driver as SlackDriver;
  await driver.command('operator', 'deploy');
  const release = holdEdgegap(stage);
  void askFor(stage, 'operator', AT_ONCE + 1 + WAITING);
  await until(async () => (await texts(stage, 'operator', REFUSED)).length > 0, 'the refusal of a command');
  const entries = { application: 'kart-racing', near: 'Paris' };
  await driver.fillIn('operator', entries);
  expect(Object.values(driver.mistakes()).join()).toMatch(REFUSED);
  expect(stage.simulator.deployments.size).toBe(0);
  release();
  await stage.bot.app.settled();
  await driver.fillIn('operator', entries);
  await until(() => stage.simulator.deployments.size === 1, 'the deployment');
});
