import { AppError } from '../errors.ts';

/** The page on which people create tokens. */
export const TOKENS_PAGE = 'https://app.edgegap.com/user-settings?tab=tokens';

/** Whether the error means that Edgegap rejects the token. */
export function isTokenRefused({ code }: AppError): boolean {
  return code === 'edgegap-unauthorized' || code === 'edgegap-forbidden' || code === 'edgegap-token';
}

/**
 * Returns the token without the prefix `token`, which belongs to the header but is often pasted with the token. Throws
 * if the rest cannot be a token. The error does not contain the rest, which may be a secret.
 */
export function bareToken(text: string): string {
  const token = text.trim().replace(/^token(\s+|$)/i, '');
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new AppError(
      'edgegap-token',
      token === ''
        ? 'The Edgegap API token is empty.'
        : 'The Edgegap API token has characters that a token cannot have.',
      { hint: 'Copy the token again from the Edgegap dashboard, user settings, tokens.' },
    );
  }
  return token;
}
