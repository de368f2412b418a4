import { MessageResponseSchema } from 'discord-api-spec/zod';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDiscordDriver, type DiscordDriver } from '../../support/discord-driver.ts';
import { BOT_TOKEN, flags, ids, type StoredInteraction } from '../../support/discord-world.ts';

/**
 * If the local Discord accepted requests that the real Discord refuses, the other tests of the adapter would prove
 * nothing.
 */
let driver: DiscordDriver;
beforeEach(async () => {
  driver = await createDiscordDriver();
});
afterEach(() => driver.close());

async function send(method: string, path: string, body?: unknown) {
  const response = await fetch(`${driver.server.apiUrl}/v10${path}`, {
    method,
    headers: { authorization: `Bot ${BOT_TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

const messages = `/channels/${ids.channel}/messages`;
const text = { type: 10, content: 'x' };
const v2 = { flags: flags.componentsV2, components: [text] };

const refused: [string, object, string][] = [
  ['components V2 but without their flag', { components: [text] }, 'need IS_COMPONENTS_V2'],
  ['content beside components V2', { ...v2, content: 'x' }, 'content cannot be used'],
  ['embeds beside components V2', { ...v2, embeds: [{ title: 'x' }] }, 'embeds cannot be used'],
  [
    'more than 40 components',
    { ...v2, components: [{ type: 17, components: Array(40).fill(text) }] },
    '41 components',
  ],
  [
    'more than 4000 characters',
    {
      ...v2,
      components: [
        { ...text, content: 'x'.repeat(2001) },
        { ...text, content: 'x'.repeat(2000) },
      ],
    },
    '4001 characters',
  ],
  ['an empty text', { ...v2, components: [{ ...text, content: ' ' }] }, 'needs text'],
  [
    'the same id twice',
    {
      ...v2,
      components: [
        { ...text, id: 5 },
        { ...text, id: 5 },
      ],
    },
    'same id',
  ],
  [
    'a file that was not uploaded',
    { ...v2, components: [{ type: 13, file: { url: 'attachment://a.txt' } }] },
    'No attachment',
  ],
  [
    'the same custom_id twice',
    {
      ...v2,
      components: [{ type: 1, components: Array(2).fill({ type: 2, style: 1, label: 'a', custom_id: 'a' }) }],
    },
    'same custom_id',
  ],
];
test.each(refused)(
  'the local Discord server of the tests refuses a message with %s',
  async (_, body, problem) => {
    expect(await send('POST', messages, body)).toMatchObject({ status: 400, json: { code: 50035 } });
    expect(driver.server.violations.join('\n')).toContain(problem);
  },
);

test.each([
  ['an unknown field', { ...v2, component: [] }],
  ['a nested unknown field', { ...v2, components: [{ type: 17, components: [{ ...text, text: 'x' }] }] }],
  [
    'a button label that is too long',
    { components: [{ type: 1, components: [{ type: 2, style: 1, label: 'x'.repeat(81), custom_id: 'a' }] }] },
  ],
])(
  'the local Discord server of the tests records a message with %s as a violation of the specification',
  async (_, body) => {
    await send('POST', messages, body);
    expect(driver.server.violations).not.toEqual([]);
  },
);

test('the local Discord server of the tests records a request that is not in the specification', async () => {
  await send('POST', '/channels/1/message', {});
  expect(driver.server.violations.join()).toContain('no such request');
});

test('the local Discord server of the tests refuses to remove the components V2 flag of a message', async () => {
  const { json } = await send('POST', messages, v2);
  expect(await send('PATCH', `${messages}/${json.id}`, { flags: 0, content: 'x' })).toMatchObject({
    status: 400,
  });
  expect(driver.server.violations.join()).toContain('cannot be removed');
});

test("messages of the tests' local Discord server have the shape of Discord's messages", async () => {
  const { json } = await send('POST', messages, { ...v2, nonce: 'n', enforce_nonce: true });
  expect(json.nonce).toBe('n');
  const listed = await send('GET', messages);
  expect(listed.json[0]).not.toHaveProperty('nonce');
  for (const message of [json, listed.json[0]]) {
    const { author: _, ...rest } = message;
    const issues = MessageResponseSchema.safeParse(message).error?.message ?? '[]';
    expect(JSON.parse(issues).filter(({ path }: { path: string[] }) => path[0] !== 'author')).toEqual([]);
    expect(rest.components).toEqual([{ ...text, id: 1 }]);
  }
});

test('the local Discord server of the tests stores a nonce for a few minutes, but only if the request sets enforce_nonce', async () => {
  let now = Date.now();
  await driver.close();
  driver = await createDiscordDriver({ now: () => now });
  const post = async (body: object) => (await send('POST', messages, body)).json.id;
  const first = await post({ ...v2, nonce: 'n', enforce_nonce: true });
  expect(await post({ ...v2, nonce: 'n', enforce_nonce: true })).toBe(first);
  expect(await post({ ...v2, nonce: 'n' })).not.toBe(first);
  now += 10 * 60_000;
  expect(await post({ ...v2, nonce: 'n', enforce_nonce: true })).not.toBe(first);
});

test("the tests' local Discord server accepts only one response to an interaction, within 3 seconds and with valid flags", async () => {
  let now = Date.now();
  await driver.close();
  driver = await createDiscordDriver({ now: () => now });
  const answer = ({ id, token }: StoredInteraction, body: object) =>
    send('POST', `/interactions/${id}/${token}/callback`, body);
  const create = () => driver.server.rest.interactions.create(driver.user('operator'));
  expect(await answer(create(), { type: 5, data: { flags: flags.componentsV2 } })).toMatchObject({
    status: 400,
  });
  const interaction = create();
  const original = `/webhooks/${ids.application}/${interaction.token}/messages/@original`;
  expect(await send('PATCH', original, v2)).toMatchObject({ status: 404, json: { code: 10015 } });
  expect(await answer(interaction, { type: 5, data: { flags: flags.ephemeral } })).toMatchObject({
    status: 204,
  });
  expect(await answer(interaction, { type: 5 })).toMatchObject({ status: 400, json: { code: 40060 } });
  const filled = await send('PATCH', original, v2);
  expect(filled.json.flags).toBe(flags.componentsV2 | flags.ephemeral);
  // With the bot's own token, private messages cannot be read.
  expect(await send('PATCH', `${messages}/${filled.json.id}`, v2)).toMatchObject({
    status: 404,
    json: { code: 10008 },
  });
  expect((await send('GET', messages)).json).toEqual([]);
  const late = create();
  now += 3001;
  expect(await answer(late, { type: 5 })).toMatchObject({ status: 404, json: { code: 10062 } });
  now += 15 * 60_000;
  expect(await send('PATCH', original, v2)).toMatchObject({ status: 401, json: { code: 50027 } });
});

test("on the tests' local Discord server, even an escaped mention pings, unless the request forbids pings", async () => {
  const content = '\\<@500000000000000001> @everyone <@&300000000000000001>';
  const pings = async (allowed_mentions?: object) => {
    await send('POST', messages, {
      flags: flags.componentsV2,
      components: [{ type: 10, content }],
      allowed_mentions,
    });
    return (await driver.channel()).at(-1)?.pings;
  };
  expect(await pings()).toEqual(['500000000000000001', 'role 300000000000000001', '@everyone']);
  expect(await pings({ parse: [] })).toEqual([]);
  expect(await pings({ parse: [], users: ['500000000000000001'] })).toEqual(['500000000000000001']);
});

test('the simulated Discord API accepts a private follow-up only if the public deferral was deleted first', async () => {
  const { interactions, messages: known } = driver.server.rest;
  const followUp = async (how: 'at once' | 'after a deletion') => {
    const { id, token } = interactions.create(driver.user('operator'));
    await send('POST', `/interactions/${id}/${token}/callback`, { type: 5 });
    const webhook = `/webhooks/${ids.application}/${token}`;
    if (how !== 'at once') await send('DELETE', `${webhook}/messages/@original`);
    const { json } = await send('POST', webhook, { ...v2, flags: v2.flags | flags.ephemeral });
    return known.all().find((message) => message.id === json.id)?.onlyFor;
  };
  expect(await followUp('at once')).toBeUndefined();
  expect(await followUp('after a deletion')).toBe(driver.user('operator').id);
});
