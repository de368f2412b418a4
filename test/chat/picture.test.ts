import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Stage, stageOn } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { VisibleMessage } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import { walk } from '../support/discord-world.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

const SRC = `${pathToFileURL(join(import.meta.dirname, '../../src')).href}/`;
const ALT = 'Players: 3 at noon, 9 now';
const PICTURE = pngOf(2, 2).toString('base64');
const FILES = [
  { name: 'players.png', content: PICTURE },
  { name: 'players.csv', content: 'noon,3\nnow,9\n' },
];

const COMMAND = `
import { textFile } from '${SRC}chat/card.ts';
import { defineCommand } from '${SRC}command/define.ts';

export default defineCommand({
  description: 'Draw the players',
  permission: 'deployments.read',
  ack: 'public',
  options: {},
  async run({ respond }) {
    await respond({
      kind: 'card',
      tone: 'neutral',
      title: ['Players'],
      nodes: [{ kind: 'image', file: 'players.png', alt: '${ALT}' }],
      files: [
        { name: 'players.png', type: 'image/png', bytes: Buffer.from('${PICTURE}', 'base64') },
        textFile('players.csv', 'noon,3\\nnow,9\\n'),
      ],
    });
  },
});
`;

/** A valid picture in a single shade of grey. */
function pngOf(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const rows = Buffer.alloc((width + 1) * height, 0x80).map((byte, at) =>
    at % (width + 1) === 0 ? 0 : byte,
  );
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

let folder: string;
let opened = 0;
beforeAll(() => {
  folder = mkdtempSync(join(import.meta.dirname, '.picture-'));
  writeFileSync(join(folder, 'players.ts'), COMMAND);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(name: (typeof driverNames)[number]): Promise<Stage> {
  const environment = { DATABASE_URL: join(folder, `${name}-${++opened}.db`) };
  const stage = await stageOn(name, { commands: folder, environment });
  onTestFinished(() => stage.close());
  return stage;
}

/** The messages of the channel, after all files have been uploaded. */
async function channelOf({ driver, bot }: Stage): Promise<readonly VisibleMessage[]> {
  const channel = await until(async () => {
    const messages = await driver.channel();
    return messages.flatMap(({ files }) => files).length >= FILES.length ? messages : undefined;
  }, 'the files');
  await bot.app.settled();
  return channel;
}

/** Checks that people see the picture with a description in words, and that both files are unchanged. */
function expectShown(stage: Stage, channel: readonly VisibleMessage[]): void {
  const [card] = channel;
  expect(channel.flatMap(({ files }) => files)).toEqual(FILES);
  expect(card?.text).toContain('Players');
  if (stage.driver.platform === 'discord') {
    const { rest, violations } = (stage.driver as DiscordDriver).server;
    expect(violations).toEqual([]);
    const shown = rest.messages.all().flatMap(({ components }) => [...walk(components)]);
    expect(shown.find(({ type }) => type === 12)?.items).toEqual([
      { media: { url: 'attachment://players.png' }, description: ALT },
    ]);
    expect(shown.flatMap(({ type, file }) => (type === 13 ? [file?.url] : []))).toEqual([
      'attachment://players.csv',
    ]);
    return;
  }
  expect(card?.text).toContain(`Picture players.png: ${ALT}`);
  if (stage.driver.platform !== 'slack') return;
  expect(channel.slice(1).map(({ parent }) => parent)).toEqual([card?.id, card?.id]);
  const places = (stage.driver as SlackDriver).server.requests.filter(
    ({ method }) => method === 'files.getUploadURLExternal',
  );
  expect(places.map(({ params }) => params.alt_txt)).toEqual([ALT, undefined]);
}

describe.each(driverNames)('a picture on %s', (name) => {
  test('a picture and a table arrive byte for byte, and the chat displays the picture', async () => {
    const stage = await open(name);
    await stage.driver.command('operator', 'players');
    expectShown(stage, await channelOf(stage));
  });
});

describe('a picture in an answer that goes through the outbox', () => {
  const owed = (bot: Stage['bot']) => () =>
    bot.log.some((line) => line.includes('the answer is left to the outbox'));

  test('a picture arrives unchanged although Discord refuses the answer at first', async () => {
    const stage = await open('discord');
    const { server, command } = stage.driver as DiscordDriver;
    server.fault({ on: /^PATCH \/webhooks/, answer: { status: 503 }, times: 3 });
    const asked = command('operator', 'players');
    await until(owed(stage.bot), 'the answer to be owed', 40_000);
    stage.speed(20);
    await asked;
    expectShown(stage, await channelOf(stage));
  });

  test('a picture arrives unchanged although Slack limits the rate and the bot is restarted', async () => {
    const stage = await open('slack-socket');
    const { server, command } = stage.driver as SlackDriver;
    const before = stage.bot;
    server.faults.inject('chat.postMessage', { kind: 'rate-limit', retryAfter: 30 });
    // The first fault affects the message that asks the person to wait, and the second fault affects the answer.
    for (const method of ['response_url', 'chat.postEphemeral'])
      server.faults.inject(method, { kind: 'status', status: 503, when: 'before' }, 2);
    const asked = command('operator', 'players');
    await until(() => server.requests.some(({ method }) => method === 'chat.postEphemeral'), 'the wait');
    stage.bot = await before.restart();
    stage.speed(20);
    expect(owed(before)()).toBe(true);
    await asked;
    expectShown(stage, await channelOf(stage));
  });
});
