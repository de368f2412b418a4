import type { Line } from '../../chat/card.ts';
import { InputError } from '../../errors.ts';
import type { RawValues } from '../argv.ts';
import type { Asker, Services } from '../define.ts';
import { whoIs } from '../who-is.ts';

/** How long a person can use a form, or the button that opens the form, in milliseconds. */
const KEEP_MS = 12 * 60 * 60_000;

/**
 * How long the values of a closed form stay stored, in milliseconds. A person may close a form while the bot still
 * processes its submission.
 */
const CLOSED_MS = 60_000;

type Needed = Pick<Services, 'payloads' | 'vault'>;
type Who = Pick<Asker, 'id' | 'at'>;

/**
 * Stores the values of this person's form, and returns a key. The values are encrypted, because they may contain
 * secrets. Each call returns a new key, because the key identifies a form that can be submitted only once.
 */
export async function keepValues({ payloads, vault }: Needed, asker: Who, given: RawValues): Promise<string> {
  const sealed = vault.seal(JSON.stringify({ asker: whoIs(asker), given }));
  return await payloads.keepFor(KEEP_MS, { sealed });
}

/**
 * The stored values with this key. Undefined if the values belong to a different person, or were deleted because they
 * expired or the form was submitted.
 */
export async function keptValues(
  { payloads, vault }: Needed,
  asker: Who,
  key: string,
): Promise<RawValues | undefined> {
  if (key === '') return {};
  const kept = await payloads.get(key);
  const opened = typeof kept?.sealed === 'string' ? vault.open(kept.sealed) : undefined;
  const state: { asker: string; given: RawValues } | undefined = opened && JSON.parse(opened);
  return state?.asker === whoIs(asker) ? state.given : undefined;
}

/**
 * Deletes the stored values with this key, so that the bot carries out the form only once. Returns false if the values
 * were deleted before. Otherwise returns a function that stores the values again with the same key.
 */
export async function takeValues({ payloads }: Needed, key: string): Promise<false | (() => Promise<void>)> {
  const kept = await payloads.get(key);
  if (!kept || !(await payloads.take(key))) return false;
  return async () => void (await payloads.keepFor(KEEP_MS, kept));
}

/** Deletes the stored values of a form that this person has closed. */
export async function forgetValues(needed: Needed, asker: Who, key: string): Promise<void> {
  if (key !== '' && (await keptValues(needed, asker, key))) await needed.payloads.forgetIn(CLOSED_MS, key);
}

/** The answer to a person who submits a form again while the form is still open. */
export function sentAlready(): Line {
  const text = ['I have this form already, and carry it out only once. See my answer to the first time.'];
  return { kind: 'line', tone: 'neutral', text };
}

export function formClosed(): InputError {
  return new InputError('form-closed', 'This form was sent already, or is more than 12 hours old.', {
    hint: 'Nothing more was done. If you still want this, open the form again.',
  });
}
