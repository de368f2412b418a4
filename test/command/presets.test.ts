import { expect, test } from 'vitest';
import { createPresets } from '../../src/command/presets.ts';
import { freshStore } from '../support/databases.ts';

const guild = { platform: 'discord', workspace: 'g1', channel: 'c1' };
const qa = {
  name: 'qa',
  options: { near: 'Tokyo', tag: ['a', 'b'], cached: true },
  savedBy: 'Ana',
  savedAt: 1,
};

test('a preset belongs to the account and to the Discord server or Slack workspace, not to the channel', async () => {
  const store = await freshStore();
  const presets = createPresets(store, 'studio');
  await presets.save(guild, qa, false);
  expect(await presets.get({ ...guild, channel: 'c2' }, 'qa')).toEqual(qa);
  const elsewhere = [
    presets.all({ ...guild, workspace: 'g2' }),
    presets.all({ ...guild, platform: 'slack' }),
    createPresets(store, 'other').all(guild),
  ];
  expect(await Promise.all(elsewhere)).toEqual([[], [], []]);
  await createPresets(store, 'other').delete(guild, 'qa');
  expect(await presets.all(guild)).toEqual([qa]);
  await presets.delete(guild, 'qa');
  expect(await presets.all(guild)).toEqual([]);
});

test('if two people save a preset with the same name at the same time, only one preset is saved', async () => {
  const presets = createPresets(await freshStore(), 'studio');
  const both = ['Ana', 'Ben'].map((savedBy) => presets.save(guild, { ...qa, savedBy }, false));
  const saved = await Promise.all(both);
  expect(saved.toSorted()).toEqual([false, true]);
  expect(await presets.get(guild, 'qa')).toMatchObject({ savedBy: saved[0] ? 'Ana' : 'Ben' });
  expect(await presets.save(guild, { ...qa, savedBy: 'Eve' }, true)).toBe(true);
  expect(await presets.get(guild, 'qa')).toMatchObject({ savedBy: 'Eve' });
});

test('presets are sorted by name, in the same order on every database', async () => {
  const presets = createPresets(await freshStore(), 'studio');
  for (const name of ['b', 'a_1', 'a-1', 'a1', '1']) await presets.save(guild, { ...qa, name }, false);
  expect((await presets.all(guild)).map(({ name }) => name)).toEqual(['1', 'a-1', 'a1', 'a_1', 'b']);
});
