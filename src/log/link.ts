import { maskSecrets } from './mask.ts';

/** What lets somebody in, or limits for how long: the query of a presigned link has one of them. */
const CREDENTIAL = /sig|token|key|cred|secret|auth|pass|pwd|code|policy|expire|x-amz|x-goog|[?&]s[ev]=/i;

/** Whether an address gives nobody more rights by being known: http, and with nothing in it that looks like a credential. */
export function isPublicLink(link: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, username, password, search, hash } = new URL(link);
  if (protocol !== 'https:' && protocol !== 'http:') return false;
  if (username !== '' || password !== '') return false;
  return !CREDENTIAL.test(search + hash) && maskSecrets(link) === link;
}
