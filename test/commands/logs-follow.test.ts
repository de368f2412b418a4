import { describe, expect, onTestFinished, test } from 'vitest';
import { deployElsewhere, deployReady, effectOf, type Stage, stageOn } from '../command/harness.ts';
import type { Values, VisibleMessage } from '../support/chat-driver.ts';
import { pacedClock } from '../support/paced-clock.ts';
import { until } from '../support/test-clock.ts';

async function openStage(...args: Parameters<typeof stageOn>): Promise<Stage> {
  const stage = await stageOn(...args);
  onTestFinished(() => stage.close());
  return stage;
}

/** Types "logs --follow". Resolves with the private answers. */
async function follow(stage: Stage, deployment: string, values: Values = {}): Promise<string> {
  const ask = () => stage.driver.command('operator', 'logs', { deployment, follow: true, ...values });
  const { privately } = await effectOf(stage, 'operator', ask);
  stage.speed(20);
  return privately.map(({ text }) => text).join('\n');
}

/** Resolves with the message of the followed log when the message has this text. */
function shown({ driver }: Stage, text: string | RegExp): Promise<VisibleMessage> {
  const isFollower = (message: VisibleMessage) => /Follow(?:ing|ed) the log of/.test(message.text);
  return until(
    async () => (await driver.channel()).filter(isFollower).findLast((message) => message.text.match(text)),
    `a follower’s message with ${text}`,
  );
}

/** The content of the file with all lines that the message has shown. */
function file({ driver }: Stage): Promise<string> {
  return until(
    async () =>
      (await driver.channel())
        .flatMap(({ files }) => files)
        .find(({ name }) => name.endsWith('-followed.log'))?.content,
    'the file with the lines',
  );
}

describe.each(['discord', 'slack-http'] as const)('the command logs --follow on %s', (name) => {
  test(`"logs --follow" shows new lines in one message under the deployment's card, until a person presses the stop button`, async () => {
    const stage = await openStage(name);
    const id = await deployReady(stage);
    const [card] = await stage.driver.channel();
    stage.simulator.print(id, 'long before');
    expect(await follow(stage, id)).toContain('I show the new lines of the log under the card');
    const first = await shown(stage, 'long before');
    expect(first.parent).toBe(card?.id);
    stage.simulator.print(id, 'round one, TOKEN=abcdefgh');
    expect((await shown(stage, 'round one')).text).toContain('TOKEN=[masked]');
    stage.simulator.print(id, 'round two');
    const last = await shown(stage, 'round two');
    expect(last.id).toBe(first.id);
    expect(last.text).toContain('round one');
    expect(last.buttons).toEqual(['Stop following']);
    const stop = () => stage.driver.press('operator', 'Stop following');
    expect((await effectOf(stage, 'operator', stop)).privately.at(-1)?.text).toContain('I stopped following');
    const end = await shown(stage, /stopped the following/);
    expect(end.buttons).toEqual([]);
    const all = await file(stage);
    for (const line of ['long before', 'round one', 'round two']) expect(all.split(line)).toHaveLength(2);
    expect(all).not.toContain('abcdefgh');
  });

  test('"logs --follow" ends after its time limit, and a second "logs --follow" of the same log in the channel is refused', async () => {
    const stage = await openStage(name);
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    stage.speed(1);
    expect(await follow(stage, id, { for: '1m' })).toContain('in this channel');
    stage.speed(1);
    expect(await follow(stage, id)).toContain('I follow this log in this channel already.');
    await shown(stage, 'The time is over.');
    expect(await file(stage)).toContain('waiting for players');
  });

  test('"logs --follow" ends when the deployment ends', async () => {
    const stage = await openStage(name);
    const own = await deployReady(stage);
    await follow(stage, own);
    stage.simulator.print(own, 'the last words');
    await shown(stage, 'the last words');
    stage.simulator.terminate(own);
    expect((await shown(stage, 'The server has ended.')).text).toContain('the last words');
    expect(await file(stage)).toContain('the last words');
    expect(await follow(stage, own)).toContain('The server has ended, so its log has no new lines.');
  });
});

