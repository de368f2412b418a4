import * as bolt from '@slack/bolt';
import { expect, test } from 'vitest';
import * as loaded from '../../../src/adapters/slack/bolt-package.ts';

test('the Bolt files that the bot imports directly contain the same parts that the Bolt package exports', () => {
  expect(Object.values(loaded)).not.toContain(undefined);
  expect(bolt).toMatchObject(loaded);
});
