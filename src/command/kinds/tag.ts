import { isOwnTag } from '../../edgegap/outside.ts';
import { InputError } from '../../errors.ts';
import { quoted } from '../argv.ts';
import { offerTags } from '../offers.ts';
import { isPrintable, nameInput } from './checked-text.ts';
import type { Kind, ParseSettings } from './kind.ts';

export const tag: Kind<string> = {
  placeholder: 'tag',
  input: nameInput,
  parse: (given, _, settings) => parseTag(String(given).trim(), settings),
  suggest: offerTags,
};

export function parseTag(value: string, { maxTagLength }: ParseSettings): string {
  const length = [...value].length;
  if (length > maxTagLength)
    throw new InputError(
      'tag-too-long',
      `The tag ${quoted(value)} has ${length} characters; at most ${maxTagLength} fit.`,
      { hint: 'Choose a shorter tag.' },
    );
  if (!isPrintable(value))
    throw new InputError('tag-control', 'A tag cannot hold a line break or an invisible control character.', {
      hint: 'Type the tag by hand, on one line.',
    });
  // The bot puts a tag into the path of a URL, and there `.` and `..` would change the path.
  if (value === '.' || value === '..')
    throw new InputError('tag-dots', `${quoted(value)} cannot be a tag.`, { hint: 'Choose another name.' });
  if (isOwnTag(value))
    throw new InputError('tag-reserved', `I keep the tag ${quoted(value)} for myself.`, {
      hint: 'Such a tag ties a server to its messages and cannot be used or changed. Choose another name.',
    });
  return value;
}
