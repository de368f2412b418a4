import { expect, test } from 'vitest';
import { maskValues } from '../../src/log/known-values.ts';

test.each([
  ['the whole value', 'bad value swordfish-42 here', ['swordfish-42'], 'bad value [masked] here'],
  ['a value whose end is cut off', 'bad value "swordfis…"', ['swordfish-42'], 'bad value "[masked]…"'],
  ['a value whose beginning is cut off', 'bad value …rdfish-42', ['swordfish-42'], 'bad value …[masked]'],
  ['a value with the escapes of JSON', '{"v":"a \\"long\\" word"}', ['a "long" word'], '{"v":"[masked]"}'],
  ['two values side by side', 'swordfish-42swordfish-43', ['swordfish-42', 'swordfish-43'], '[masked]'],
  ['a short value that stands alone', 'PIN=1234, not 12345', ['1234'], 'PIN=[masked], not 12345'],
  ['a short value beside a letter of any language', 'é1 1é 1', ['1'], 'é1 1é [masked]'],
  ['an empty value', 'nothing to hide', [''], 'nothing to hide'],
])('in a text from Edgegap, only the known secret value is masked: %s', (_, text, values, masked) => {
  expect(maskValues(text, values)).toBe(masked);
});
