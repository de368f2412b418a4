import { maskSecrets } from './mask.ts';

/** Words of credentials and of their limits in time: the query of a presigned link has such a word. */
const CREDENTIAL = /sig|token|key|cred|secret|auth|pass|pwd|code|policy|expire|x-amz|x-goog|[?&]s[ev]=/i;

/**
 * Whether a link may be shown: an http address without anything that looks like a credential, so that knowing the
 * link gives nobody more rights.
 */
export function isPublicLink(link: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, username, password, search, hash } = new URL(link);
  if (protocol !== 'https:' && protocol !== 'http:') return false;
  if (username !== '' || password !== '') return false;
  return !CREDENTIAL.test(search + hash) && maskSecrets(link) === link;
}
