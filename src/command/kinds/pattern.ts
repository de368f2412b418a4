import { InputError } from '../../errors.ts';
import { type LinePattern, linePattern } from '../../log/pattern.ts';
import { quoted } from '../argv.ts';
import { plainText } from './checked-text.ts';
import type { Kind } from './kind.ts';

const LONGEST = 500;

/** A text to search for, or a regular expression between slashes. */
export const pattern: Kind<LinePattern> = {
  placeholder: 'text',
  input: () => ({ type: 'text', maxLength: LONGEST }),
  parse: (given, { name }) => plainText(given, name, LONGEST),
  async resolve(named) {
    const read = await linePattern(named);
    if ('matches' in read) return read;
    throw new InputError('pattern-wrong', `I cannot read the pattern ${quoted(named)}: ${read.problem}.`, {
      hint: 'Between slashes stands a regular expression of RE2, e.g. /error|warn/i. Without slashes, the text is looked for as it is.',
    });
  },
};
