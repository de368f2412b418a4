import { maskSecrets } from './mask.ts';

/** Words for credentials and for their limits in time. The query of a presigned link contains such a word. */
const CREDENTIAL = /sig|token|key|cred|secret|auth|pass|pwd|code|policy|expire|x-amz|x-goog|[?&]s[ev]=/i;

/**
 * Whether a link may be shown. Only an http address in which nothing looks like a credential may be shown, because such
 * a link gives the reader no rights.
 */
export function isPublicLink(link: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, username, password, search, hash } = new URL(link);
  if (protocol !== 'https:' && protocol !== 'http:') return false;
  if (username !== '' || password !== '') return false;
  return !CREDENTIAL.test(search + hash) && maskSecrets(link) === link;
}
