import { isOwnTag } from '../../edgegap/outside.ts';
import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import { isPrintable, nameInput } from './checked-text.ts';
import type { Kind, ParseSettings } from './kind.ts';

export const tag: Kind<string> = {
  placeholder: 'tag',
  input: nameInput,
  parse: (given, _, settings) => parseTag(String(given).trim(), settings),
};

export function parseTag(value: string, { maxTagLength }: ParseSettings): string {
  const length = [...value].length;
  if (length > maxTagLength)
    throw new InputError(
      'tag-too-long',
      `The tag ${quoted(value)} has ${length} characters; at most ${maxTagLength} fit.`,
      { hint: 'Choose a shorter one.' },
    );
  if (!isPrintable(value))
    throw new InputError('tag-control', 'A tag cannot hold a line break or an invisible control character.', {
      hint: 'Type it by hand, on one line.',
    });
  // As part of an address these mean another one.
  if (value === '.' || value === '..')
    throw new InputError('tag-dots', `${quoted(value)} cannot be a tag.`, { hint: 'Choose another name.' });
  if (isOwnTag(value))
    throw new InputError('tag-reserved', `The tag ${quoted(value)} is the bot’s own.`, {
      hint: 'It ties the deployment to its messages and cannot be used or changed. Choose another name.',
    });
  return value;
}
