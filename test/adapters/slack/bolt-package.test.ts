import * as bolt from '@slack/bolt';
import { expect, test } from 'vitest';
import * as loaded from '../../../src/adapters/slack/bolt-package.ts';

test('the parts of Bolt that the bot loads by the names of their files are the parts that Bolt exports', () => {
  expect(Object.values(loaded)).not.toContain(undefined);
  expect(bolt).toMatchObject(loaded);
});
