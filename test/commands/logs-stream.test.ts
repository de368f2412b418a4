import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { deployElsewhere, deployReady, effectOf, type Stage, stageOn } from '../command/harness.ts';
import type { VisibleMessage } from '../support/chat-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import type { SlackFault } from '../support/slack-faults.ts';
import { until } from '../support/test-clock.ts';

describe('logs --follow in a Slack workspace that supports streamed messages', () => {
  let stage: Stage;
  let driver: SlackDriver;
  let deployment: string;
  beforeEach(async () => {
    stage = await stageOn('slack-http');
    onTestFinished(() => stage.close());
    driver = stage.driver as SlackDriver;
    driver.server.web.streams.available = true;
    deployment = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
  });

  const print = (line: string) => stage.simulator.print(deployment, line);
  const fail = (method: string, fault: SlackFault) => driver.server.faults.inject(method, fault);

  async function follow(): Promise<void> {
    const ask = () => driver.command('operator', 'logs', { deployment, follow: true, grep: 'lap' });
    await effectOf(stage, 'operator', ask);
    stage.speed(20);
  }

  const isCard = ({ text }: VisibleMessage) => /Follow(?:ing|ed) the log of/.test(text);

  /** Resolves with the messages that contain log lines when these messages have the text. */
  async function streamed(text: string): Promise<readonly VisibleMessage[]> {
    const found = async () => {
      const messages = (await driver.channel()).filter((message) => message.parent && !isCard(message));
      return messages.some((message) => message.text.includes(text)) ? messages : undefined;
    };
    return await until(found, `a message with ${text}`);
  }

  function card(text: string): Promise<VisibleMessage> {
    const found = async () => (await driver.channel()).find((one) => isCard(one) && one.text.includes(text));
    return until(found, `the follower’s message with ${text}`);
  }

  async function fileAtTheEnd(): Promise<string> {
    await driver.press('operator', 'Stop following');
    return await until(
      async () => (await driver.channel()).flatMap(({ files }) => files)[0]?.content,
      'the file with the lines',
    );
  }

  const timesIn = (messages: readonly VisibleMessage[], line: string) =>
    messages.map(({ text }) => text.split(line).length - 1).reduce((sum, count) => sum + count, 0);

  test("on Slack, new lines of a followed log are appended to one message in the card's thread, and the card stays unchanged", async () => {
    await follow();
    const { id, edits } = await card('Following');
    print('lap <1>, TOKEN=abcdefgh');
    const [first] = await streamed('lap <1>');
    expect(first?.parent).toBe(id);
    expect(first?.text).toContain('TOKEN=[masked]');
    print('lap <2>');
    const both = await streamed('lap <2>');
    expect(both.map((message) => message.id)).toEqual([first?.id]);
    expect((await card('The new lines appear in the thread.')).edits - edits).toBeLessThanOrEqual(1);
    const all = await fileAtTheEnd();
    for (const line of ['lap <1>', 'lap <2>']) expect(all.split(line)).toHaveLength(2);
    const end = await card('The lines are in the thread.');
    expect(end.text).toContain('stopped the following');
    await until(
      () => driver.server.requests.some(({ method }) => method === 'chat.stopStream'),
      'the end of the message',
    );
  });

  test("if a deployment's card is in the Slack channel, the lines of its followed log appear in the thread of this card", async () => {
    deployment = await deployReady(stage);
    const [live] = await driver.channel();
    await follow();
    print('lap <1>');
    expect((await streamed('lap <1>')).at(-1)?.parent).toBe(live?.id);
  });

  test('on Slack, a line of a followed log cannot end the code block and cannot mention people', async () => {
    await follow();
    print('lap ``` <!channel> <@U1> ```` end');
    const [message] = await streamed('end');
    expect(message?.text.replaceAll('\u200B', '')).toContain('lap ``` <!channel> <@U1> ```` end');
    expect(message?.text).not.toMatch(/<[!@#]/);
    expect(message?.text.match(/```/g)).toHaveLength(2);
  });

  test('if Slack no longer appends text to a message, a followed log continues in a new message of the same thread', async () => {
    await follow();
    print('lap <1>');
    await streamed('lap <1>');
    driver.server.web.streams.expire();
    print('lap <2>');
    const messages = await streamed('lap <2>');
    expect(messages).toHaveLength(2);
    expect(new Set(messages.map(({ parent }) => parent)).size).toBe(1);
    print('lap <3>');
    const all = await streamed('lap <3>');
    for (const line of ['lap <1>', 'lap <2>', 'lap <3>']) expect(timesIn(all, line)).toBe(1);
  });

  test('if Slack asks the bot to slow down, the lines of a followed log are appended later, each line once', async () => {
    await follow();
    print('lap <1>');
    await streamed('lap <1>');
    fail('chat.appendStream', { kind: 'rate-limit', retryAfter: 1 });
    print('lap <2>');
    const messages = await streamed('lap <2>');
    expect(messages).toHaveLength(1);
    expect(timesIn(messages, 'lap <2>')).toBe(1);
  });

  test('if the bot does not know whether Slack appended lines, it does not send the lines again and marks a gap', async () => {
    await follow();
    print('lap <1>');
    await streamed('lap <1>');
    fail('chat.appendStream', { kind: 'reset', when: 'after' });
    print('lap <2>');
    await streamed('lap <2>');
    print('lap <3>');
    const messages = await streamed('lap <3>');
    expect(timesIn(messages, 'lap <2>')).toBe(1);
    expect(timesIn(messages, '… Some lines may be missing here.')).toBe(1);
    expect(await fileAtTheEnd()).not.toContain('may be missing');
  });

  test('if Slack no longer supports streamed messages, the lines of a followed log appear in the card', async () => {
    await follow();
    print('lap <1>');
    await streamed('lap <1>');
    driver.server.web.streams.available = false;
    print('lap <2>');
    expect((await card('lap <2>')).text).toContain('lap <1>');
    print('lap <3>');
    await card('lap <3>');
    expect(driver.server.requests.filter(({ method }) => method === 'chat.startStream')).toHaveLength(1);
  });

  test('if a followed log has very many new lines, only the newest are sent to Slack, with the number of missing lines', async () => {
    await follow();
    print('lap <1>');
    await streamed('lap <1>');
    for (let n = 0; n < 300; n++) print(`lap ${'x'.repeat(90)} <${n}>`);
    const [message] = await streamed('<299>');
    expect(message?.text).toMatch(/… \d+ lines are left out here\./);
    const sent = driver.server.requests.filter(({ method }) => method === 'chat.appendStream');
    expect(Math.max(...sent.map(({ params }) => params.markdown_text?.length ?? 0))).toBeLessThan(8_000);
    expect((await fileAtTheEnd()).match(/<\d+>/g)).toHaveLength(301);
  });
});
