import { AppError } from '../errors.ts';

/**
 * The token without the word `token`, which belongs to the header but is pasted along as often as not.
 * Throws when what is left cannot be one; the error does not repeat it.
 */
export function bareToken(text: string): string {
  const token = text.trim().replace(/^token(\s+|$)/i, '');
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new AppError(
      'edgegap-token',
      token === ''
        ? 'The Edgegap API token is empty.'
        : 'The Edgegap API token has characters that no token has.',
      { hint: 'Copy it again from the Edgegap dashboard, user settings, tokens.' },
    );
  }
  return token;
}
