import { maskSecrets } from './mask.ts';

/** Words for credentials and their expiry. The query of a presigned link contains one of these words. */
const CREDENTIAL = /sig|token|key|cred|secret|auth|pass|pwd|code|policy|expire|x-amz|x-goog|[?&]s[ev]=/i;

/**
 * Whether a link may be shown. The link must be an http address without anything that looks like a credential, so that
 * the link gives the reader no rights.
 */
export function isPublicLink(link: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, username, password, search, hash } = new URL(link);
  if (protocol !== 'https:' && protocol !== 'http:') return false;
  if (username !== '' || password !== '') return false;
  return !CREDENTIAL.test(search + hash) && maskSecrets(link) === link;
}