describe('the command logs --follow', () => {
  test('"logs --follow" also ends with the deployment if the deployment was made outside the chat', async () => {
    const stage = await openStage('slack-http');
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    await follow(stage, id);
    await shown(stage, 'waiting for players');
    stage.simulator.fail(id, 'out of memory');
    await shown(stage, 'The server has failed.');
  });

  test('"logs --follow" with --grep and --invert shows only the chosen new lines', async () => {
    const stage = await openStage('slack-http');
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    await follow(stage, id, { grep: '/round \\d/' });
    for (const line of ['round 1', 'a heartbeat', 'round 2']) stage.simulator.print(id, line);
    const { text } = await shown(stage, 'round 2');
    expect(text).toContain('round 1');
    expect(text).not.toContain('heartbeat');
    expect(text).toMatch(/Only lines with .*round/);
  });

  test('if a followed log starts again from its beginning, the message marks the gap and shows the new log', async () => {
    const stage = await openStage('slack-http');
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    await follow(stage, id);
    stage.simulator.print(id, 'before the restart');
    await shown(stage, 'before the restart');
    stage.simulator.deployments.get(id)?.log.lines.splice(0);
    stage.simulator.print(id, 'after the restart');
    expect((await shown(stage, 'after the restart')).text).toContain('The log began anew.');
  });

  test('if Edgegap cannot send a followed log for a moment, the bot reads the log again later', async () => {
    const stage = await openStage('slack-http');
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    stage.simulator.faults.next({ endpoint: 'logs' }, { kind: 'server-error', when: 'before' }, 3);
    await follow(stage, id);
    await shown(stage, 'I keep trying.');
    expect((await shown(stage, 'waiting for players')).text).not.toContain('I keep trying');
  });

  test('the message of a followed log is edited at most every two seconds, and a quiet log is read less often', async () => {
    const clock = pacedClock(20);
    const stage = await openStage('slack-http', { clock });
    const { simulator } = stage;
    const id = await deployElsewhere(simulator, 'kart-racing', 'v1.2');
    await follow(stage, id);
    await shown(stage, 'waiting for players');
    const [begun, edits] = [clock.now(), (await shown(stage, id)).edits];
    for (let lap = 1; lap <= 20; lap++) {
      simulator.print(id, `lap <${lap}>`);
      if (lap % 4 === 0) await shown(stage, `lap <${lap}>`);
    }
    const times = (clock.now() - begun) / 2_000;
    expect((await shown(stage, id)).edits - edits).toBeLessThanOrEqual(times + 1);

    // From now on, the server prints only the lines of the test.
    const { log } = simulator.deployments.get(id) ?? {};
    if (log) log.playLines = 1_000_000;
    const calls = () => simulator.requests.filter(({ endpoint }) => endpoint === 'logs').length;
    const [from, before] = [clock.now(), calls()];
    await until(() => clock.now() > from + 150_000, 'two and a half minutes to pass');
    expect(calls() - before).toBeLessThanOrEqual(150 / 15 + 5);
    simulator.print(id, 'a line after the silence');
    await shown(stage, 'a line after the silence');
  });

  test('"logs --follow" refuses a log of 33 MiB, and the message says where to read the log', async () => {
    const stage = await openStage('slack-http');
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    stage.simulator.print(id, 'x'.repeat(33 * 1024 * 1024));
    await follow(stage, id);
    const { text } = await shown(stage, /longer than 32 MiB/);
    expect(text).toContain('The Edgegap dashboard has the whole log.');
  });

  test('the command "logs" refuses the option --for without the option --follow', async () => {
    const stage = await openStage('slack-http');
    const deployment = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const ask = () => stage.driver.command('operator', 'logs', { deployment, for: '5m' });
    expect((await effectOf(stage, 'operator', ask)).privately[0]?.text).toContain('for needs follow.');
  });

  test.each([
    ['a time of zero', { for: '0' }, 'for must be a length of time, not “0”'],
    ['a time of 400 days', { for: '400d' }, 'from one minute to 2 hours'],
    ['a time that is no time', { for: 'yesterday' }, 'for must be a length of time'],
    ['a pattern of 5,000 characters', { grep: 'x'.repeat(5_000) }, 'grep'],
    ['share beside follow', { share: true }, 'follow shows the lines to the whole channel already'],
  ])('"logs --follow" refuses %s, and nothing is posted', async (_title, values, refusal) => {
    const stage = await openStage('slack-http');
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    expect(await follow(stage, id, values)).toContain(refusal);
    expect(await stage.driver.channel()).toEqual([]);
  });
});
