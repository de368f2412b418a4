import type { DeploymentTarget } from '../../deployments/deployment.ts';
import { checkDeploymentAllowed } from '../../edgegap/allowlist.ts';
import { isNoSuchDeployment } from '../../edgegap/errors.ts';
import { InputError } from '../../errors.ts';
import { bare, quoted } from '../argv.ts';
import { bestNames } from '../best-matches.ts';
import { offerRunning } from '../offers.ts';
import { nameKey } from '../same-name.ts';
import { findAddressed, readAddress } from './address.ts';
import { nameInput, plainText, wordIn } from './checked-text.ts';
import type { Kind, Lookup } from './kind.ts';

/** The length of a request_id. A shorter text is the beginning of a request_id. */
const ID_LENGTH = 12;

export const deployment: Kind<DeploymentTarget> = {
  placeholder: 'request_id',
  input: nameInput,
  parse(given, { name }) {
    const text = plainText(bare(String(given)), name, 100_000);
    return readAddress(text) ? text : parseRequestId(text);
  },
  resolve: (value, lookup) => findDeployment(lookup, value),
  field: { closed: true },
  suggest: async (about) => [...bestNames(about.typed, ['@last']), ...(await offerRunning(about))],
};

export function parseRequestId(value: string): string {
  const id = wordIn(value, ' *~#()<>[]{}.,;:!?');
  if (/^@last$/i.test(id)) return '@last';
  if (/^[A-Za-z0-9]{1,64}$/.test(id)) return id;
  throw new InputError('not-a-request-id', `${quoted(value)} is not a request_id.`, {
    hint: 'A request_id has letters and digits only, like 93924761ccde. The card of a server shows the request_id; `list` shows all request_ids. An address works too, like 198.51.100.1:31504.',
  });
}

/**
 * Finds a deployment by request_id, by a unique beginning of the request_id, by address, or by `@last`. Throws if the
 * deployment does not exist, or if the deployment's application is not on the allowlist. Called before the public
 * acknowledgement, so that errors stay private.
 */
export async function findDeployment(lookup: Lookup, value: string): Promise<DeploymentTarget> {
  const address = readAddress(value);
  if (address) return await findDeployment(lookup, await findAddressed(lookup, address));
  const { edgegap, settings } = lookup;
  const known = await findKnown(lookup, value);
  if (known?.requestId) {
    checkDeploymentAllowed(settings.applicationAllowlist, known.application);
    return { request_id: known.requestId, known, seen: undefined };
  }
  // The deployment is not in the store. It may have been deployed from the dashboard or by a matchmaker, so the bot
  // asks Edgegap.
  const whole = value.length < ID_LENGTH ? await findListed(lookup, value) : undefined;
  if (whole !== undefined) return await findDeployment(lookup, whole);
  const [, other] = spellings(value);
  const seen = await edgegap.status(value).catch((error: unknown) => {
    if (other === undefined || !isNoSuchDeployment(error)) throw error;
    return edgegap.status(other);
  });
  return { request_id: seen.request_id, known: undefined, seen };
}

/**
 * The request_id as the person typed it, and in lower case. Edgegap writes a request_id in lower case, but a person may
 * type capital letters.
 */
function spellings(id: string): string[] {
  return [...new Set([id, nameKey(id)])];
}

async function findKnown({ deployments, at, settings }: Lookup, value: string) {
  if (value === '@last') {
    const latest = await deployments.latest(at);
    if (latest) return latest;
    throw new InputError('no-last', 'Nothing was deployed from this channel yet.', {
      hint: 'Give a request_id; `list` shows all running servers.',
    });
  }
  for (const id of spellings(value)) {
    const exact = await deployments.byRequestId(id);
    if (exact) return exact;
  }
  const withBeginning = async (only?: readonly string[]) => {
    const found = await Promise.all(spellings(value).map((id) => deployments.byPrefix(at, id, only)));
    return found.find((some) => some.length > 0) ?? [];
  };
  const candidates = await withBeginning(settings.applicationAllowlist);
  // The error messages name only deployments of applications on the allowlist. If only other deployments match, one of
  // them is returned, and the caller throws an error.
  if (candidates.length < 2) return candidates[0] ?? (await withBeginning())[0];
  const ids = candidates.map((one) => one.requestId);
  throw ambiguous(`Several servers of this channel begin with ${quoted(value)}.`, ids);
}

/**
 * Finds an active deployment that was not deployed from chat and whose request_id begins with `value`. Returns the
 * whole request_id, or undefined if there is no such deployment. A deployment that was deployed from another channel
 * does not match.
 */
async function findListed({ edgegap, deployments }: Lookup, value: string): Promise<string | undefined> {
  const begins = (id: string) => spellings(value).some((beginning) => id.startsWith(beginning));
  const ids: string[] = [];
  for await (const { request_id } of edgegap.allDeployments())
    if (begins(request_id) && !(await deployments.byRequestId(request_id))) ids.push(request_id);
  if (ids.length < 2) return ids[0];
  throw ambiguous(`Several active servers begin with ${quoted(value)}.`, ids.slice(0, 5));
}

function ambiguous(message: string, ids: readonly (string | undefined)[]): InputError {
  return new InputError('prefix-ambiguous', message, { hint: `Type more of the id: ${ids.join(', ')}.` });
}
