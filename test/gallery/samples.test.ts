import { beforeAll, expect, test } from 'vitest';
import { checkMessage, checkModal } from '../support/discord-rules.ts';
import { violationOf } from '../support/discord-schemas.ts';
import type { MessageBody, Modal } from '../support/discord-world.ts';
import { refusalOf } from '../support/slack-blocks.ts';
import { viewProblems } from '../support/slack-views.ts';
import { discordPayload, filesOf, slackPayload } from './payloads.ts';
import { isForm, type Sample } from './sample.ts';
import { PLATFORMS, type Platform, samplesFor } from './samples.ts';

let samples: Readonly<Record<Platform, readonly Sample[]>>;
beforeAll(async () => {
  const [discord, slack] = await Promise.all([samplesFor('discord'), samplesFor('slack')]);
  samples = { discord, slack };
});

test('every sample of the gallery is valid according to Discord’s schemas and rules', () => {
  expect(samples.discord.length).toBeGreaterThan(60);
  for (const sample of samples.discord) {
    const body = discordPayload(sample);
    if (isForm(sample.shown)) {
      expect(violationOf('POST', '/interactions/1/token/callback', { type: 9, data: body })).toBe(undefined);
      checkModal(body as Modal);
    } else {
      expect(violationOf('POST', '/channels/1/messages', body), sample.name).toBe(undefined);
      checkMessage(
        body as MessageBody,
        filesOf(sample).map(({ name }) => name),
      );
    }
  }
});

test('every sample of the gallery is within the limits of Block Kit', () => {
  for (const sample of samples.slack) {
    const payload = slackPayload(sample);
    if ('callback_id' in payload) expect(viewProblems(JSON.stringify(payload)), sample.name).toEqual([]);
    else expect(refusalOf(payload.blocks, { total: true }), sample.name).toBe(undefined);
  }
});

test('each sample of the gallery has a unique name, which is the same on Discord and Slack', () => {
  const [discord, slack] = PLATFORMS.map((platform) =>
    samples[platform].map(({ group, name }) => `${group}: ${name}`),
  );
  expect(discord).toEqual([...new Set(discord)]);
  expect(discord).toEqual(slack);
});
